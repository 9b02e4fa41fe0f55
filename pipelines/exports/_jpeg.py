"""Any picture of the lake as an upright RGB JPEG."""

import io

from PIL import Image

from pipelines.image_facts import Limits, decode

_ORIENTATION = 0x0112
_TURNED = range(2, 9)
_QUALITY = 95
_LIMITS = Limits(max_pixels=2**30)   # whoever fetched the picture has decided that it is not too large


def upright_rgb_jpeg(content: bytes) -> bytes:
    """The picture as a JPEG that needs no turning and no conversion.

    One that is such a JPEG already comes back byte for byte; others are encoded anew, at quality 95 without
    chroma subsampling, from the pixels `image_facts` judges. Raises FetchError where nothing can be decoded.
    """
    if _is_upright_rgb_jpeg(content):
        return content
    out = io.BytesIO()
    decode(content, _LIMITS).picture.save(out, "JPEG", quality=_QUALITY, subsampling=0)
    return out.getvalue()


def _is_upright_rgb_jpeg(content: bytes) -> bool:
    if not content.startswith(b"\xff\xd8"):
        return False
    try:
        image = Image.open(io.BytesIO(content), formats=("JPEG",))
        orientation = image.getexif().get(_ORIENTATION)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False   # a broken header: the full decoder says what is wrong, or copes
    return image.format == "JPEG" and image.mode == "RGB" and orientation not in _TURNED
