"""Finna's search API as it answers: only the fields asked for, no key `records` when there is nothing.

What is written here comes from API_FACTS ("Finna API", recorded answers) and from VuFind's published source,
on which Finna runs: there a page past the ceiling is the last page below it once more, with status OK. JSON
is escaped as PHP escapes it. Not played: facets, sorting, POST, `type`, and filters on rights (they are
taken and let everything pass).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.replay.answers import Answer, Params, json_answer, list_param, param, text_answer, whole_number
from pipelines.replay.envelope import members, object_of
from pipelines.replay.holdings import Condition, Holdings, Item

PATHS = ("/v1/search", "/api/v1/search")
DEFAULT_FIELDS = (
    "buildings", "formats", "id", "imageRights", "images", "languages", "nonPresenterAuthors", "onlineUrls",
    "presenters", "rating", "series", "subjects", "title", "urls",
)
_DEFAULT_LIMIT, _MAX_LIMIT = 20, 100
_NOT_IN_A_RECORD = frozenset({"usage_rights_str_mv", "usage_rights_ext_str_mv", "sector_str_mv"})


class FinnaService:
    """Plays `records`, which must carry the `buildings` and `formats` they are to be found by.

    `ceiling` is how many hits of one search can be reached.
    """

    def __init__(self, records: Sequence[Item], match_all: bool = False, ceiling: int = 100_000) -> None:
        self._holdings = Holdings(records, _conditions_together, match_all, _php_json)
        self._ceiling = ceiling

    def matches(self, path: str) -> bool:
        """True for the search's path, with and without /api."""
        return path in PATHS

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """A page of records, or the service's error."""
        limit = whole_number(param(params, "limit"), _DEFAULT_LIMIT, least=0, most=_MAX_LIMIT)
        if limit is None:
            return _error("Invalid limit")
        filters = list_param(params, "filter")
        try:
            found = self._holdings.select(param(params, "lookfor") or "", _filter_key(filters))
        except _InvalidSearch:
            return _error("Invalid search")
        page = self._page(found, whole_number(param(params, "page"), 1, least=1) or 1, limit)
        wanted = list_param(params, "field") or list(DEFAULT_FIELDS)
        texts = ",".join(_chosen(self._holdings.text(n), wanted) for n in page)
        records = f'"records":[{texts}],' if page else ""
        return text_answer(200, f'{{"resultCount":{len(found)},{records}"status":"OK"}}')

    def _page(self, found: Sequence[int], number: int, limit: int) -> Sequence[int]:
        if limit and number * limit > self._ceiling:
            number = -(-self._ceiling // limit)
        return found[(number - 1) * limit:number * limit]


class _InvalidSearch(Exception):
    """A filter nobody knows."""


def _error(message: str) -> Answer:
    return json_answer(400, {"status": "ERROR", "statusMessage": message})


def _php_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace("/", r"\/")


def _chosen(text: str, wanted: list[str]) -> str:
    """A record's wanted fields, each value as it stands; the record as it is when every field is wanted."""
    try:
        held = members(text)
    except ValueError:
        return text
    if set(held) <= set(wanted):
        return text
    return object_of({name: held[name] for name in dict.fromkeys(wanted) if name in held})


def _filter_key(filters: list[str]) -> list[str]:
    """All filters as one text: those with ~ are alternatives, so they cannot be judged one by one."""
    return [json.dumps(filters)] if filters else []


def _conditions_together(key: str) -> Condition:
    alone: list[Condition] = []
    together: dict[str, list[Condition]] = {}
    for text in json.loads(key):
        found = re.fullmatch(r'([~-]?)(\w+):"?(.*?)"?', text, re.DOTALL)
        if found is None:
            raise _InvalidSearch(text)
        mark, name, wanted = found.groups()
        condition = _condition(name, wanted)
        if mark == "~":
            together.setdefault(name, []).append(condition)
        else:
            alone.append(_negated(condition) if mark else condition)
    alone += [_any(conditions) for conditions in together.values()]
    return lambda value: all(condition(value) for condition in alone)


def _any(conditions: list[Condition]) -> Condition:
    return lambda value: any(condition(value) for condition in conditions)


def _negated(condition: Condition) -> Condition:
    return lambda value: not condition(value)


def _condition(name: str, wanted: str) -> Condition:
    if name in ("building", "format"):
        return lambda value: wanted in [_code(v) for v in _list(value, f"{name}s")]
    if name == "collection":
        return lambda value: wanted in _list(value, "collections")
    if name in ("online_boolean", "free_online_boolean"):
        return lambda value: bool(_list(value, "images") or _list(value, "onlineUrls")) == (wanted == "1")
    if name == "search_daterange_mv":
        return _date_range(wanted)
    if name in _NOT_IN_A_RECORD:
        return lambda value: True
    raise _InvalidSearch(name)


def _date_range(wanted: str) -> Condition:
    """Overlap with the record's year or years; a record without one never passes."""
    found = re.fullmatch(r"(?:within\|)?\[(\S+) TO (\S+)\]", wanted)
    if found is None:
        raise _InvalidSearch(wanted)
    first, last = (None if text == "*" else _year(text) for text in found.groups())

    def overlaps(value: Any) -> bool:
        years = [int(y) for y in re.findall(r"\d{4}", " ".join(map(str, _list(value, "year"))))]
        return bool(years) and (first is None or max(years) >= first) and (last is None or min(years) <= last)

    return overlaps


def _year(text: str) -> int:
    found = re.match(r"-?\d{1,4}", text)
    if found is None:
        raise _InvalidSearch(text)
    return int(found[0])


def _list(value: Any, field: str) -> list[Any]:
    held = value.get(field) if isinstance(value, dict) else None
    return held if isinstance(held, list) else [] if held is None else [held]


def _code(entry: Any) -> Any:
    return entry.get("value") if isinstance(entry, dict) else entry
