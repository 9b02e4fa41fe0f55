"""Pictures as encoders want them: upright, RGB, eight bits a channel."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lake.errors import EncoderError

_WIDE_GREY = ("I;16", "I;16B", "I;16L", "I;16N")


def open_picture(source: Path | BinaryIO, room: int | None = None) -> Image.Image:
    """Decode a picture wholly, upright and in RGB; raises EncoderError where that cannot be.

    With `room`, a JPEG may come at a half, a quarter or an eighth of its size, no side shorter than `room`.
    """
    try:
        with Image.open(source) as picture:
            if room is not None:
                picture.draft("RGB", (room, room))
            return _upright(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as e:
        place = source if isinstance(source, Path) else "given"
        raise EncoderError(f"cannot read the picture {place}: {e}") from e


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Turn by the EXIF orientation, lay transparency on white, bring 16-bit grey down to eight bits.

    Pillow's plain convert("RGB") drops alpha and clips wide grey to white.
    """
    seen = _upright(picture)
    return seen.copy() if seen is picture else seen


def _upright(picture: Image.Image) -> Image.Image:
    """As `upright_rgb`, but the picture itself where nothing is to be done: two copies cost half a decode."""
    picture.load()
    turned = picture
    if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        turned = ImageOps.exif_transpose(picture)
    if turned.mode in _WIDE_GREY or turned.mode in ("I", "F"):
        return _grey_8bit(turned).convert("RGB")
    if turned.has_transparency_data:
        seen = turned.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return turned if turned.mode == "RGB" else turned.convert("RGB")


def _grey_8bit(picture: Image.Image) -> Image.Image:
    levels = np.asarray(picture, dtype=np.float64)
    top = 65535.0 if picture.mode in _WIDE_GREY or levels.max(initial=0.0) > 255 else 255.0
    return Image.fromarray(np.clip(levels * (255.0 / top), 0, 255).astype(np.uint8))
