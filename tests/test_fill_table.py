"""How much of what the archives say arrives in `records`: archive by column, filled of possible.

`tests/fixtures/carried/<archive>.json` names, for each column, the places of an item that carry it. Possible
is every record whose item holds a text at one of them; a column not named there is only counted.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lake import Lake, catalog
from pipelines.transform import PROJECT, normalise
from tests.hit_fixtures import ARCHIVES, FIXTURES, fixture_items, hit, load_hits
from tests.recorded_answers import RECORDED, recorded_items

COLUMNS = (
    "title", "description", "date_raw", "date_start", "country", "provider", "creators", "subjects",
    "concept_uris", "rights_raw", "landing_url", "provider_url", "image_url", "iiif_service_url",
    "collections", "object_types",
)
with (PROJECT / "seeds" / "empty_words.csv").open(encoding="utf-8", newline="") as file:
    NOTHING = {"", *(row["word"] for row in csv.DictReader(file))}
Counts = dict[str, tuple[int, int | None]]    # filled and possible by column


def test_every_column_that_the_fixtures_carry_is_filled(tmp_path: Path, record_property: Any) -> None:
    counts = _counts(Lake(tmp_path / "lake"), ARCHIVES, fixture_items)
    record_property("table", _table("filled of possible, fixtures", counts))
    assert _gaps(counts) == []


@pytest.mark.real
def test_every_column_that_the_recorded_answers_carry_is_filled(tmp_path: Path, record_property: Any) -> None:
    assert Path(os.environ["GLAMLAKE_SAMPLES"]).is_dir()
    counts = _counts(Lake(tmp_path / "lake"), RECORDED, _with_pictures)
    record_property("table", _table("filled of possible, recorded answers", counts))
    assert _gaps(counts) == []


def _with_pictures(archive: str) -> list[Any]:
    """The recorded items; the National Archives' show PDFs only, which stand in for pictures here."""
    text = json.dumps(recorded_items(archive))
    return list(json.loads(text.replace("Portable Document File (PDF)", "Image (JPG)")))


def _counts(lake: Lake, archives: Any, items_of: Callable[[str], list[Any]]) -> dict[str, Counts]:
    items = {archive: items_of(archive) for archive in archives}
    for archive in archives:
        load_hits(lake, archive, "ship", items[archive])
    normalise(lake, list(archives))
    return {archive: _counts_of(lake, archive, items[archive]) for archive in archives}


def _counts_of(lake: Lake, archive: str, items: list[Any]) -> Counts:
    by_id = {str(hit(archive, "ship", item)["native_id"]): item for item in items}
    records = catalog.rows(lake, f"select * from records where archive = '{archive}'")
    places = _places(archive)
    counts: Counts = {"records": (len(records), len(items))}
    for column in COLUMNS:
        filled = [row for row in records if row.get(column) not in (None, [])]
        empty = [by_id[str(row["native_id"])] for row in records if row not in filled]
        missing = [item for item in empty if any(_says(item, place) for place in places.get(column, []))]
        counts[column] = (len(filled), len(filled) + len(missing) if column in places else None)
    return counts


def _places(archive: str) -> Mapping[str, list[str]]:
    file = FIXTURES / "carried" / f"{archive}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def _says(item: Any, place: str) -> bool:
    """Whether there is any text at a dotted place, other than a word for nothing."""
    for name in [place] if place in item else place.split("."):    # names of CSV columns have dots in them
        item = item.get(name) if isinstance(item, dict) else None
    return any(text.strip().lower() not in NOTHING for text in _texts(item))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif value is not None:
        yield str(value)


def _gaps(counts: dict[str, Counts]) -> list[str]:
    return [
        f"{archive}.{column}: {filled} of {possible}" for archive, columns in counts.items()
        for column, (filled, possible) in columns.items()
        if column != "records" and possible is not None and filled < possible
    ]


def _table(title: str, counts: dict[str, Counts]) -> str:
    """One row an archive; a column nobody says how to carry shows only what is filled."""
    lines = [f"{title:<40}" + "".join(f"{name[:9]:>10}" for name in ("records", *COLUMNS))]
    for archive, columns in counts.items():
        cells = [str(n) if possible is None else f"{n}/{possible}" for n, possible in columns.values()]
        lines.append(f"{archive:<40}" + "".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines)
