"""The National Archives Catalog's search as it answers: a window of 10,000, `searchAfter`, HTML as a 200.

What is written here comes from API_FACTS (recorded answers and other clients' notes). The official path wants
a key, the website's own does not; the older of these takes few limits. Not played: facets, sorting, and
filters beyond dates, materials and what is online (they are taken and let everything pass).
"""

import bisect
import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.replay.answers import Answer, Params, json_answer, param, text_answer, whole_number
from pipelines.replay.holdings import Condition, Holdings, Item

WITH_KEY, WITHOUT_KEY, OLDER = "/api/v2/records/search", "/proxy/v3/records/search", "/proxy/records/search"
PATHS = (WITH_KEY, WITHOUT_KEY, OLDER)
_WINDOW, _MAX_LIMIT, _DEFAULT_LIMIT = 10_000, 1000, 20
_OLDER_LIMITS = (1, 10, 20, 50, 100, 1000)
_MATERIALS = (
    "Architectural and Engineering Drawings", "Artifacts", "Data Files", "Maps and Charts", "Moving Images",
    "Photographs and other Graphic Materials", "Sound Recordings", "Textual Records", "Web Pages",
)
_NO_FILTERS = frozenset({"q", "limit", "page", "searchAfter", "sort"})
_SHELL = b"<!doctype html><html><head><title>National Archives Catalog</title></head><body></body></html>"


class NationalArchiveService:
    """Plays `hits` (whole ones, `sort` and all). With a `key`, the official path wants it."""

    def __init__(self, hits: Sequence[Item], key: str | None = None, match_all: bool = False) -> None:
        self._holdings = Holdings(hits, _condition, match_all)
        self._key = key
        self._n_hits = len(hits)

    def matches(self, path: str) -> bool:
        """True for every path of the site's services, known or not."""
        return path.startswith(("/api/", "/proxy/"))

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """A page of hits, the service's error, or the website where nobody knows why."""
        has_key = bool(headers.get("x-api-key")) and self._key in (None, headers.get("x-api-key"))
        if path not in PATHS or (path == WITH_KEY and not has_key):
            return Answer(200, "text/html;charset=utf-8", _SHELL)
        try:
            return self._search(path, params)
        except _Refused as e:
            return e.answer

    def _search(self, path: str, params: Params) -> Answer:
        query, limit = param(params, "q"), _limit(path, params)
        if not query:
            raise _Refused(400, "MISSING_QUERY", "a search needs a search term")
        filters = [f"{name}={value}" for name, value in params if name not in _NO_FILTERS]
        found = self._holdings.select(query, filters)
        start = self._start(params, found, limit)
        hits = ",".join(map(self._holdings.text, found[start:start + limit]))
        total = f'"total":{{"value":{len(found)},"relation":"eq"}}'
        body = f'{{"hits":{{{total},"max_score":null,"hits":[{hits}]}},"aggregations":{{}}}}'
        return text_answer(200, f'{{"statusCode":200,"body":{body}}}')

    def _start(self, params: Params, found: Sequence[int], limit: int) -> int:
        """How many hits come before the page."""
        after, page = param(params, "searchAfter"), whole_number(param(params, "page"), 1, least=1)
        if after is None:
            if page is None or page * limit > _WINDOW:
                raise _Refused(400, "TOO_DEEP", f"only the first {_WINDOW} results can be reached by page")
            return (page - 1) * limit
        if param(params, "page") or param(params, "sort"):
            raise _Refused(400, "INVALID_PAGING", "searchAfter cannot be used with page or sort")
        return 0 if after == "*" else self._place(found, after)

    def _place(self, found: Sequence[int], after: str) -> int:
        if after not in self._positions:
            raise _Refused(400, "INVALID_CURSOR", f"searchAfter {after!r} is no place in these results")
        return bisect.bisect_right(found, self._positions[after])

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        """Where each hit stands, by its sort values."""
        return {_sort_of(self._holdings.text(n)): n for n in range(self._n_hits)}


class _Refused(Exception):
    """The service answers with an error."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.answer = json_answer(status, {
            "title": description, "status": status, "description": description,
            "action": "Please modify your search to proceed.", "id": code,
        })


def _limit(path: str, params: Params) -> int:
    limit = whole_number(param(params, "limit"), _DEFAULT_LIMIT, least=1, most=_MAX_LIMIT)
    if limit is None or (path == OLDER and limit not in _OLDER_LIMITS):
        raise _Refused(422, "INVALID_FILTERS", f"limit {param(params, 'limit')!r} is not permitted")
    return limit


def _sort_of(text: str) -> str:
    return ",".join(map(str, json.loads(text).get("sort", [])))


def _condition(text: str) -> Condition:
    name, _, wanted = text.partition("=")
    if name == "typeOfMaterials":
        if wanted not in _MATERIALS:
            allowed = ", ".join(f"'{material}'" for material in _MATERIALS)
            raise _Refused(422, "INVALID_FILTERS", f"Filter: {name!r} with value: {wanted!r} was submitted "
                           f"but only the following are permitted: {allowed}")
        return lambda hit: wanted in _record(hit).get("generalRecordsTypes", [wanted])
    if name == "availableOnline":
        return lambda hit: "digitalObjects" in _record(hit) or "firstDigitalObject" in hit.get("fields", {})
    if name in ("startDate", "endDate"):
        return _dated(name, int(wanted[:4]))
    return lambda hit: True


def _dated(name: str, year: int) -> Condition:
    def holds(hit: Any) -> bool:
        years = [int(found) for found in re.findall(r'"year": (\d+)', json.dumps(_own_dates(hit)))]
        return bool(years) and (max(years) >= year if name == "startDate" else min(years) <= year)

    return holds


def _own_dates(hit: Any) -> list[Any]:
    record = _record(hit)
    return [record.get(key) for key in ("productionDates", "coverageStartDate", "coverageEndDate")]


def _record(hit: Any) -> dict[str, Any]:
    record = hit.get("_source", {}).get("record") if isinstance(hit, dict) else None
    return record if isinstance(record, dict) else {}
