"""Many pictures on one sheet, each with its caption: what a search found, what a label holds."""

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from lake import Lake, image_store
from lake.drafts import cannot_write, whole_file
from lake.errors import FetchError, LakeError
from pipelines.caption_fonts import Font, font, font_for
from pipelines.console import one_line
from pipelines.image_facts import decode
from pipelines.judgement import Limits

_CELL = 200
_GAP = 14
_LINE = 17
_CAPTION_LINES = 2
_FONT_SIZE = 13
_TITLE_SIZE = 18
_TITLE_LINE = 34
_PAPER, _INK, _MISSING = "#f7f5f0", "#26231f", "#d9d4c9"
_LIMITS = Limits(max_pixels=2**30)


def contact_sheet(
    lake: Lake, samples: Sequence[tuple[str, str]], columns: int = 6, title: str | None = None
) -> Image.Image:
    """Pictures (path in the lake, caption) row by row; one that cannot be shown is a field that says why."""
    columns = max(1, min(columns, len(samples)))
    top = _GAP + (_TITLE_LINE if title else 0)
    height = _CELL + _CAPTION_LINES * _LINE + _GAP
    n_rows = -(-len(samples) // columns)
    sheet = Image.new("RGB", (_GAP + columns * (_CELL + _GAP), top + n_rows * height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        large = font_for(title, _TITLE_SIZE)
        draw.text((_GAP, _GAP), _fitted(one_line(title), large, sheet.width - 2 * _GAP), _INK, large)
    for number, (path, caption) in enumerate(samples):
        left, upper = _GAP + number % columns * (_CELL + _GAP), top + number // columns * height
        picture = _thumbnail(lake, path)
        sheet.paste(picture, (left + (_CELL - picture.width) // 2, upper + _CELL - picture.height))
        small = font_for(caption, _FONT_SIZE)
        for line, text in enumerate(wrapped(caption, small, _CELL, _CAPTION_LINES)):
            draw.text((left, upper + _CELL + 4 + line * _LINE), text, _INK, small)
    return sheet


def save_contact_sheet(
    lake: Lake, samples: Sequence[tuple[str, str]], target: Path, columns: int = 6, title: str | None = None
) -> Path:
    """Write the sheet as PNG, atomically; raises LakeError where that cannot be."""
    sheet = contact_sheet(lake, samples, columns, title)
    try:
        with whole_file(target) as draft:
            sheet.save(draft, "PNG")
    except OSError as e:
        raise cannot_write(target, e) from e
    return target


def wrapped(text: str, font: Font, width: int, n_lines: int) -> list[str]:
    """The text in at most so many lines of that width; what does not fit ends in an ellipsis.

    Lines end between words, or within one that would leave most of its line empty: Japanese has none.
    """
    lines: list[str] = []
    rest = one_line(text)
    while rest and len(lines) < n_lines - 1:
        n = max(1, _n_fitting(rest, font, width))
        space = rest.rfind(" ", 0, n + 1)
        n = space if n < len(rest) and space > n // 2 else n
        lines.append(rest[:n].rstrip())
        rest = rest[n:].lstrip()
    return [*lines, _fitted(rest, font, width)] if rest else lines


def _n_fitting(text: str, font: Font, width: int) -> int:
    """How many letters from the first on are no wider, none of them parted from its marks."""
    n = bisect_right(range(len(text) + 1), float(width), key=lambda n: float(font.getlength(text[:n]))) - 1
    while 0 < n < len(text) and unicodedata.category(text[n]).startswith("M"):
        n -= 1
    return n


def _fitted(text: str, font: Font, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    room = width - font.getlength("…")
    return text[:_n_fitting(text, font, int(room))].rstrip() + "…"


def _thumbnail(lake: Lake, path: str) -> Image.Image:
    try:
        picture = decode(image_store.read(lake, path), _LIMITS).picture
    except (LakeError, FetchError) as e:
        return _apology(str(e))
    picture.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
    return picture


def _apology(reason: str) -> Image.Image:
    field = Image.new("RGB", (_CELL, _CELL), _MISSING)
    lines = wrapped(reason, font(_FONT_SIZE), _CELL - 2 * _GAP, 8)
    ImageDraw.Draw(field).multiline_text((_GAP, _GAP), "\n".join(lines), _INK, font(_FONT_SIZE), spacing=2)
    return field
