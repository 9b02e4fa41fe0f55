"""Ways to cut a query that finds more than a service lets anybody reach: by dates, by values seen."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from pipelines.archives._archive import UNDATED, Page, Query

_VALUES_A_CUT = 10    # the rest slice names each value it leaves out, and a URL has an end


def pieces_by_dates(query: Query, span: tuple[int, int], n: int, months: bool = False) -> list[Query]:
    """The query in some `n` pieces by years of `span`, what lies before and after it, and what has no date.

    A single year becomes months where the service can filter by `months`; [] where dates can cut no further.
    """
    if UNDATED in query.filters:
        return []
    first = max(query.start or date.min, date(span[0], 1, 1))
    last = min(query.end or date.max, date(span[1], 12, 31))
    if query.start and query.end:
        first, last = query.start, query.end
    pieces = [query.between(a, b) for a, b in _ranges(first, last, n, months)]
    if pieces and not query.start:
        pieces = [query.between(None, first - timedelta(days=1)), *pieces]
    if pieces and not query.end:
        pieces = [*pieces, query.between(last + timedelta(days=1), None)]
    if not (query.start or query.end):
        pieces.append(query.narrowed(UNDATED))
    return pieces if len(pieces) > 1 else []


def pieces_by_values(query: Query, field: str, values: Sequence[str]) -> list[Query]:
    """A piece for each value (the most frequent ones), and one for all hits that have none of them.

    `values` are those seen on the query's first page. What the query already names is not cut by again.
    """
    if any(text.startswith(f"{field}=") for text in query.filters):
        return []
    new = [value for value, _ in Counter(values).most_common() if f"not {field}={value}" not in query.filters]
    chosen = sorted(new[:_VALUES_A_CUT])
    pieces = [query.narrowed(f"{field}={value}") for value in chosen]
    return [*pieces, query.narrowed(*(f"not {field}={value}" for value in chosen))] if pieces else []


def values_seen(page: Page, field: str) -> list[str]:
    """Every text that items of a page hold under a key, as often as it occurs.

    Alone or in a list, as it is or as the `value` of an object.
    """
    seen: list[Any] = []
    for item in page.items:
        held = json.loads(item)
        value = held.get(field) if isinstance(held, dict) else None
        seen += value if isinstance(value, list) else [value]
    plain = [value.get("value") if isinstance(value, dict) else value for value in seen]
    return [value for value in plain if isinstance(value, str) and value]


def parts(text: str) -> tuple[bool, str, str]:
    """A filter taken apart: whether it is negated, its field, its value ('' where it is one word)."""
    plain = text.removeprefix("not ")
    field, _, value = plain.partition("=")
    return plain != text, field, value


def _ranges(first: date, last: date, n: int, months: bool) -> list[tuple[date, date]]:
    """Consecutive ranges of whole years from `first` to `last`, of months within a single year."""
    if first > last:
        return []
    if first.year < last.year:
        step = max(1, (last.year - first.year + 1) // max(n, 2))
        starts = [date(year, 1, 1) for year in range(first.year + step, last.year + 1, step)]
    elif months:
        starts = [date(first.year, month, 1) for month in range(first.month + 1, last.month + 1)]
    else:
        starts = []
    ends = [start - timedelta(days=1) for start in starts]
    return list(zip([first, *starts], [*ends, last], strict=True))
