"""What people ask for, read with care: query files and date ranges."""

import calendar
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from lake.errors import BadDate, BadQueryFile

_LONGEST_QUERY = 500
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def read_query_file(path: Path) -> list[str]:
    """The searches in a UTF-8 text file, one a line; empty lines and lines that begin with # are passed over.

    Raises BadQueryFile, naming the line, for what cannot be a list of searches.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as e:
        raise BadQueryFile(f"cannot read the query file {path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        line = e.object[: e.start].count(b"\n") + 1
        raise BadQueryFile(f"{path}, line {line}: not UTF-8 text; save it as UTF-8, one search a line") from e
    queries = [_checked(line, f"{path}, line {n}") for n, line in enumerate(text.split("\n"), 1)]
    found = [query for query in queries if query and not query.startswith("#")]
    if not found:
        raise BadQueryFile(f"{path} holds no search; write one a line")
    return distinct_queries(found)


def distinct_queries(queries: Sequence[str]) -> list[str]:
    """The searches in their order, trimmed, each once; raises BadQueryFile for an empty or odd one."""
    trimmed = [_checked(query, "--query") for query in queries]
    if "" in trimmed:
        raise BadQueryFile("--query is empty; give it some words")
    return list(dict.fromkeys(trimmed))


def parse_date(text: str | None, last: bool = False) -> date | None:
    """The first (or last) day of YYYY, YYYY-MM or YYYY-MM-DD; raises BadDate for anything else."""
    if text is None:
        return None
    match = _DATE.fullmatch(text.strip())
    if not match:
        raise BadDate(f"{text!r} is no date; write 1939, 1939-11 or 1939-11-30")
    year, month, day = (int(part) if part else None for part in match.groups())
    month = month or (12 if last else 1)
    try:
        day = day or (calendar.monthrange(year or 0, month)[1] if last else 1)
        return date(year or 0, month, day)
    except ValueError as e:
        raise BadDate(f"{text!r} is no date: {e}") from e


def parse_date_range(start: str | None, end: str | None) -> tuple[date | None, date | None]:
    """Both ends of a range; raises BadDate for a range that ends before it begins."""
    first, last = parse_date(start), parse_date(end, last=True)
    if first and last and first > last:
        raise BadDate(f"--start-date {start} is after --end-date {end}; swap them")
    return first, last


def _checked(line: str, place: str) -> str:
    line = line.strip()
    if len(line) > _LONGEST_QUERY:
        raise BadQueryFile(f"{place}: {len(line)} characters are no search; one search a line, please")
    if not line.isprintable() and "\t" not in line:
        raise BadQueryFile(f"{place}: holds control characters; this is no text file of searches")
    return " ".join(line.split())
