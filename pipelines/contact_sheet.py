"""Many pictures on one sheet, each with its caption: what a search found, what a label holds."""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from lake import Lake, image_store
from lake.errors import FetchError, LakeError
from pipelines.image_facts import Limits, decode

_CELL = 200
_GAP = 14
_LINE = 17
_CAPTION_LINES = 2
_FONT_SIZE = 13
_TITLE_SIZE = 18
_TITLE_LINE = 34
_PAPER, _INK, _MISSING = "#f7f5f0", "#26231f", "#d9d4c9"
_LIMITS = Limits(max_pixels=2**30)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


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
        large = font(_TITLE_SIZE)
        draw.text((_GAP, _GAP), _fitted(title, large, sheet.width - 2 * _GAP), _INK, large)
    for number, (path, caption) in enumerate(samples):
        left, upper = _GAP + number % columns * (_CELL + _GAP), top + number // columns * height
        picture = _thumbnail(lake, path)
        sheet.paste(picture, (left + (_CELL - picture.width) // 2, upper + _CELL - picture.height))
        text = "\n".join(wrapped(caption, font(_FONT_SIZE), _CELL, _CAPTION_LINES))
        draw.multiline_text((left, upper + _CELL + 4), text, _INK, font(_FONT_SIZE), spacing=2)
    return sheet


def save_contact_sheet(
    lake: Lake, samples: Sequence[tuple[str, str]], target: Path, columns: int = 6, title: str | None = None
) -> Path:
    """Write the sheet as PNG, atomically."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    contact_sheet(lake, samples, columns, title).save(draft, "PNG")
    draft.replace(target)
    return target


@cache
def font(size: int) -> Font:
    """DejaVu Sans, which has Latin, Greek and Cyrillic and comes with matplotlib; else Pillow's own."""
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
        if path.exists():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)


def wrapped(text: str, font: Font, width: int, n_lines: int) -> list[str]:
    """The text in at most so many lines of that width; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < n_lines - 1:
        n = 1
        while n < len(words) and font.getlength(" ".join(words[:n + 1])) <= width:
            n += 1
        lines.append(_fitted(" ".join(words[:n]), font, width))
        words = words[n:]
    return [*lines, _fitted(" ".join(words), font, width)] if words else lines


def _fitted(text: str, font: Font, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    n = len(text)
    while n and font.getlength(text[:n].rstrip() + "…") > width:
        n -= 1
    return text[:n].rstrip() + "…"


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
