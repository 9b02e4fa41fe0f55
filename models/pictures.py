"""Pictures as encoders want them: upright, RGB, eight bits a channel."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lake.errors import EncoderError

_WIDE_GREY = ("I;16", "I;16B", "I;16L", "I;16N")


def open_picture(source: Path | BinaryIO) -> Image.Image:
    """Decode a picture wholly, upright and in RGB; raises EncoderError where that cannot be."""
    try:
        with Image.open(source) as picture:
            return upright_rgb(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as e:
        place = source if isinstance(source, Path) else "given"
        raise EncoderError(f"cannot read the picture {place}: {e}") from e


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Turn by the EXIF orientation, lay transparency on white, bring 16-bit grey down to eight bits.

    Pillow's plain convert("RGB") drops alpha and clips wide grey to white.
    """
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in _WIDE_GREY or turned.mode in ("I", "F"):
        return _grey_8bit(turned).convert("RGB")
    if turned.has_transparency_data:
        seen = turned.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return turned.convert("RGB")


def _grey_8bit(picture: Image.Image) -> Image.Image:
    levels = np.asarray(picture, dtype=np.float64)
    top = 65535.0 if picture.mode in _WIDE_GREY or levels.max(initial=0.0) > 255 else 255.0
    return Image.fromarray(np.clip(levels * (255.0 / top), 0, 255).astype(np.uint8))
