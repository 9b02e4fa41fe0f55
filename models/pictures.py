"""Pictures of every kind made upright RGB of eight bits a channel, in the one way of all that look at them.

EXIF orientation is applied and alpha laid on white; colour profiles are not applied: CMYK becomes RGB the way
Pillow does it.
"""

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin, UnidentifiedImageError

from lake.errors import EncoderError

DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError,
    ArithmeticError, AssertionError, RuntimeError, struct.error, zlib.error,
)
"""What Pillow's decoders raise about bytes they cannot make sense of."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0
_SUBFILE, _SUB_PAGES, _DNG_VERSION = 254, 330, 50706
_MISSING = 3e38          # and beyond: the largest numbers of 32 bits say that there is none


def open_picture(source: Path | BinaryIO, room: int | None = None) -> Image.Image:
    """Decode a picture wholly, upright and in RGB; raises EncoderError where that cannot be.

    With `room`, a JPEG may come at a half, a quarter or an eighth of its size, no side shorter than `room`.
    """
    try:
        with Image.open(source) as picture:
            if room is not None:
                picture.draft("RGB", (room, room))
            return _upright(picture)
    except (*DECODER_ERRORS, UnidentifiedImageError, Image.DecompressionBombError) as e:
        place = source if isinstance(source, Path) else "given"
        raise EncoderError(f"cannot read the picture {place}: {e}") from e


def upright_rgb(picture: Image.Image) -> Image.Image:
    """A copy in RGB, turned by the EXIF orientation."""
    seen = _upright(picture)
    return seen.copy() if seen is picture else seen


def _upright(picture: Image.Image) -> Image.Image:
    """As `upright_rgb`, but the picture itself where nothing is to be done: two copies cost half a decode."""
    picture.load()
    return turned(in_rgb(picture), orientation(picture))


def turned(picture: Image.Image, how: int) -> Image.Image:
    """The picture turned as an EXIF orientation says; itself where there is nothing to turn."""
    return picture.transpose(_UPRIGHT[how]) if how in _UPRIGHT else picture


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation of a picture that is loaded, 1 to 8."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except DECODER_ERRORS:      # broken EXIF in a sound picture: it stays as it lies
        return 1


def in_rgb(picture: Image.Image) -> Image.Image:
    """The picture in RGB; itself where it is.

    Pillow's plain convert("RGB") drops alpha, clips wide grey to white, and knows no LAB.
    """
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bit(picture).convert("RGB")
    if picture.has_transparency_data:
        return _on_white(picture if picture.mode == "RGBA" else _with_alpha(picture))
    if picture.mode == "LAB":
        return _lab_to_rgb(picture)
    return picture.convert("RGB")


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Grey of more than 8 bits by its highest 8, floats of 0..1 times 255, what is within 0..255 as it is,
    anything else from darkest to lightest; a tone that is said to be clear becomes white."""
    values = np.asarray(picture)
    is_16_bit = picture.mode == "I" and values.min() >= 0 and 255 < values.max() < 2**16
    if is_16_bit or picture.mode.startswith("I;16"):
        tones = (values >> (_bits(picture) - 8)).astype(np.uint8)
        tones = 255 - tones if _tiff_tag(picture, _PHOTOMETRIC) == _WHITE_IS_ZERO else tones
    else:
        tones = _stretched(values, is_share=picture.mode == "F")
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        tones[values == clear] = 255
    return Image.fromarray(tones)


def _stretched(values: NDArray[Any], is_share: bool) -> NDArray[np.uint8]:
    """As tones; what is no number, or stands for one that is missing, is dark."""
    values = values.astype(np.float32, copy=False)
    is_told = (values > -_MISSING) & (values < _MISSING)
    low = float(values.min(where=is_told, initial=_MISSING))
    high = float(values.max(where=is_told, initial=-_MISSING))
    if low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if is_share and high <= 1 else 255.0
    tones = np.where(is_told, values, np.float32(low))
    tones -= np.float32(low)
    tones *= 255.0 / (high - low) if high > low else 0.0
    return np.rint(tones, out=tones).astype(np.uint8)


def _bits(picture: Image.Image) -> int:
    """Of a tone, from 9 to 16."""
    told = _tiff_tag(picture, _BITS)
    first = told[0] if isinstance(told, tuple) and told else told
    return first if isinstance(first, int) and 8 < first < 16 else 16


def _tiff_tag(picture: Image.Image, number: int) -> object:
    return picture.tag_v2.get(number) if isinstance(picture, TiffImagePlugin.TiffImageFile) else None


def is_preview_of_raw(picture: Image.Image) -> bool:
    """Whether it is the small first page of a camera's raw file (DNG, NEF…), whose picture lies elsewhere."""
    kind = _tiff_tag(picture, _SUBFILE)
    is_small_copy = isinstance(kind, int) and bool(kind & 1)
    return is_small_copy and any(_tiff_tag(picture, tag) is not None for tag in (_SUB_PAGES, _DNG_VERSION))


def _with_alpha(picture: Image.Image) -> Image.Image:
    """Pillow reads the highest 8 of a PNG's 16 bits a channel, but all 16 of the colour that is clear."""
    clear = picture.info.get("transparency")
    if picture.mode == "RGB" and isinstance(clear, tuple) and max(clear) > 255:
        picture.info["transparency"] = tuple(tone >> 8 for tone in clear)
    return picture.convert("RGBA")


def _on_white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    srgb = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert srgb is not None    # only in-place conversion returns nothing
    return srgb
