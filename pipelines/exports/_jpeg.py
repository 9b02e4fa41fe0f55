"""Any picture of the lake as an upright RGB JPEG, smaller where that is asked for."""

import io
import struct
from threading import Lock

from PIL import Image

from pipelines.image_facts import decode
from pipelines.judgement import EXTENSIONS, Limits

_ORIENTATION = 0x0112
_TURNED = range(2, 9)
_QUALITY = 95
_LIMITS = Limits(max_pixels=2**30)   # whoever fetched the picture has decided that it is not too large
_DECODING = Lock()                   # decoded pictures are huge, and Pillow's limit is one for all threads

_START, _FRAMES, _SCAN = b"\xff\xd8", (0xC0, 0xC1, 0xC2), 0xDA
_TABLES = (0xC4, 0xDB, 0xDD, 0xE0, 0xED, 0xEE, 0xFE)   # say nothing about turning or the number of colours
_APP1, _APP2, _ICC = 0xE1, 0xE2, b"ICC_PROFILE\0"
_MAY_TURN = (b"\x01\x12", b"\x12\x01", b"rientation")   # the EXIF tag in both byte orders, and XMP's word


def upright_rgb_jpeg(content: bytes, max_side: int | None = None) -> bytes:
    """The picture as a JPEG that needs no turning and no conversion, its longer side `max_side` at most.

    One that is such a JPEG already comes back byte for byte; others are encoded anew, at quality 95 without
    chroma subsampling, from the pixels `image_facts` judges. Raises FetchError where nothing can be decoded.
    """
    size = _size_by_markers(content) or _size_by_pillow(content)
    if size is not None and (max_side is None or max(size) <= max_side):
        return content
    return _encoded(content, max_side)


def smaller_jpeg(content: bytes, max_side: int) -> bytes | None:
    """The picture as an upright RGB JPEG of that longer side, or None where it is no larger as it is.

    Raises FetchError where nothing can be decoded.
    """
    size = _size_by_markers(content) or _any_size(content)
    return None if size is not None and max(size) <= max_side else _encoded(content, max_side)


def _encoded(content: bytes, max_side: int | None) -> bytes:
    out = io.BytesIO()
    with _DECODING:
        picture = decode(content, _LIMITS).picture
        if max_side is not None and max(picture.size) > max_side:
            picture = picture.copy()
            picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        picture.save(out, "JPEG", quality=_QUALITY, subsampling=0)
    return out.getvalue()


def _size_by_markers(content: bytes) -> tuple[int, int] | None:
    """Width and height of what is surely an upright RGB JPEG; None where Pillow has to look closer.

    Reads the headers alone, in a tenth of Pillow's time: an export is held up by little else.
    """
    place, size = 2, None
    if not content.startswith(_START):
        return None
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2:place + 4])
        if marker == _SCAN:
            return size
        if marker in _FRAMES and length >= 17:
            bits, height, width, colours = struct.unpack_from(">BHHB", content, place + 4)
            size = (width, height) if (bits, colours) == (8, 3) and width and height else None
        elif not _is_harmless(marker, content[place + 4:place + 2 + length]):
            return None
        place += 2 + length
    return None


def _is_harmless(marker: int, segment: bytes) -> bool:
    if marker == _APP1:
        return not any(sign in segment for sign in _MAY_TURN)
    return marker in _TABLES or (marker == _APP2 and segment.startswith(_ICC))


def _size_by_pillow(content: bytes) -> tuple[int, int] | None:
    """Width and height of an upright RGB JPEG; None for every other picture."""
    if not content.startswith(_START):
        return None
    with _DECODING:
        try:
            image = Image.open(io.BytesIO(content), formats=("JPEG",))
            orientation = image.getexif().get(_ORIENTATION)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None   # a broken header: the full decoder says what is wrong, or copes
    is_plain = image.format == "JPEG" and image.mode == "RGB" and orientation not in _TURNED
    return image.size if is_plain else None


def _any_size(content: bytes) -> tuple[int, int] | None:
    with _DECODING:
        try:
            return Image.open(io.BytesIO(content), formats=tuple(EXTENSIONS)).size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None   # as above
