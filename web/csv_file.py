"""A list of pictures as CSV for a spreadsheet: no cell of it is ever run as a formula."""

import csv
import io
from collections.abc import Iterable

from lake.spreadsheets import harmless
from web.page import Result

_COLUMNS = (
    "sample_id", "title", "caption", "description", "date", "year", "labels", "archives", "providers",
    "rights_class", "rights_uri", "attribution", "landing_urls", "record_ids", "split", "score",
)


def csv_of(results: Iterable[Result]) -> bytes:
    """One row a picture; values of one cell are separated by ` | `. UTF-8 with a mark, as Excel wants."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for result in results:
        writer.writerow(map(harmless, _row(result)))
    return out.getvalue().encode("utf-8-sig", "replace")


def _row(result: Result) -> list[object]:
    card = result.card
    return [
        card.sample_id, card.title, card.caption, card.description, card.date, card.year, _one(card.labels),
        _one(card.archives), _one(card.providers), card.rights_class, card.rights_uri, card.attribution,
        _one(source.landing_url for source in card.links), _one(s.record_id for s in card.sources),
        card.split, result.score,
    ]


def _one(values: Iterable[str | None]) -> str:
    return " | ".join(value for value in values if value)
