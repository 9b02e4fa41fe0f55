"""Fonts that have the letters of a caption, whatever it is written in."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_ALL_THERE = "\u0530"    # DejaVu Sans has all letters before it: Latin, Greek, Cyrillic


def font_for(text: str, size: int) -> Font:
    """`font`; where letters of the text are missing in it, the font of this machine with most of them."""
    beyond = frozenset(letter for letter in text if letter >= _ALL_THERE)
    wanted = frozenset(letter for letter in beyond if unicodedata.category(letter)[0] in "LM")
    path = _path_with(wanted) if wanted else None
    return font(size) if path is None else ImageFont.truetype(path, size)


@cache
def font(size: int) -> Font:
    """DejaVu Sans, which has Latin to Hebrew and Arabic and comes with matplotlib; else Pillow's own."""
    usual = _usual_path()
    return ImageFont.load_default(size) if usual is None else ImageFont.truetype(usual, size)


@cache
def _usual_path() -> str | None:
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    return str(path) if path.exists() else None


@cache
def _path_with(letters: frozenset[str]) -> str | None:
    usual = _usual_path()
    if usual is None or letters <= _letters_of(usual):
        return usual
    return fullest(letters, [usual, *_other_paths()])


def fullest(letters: frozenset[str], paths: Sequence[str]) -> str:
    """The font file with most of the letters, the first of those with as many."""
    return max(paths, key=lambda path: len(letters & _letters_of(path)))


@cache
def _other_paths() -> tuple[str, ...]:
    from matplotlib.font_manager import findSystemFonts

    return tuple(sorted(findSystemFonts()))


@cache
def _letters_of(path: str) -> frozenset[str]:
    from matplotlib.ft2font import FT2Font

    try:
        places: Iterable[int] = FT2Font(path).get_charmap()
        ImageFont.truetype(path, 12)    # fonts of pictures have one size only
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(map(chr, places))
