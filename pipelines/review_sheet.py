"""Predicted labels for people to accept or refuse: a CSV for spreadsheets, pages that work without a network.

The pages hold small copies of the pictures and save their decisions as a CSV; either goes back to the lake
with `glamlake annotate --review FILE`.
"""

import base64
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from lake import Lake, image_store
from lake.errors import FetchError, LakeError
from lake.spreadsheets import harmless
from pipelines.image_facts import decode
from pipelines.judgement import Limits

Row = Mapping[str, Any]

COLUMNS = (
    "annotation_id", "decision", "note", "facet", "label", "path", "confidence", "sample_id", "split",
    "title", "caption", "labels", "picture",
)
PICTURES_A_PAGE = 100
_SIDE = 220
_LIMITS = Limits(max_pixels=2**30)


def write_sheet(
    lake: Lake, folder: Path, rows: Sequence[Row], pictures: Mapping[str, Row], most_pictures: int,
) -> None:
    """Fill a folder: `review.csv` with every row, pages with the rows of so many of the surest pictures."""
    # with its first mark spreadsheets know that it is UTF-8
    (folder / "review.csv").write_text("\ufeff" + _csv(rows, pictures), encoding="utf-8", newline="")
    shown = list(_by_picture(rows))[:most_pictures]
    pages = [shown[i:i + PICTURES_A_PAGE] for i in range(0, len(shown), PICTURES_A_PAGE)]
    for number, page in enumerate(pages, 1):
        cards = [_card(lake, pictures[sample_id], own) for sample_id, own in page]
        names = {"run_id": rows[0]["run_id"], "number": number, "n_pages": len(pages)}
        text = _template().render(cards=cards, n_left=len(rows), **names)
        (folder / f"review-{number:03d}.html").write_text(text, encoding="utf-8")


def _by_picture(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each picture, the picture with the surest label first."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (-row["confidence"], row["annotation_id"])):
        found.setdefault(str(row["sample_id"]), []).append(row)
    yield from found.items()


def _csv(rows: Sequence[Row], pictures: Mapping[str, Row]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda r: (r["facet"], r["label"], -r["confidence"], r["annotation_id"])):
        about = pictures[str(row["sample_id"])]
        writer.writerow([
            row["annotation_id"], "", "", row["facet"], _plain(row["label"]), _plain(" > ".join(row["path"])),
            f"{row['confidence']:.3f}", row["sample_id"], row["split"], _plain(about["title"]),
            _plain(about["caption"]), _plain("; ".join(about["labels"] or ())), about["path"],
        ])
    return out.getvalue()


def _plain(text: str | None) -> str:
    """A cell that no spreadsheet takes for a formula: archives' titles are other people's text."""
    return str(harmless(" ".join((text or "").split())))


def _card(lake: Lake, about: Row, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "picture": _thumbnail(lake, str(about["path"])), "sample_id": about["sample_id"],
        "title": about["title"] or about["caption"] or about["sample_id"], "caption": about["caption"] or "",
        "labels": about["labels"] or [], "archives": about["archives"] or [], "year": about["year"],
        "split": about["split"], "rows": rows,
    }


def _thumbnail(lake: Lake, path: str) -> str | None:
    """A small JPEG as the page itself can hold it; None where the picture cannot be shown."""
    try:
        picture = decode(image_store.read(lake, path), _LIMITS).picture
    except (LakeError, FetchError):
        return None
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=80)
    return base64.b64encode(out.getvalue()).decode()


def _template() -> jinja2.Template:
    folder = Path(__file__).resolve().parent / "templates"
    rooms = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined,
    )
    return rooms.get_template("review.html")
