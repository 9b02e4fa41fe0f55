"""The Library of Congress's JSON as it answers: `of` counts hits, `total` pages, `last` is not the last.

What is written here comes from API_FACTS (loc.gov API pages, recorded answers). Without `fo=json` the answer
is a web page. Not played: facets, sorting, `at` for anything but results and pagination, and filters on what
a result does not show (they are taken and let everything pass).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from pipelines.replay.answers import Answer, Params, json_answer, param, text_answer, whole_number
from pipelines.replay.holdings import Condition, Holdings, Item

PATHS = ("/maps/", "/photos/", "/search/")
_PATH = re.compile(r"/(maps|photos|search|collections/[^/]+)/?")
_FORMATS = {"maps": "map", "photos": "photo, print, drawing"}
_DEFAULT_SIZE, _MAX_SIZE, _CEILING = 25, 150, 100_000
_PAGES_SHOWN = 3


class LocService:
    """Plays `results`; `/maps/` finds those whose `original_format` says map, `/search/` all."""

    def __init__(self, results: Sequence[Item], match_all: bool = False, ceiling: int = _CEILING) -> None:
        self._holdings = Holdings(results, _condition, match_all)
        self._ceiling = ceiling

    def matches(self, path: str) -> bool:
        """True for the searches of the site and of its collections."""
        return _PATH.fullmatch(path) is not None

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """A page of results; a web page where JSON was not asked for."""
        if param(params, "fo") != "json":
            return Answer(200, "text/html;charset=utf-8", b"<!DOCTYPE html><html><body>Results</body></html>")
        size = min(whole_number(param(params, "c"), _DEFAULT_SIZE, least=1) or _DEFAULT_SIZE, _MAX_SIZE)
        page = whole_number(param(params, "sp"), 1, least=1) or 1
        if page * size > self._ceiling:
            return json_answer(400, {"status": 400, "message": "Paging this deep is not possible"})
        found = self._holdings.select(param(params, "q") or "", _filters(path, params))
        results = ",".join(map(self._holdings.text, found[(page - 1) * size:page * size]))
        pagination = json.dumps(_pagination(path, params, page, size, len(found)))
        more = "" if param(params, "at") else '"facets":[],"search":{},'
        return text_answer(200, f'{{{more}"pagination":{pagination},"results":[{results}]}}')


def _pagination(path: str, params: Params, page: int, size: int, total: int) -> dict[str, Any]:
    pages = -(-total // size)
    numbers: list[int | str] = [*range(1, min(pages, _PAGES_SHOWN) + 1)]
    if pages > _PAGES_SHOWN:
        numbers.append("...")
    return {
        "current": page, "from": (page - 1) * size + 1, "to": min(page * size, total), "of": total,
        "total": pages, "perpage": size, "perpage_options": [25, 50, 100, 150],
        "first": None if page == 1 else _address(path, params, 1),
        "previous": None if page == 1 else _address(path, params, page - 1),
        "next": _address(path, params, page + 1) if page < pages else None,
        "last": _address(path, params, _PAGES_SHOWN + 1) if pages > _PAGES_SHOWN else None,
        "page_list": [{"number": number, "url": None} for number in numbers],
        "results": f"{(page - 1) * size + 1} - {min(page * size, total)}",
    }


def _address(path: str, params: Params, page: int) -> str:
    kept = [entry for entry in params if entry[0] not in ("sp", "at")]
    return f"https://www.loc.gov{path}?{urlencode([*kept, ('sp', str(page))])}"


def _filters(path: str, params: Params) -> list[str]:
    """What narrows the results: the part of the site, `fa` and `dates`, each as name=value."""
    found = _PATH.fullmatch(path)
    part = found[1] if found else "search"
    filters = [f"original-format={_FORMATS[part]}"] if part in _FORMATS else []
    filters += [text.replace(":", "=", 1) for text in (param(params, "fa") or "").split("|") if text]
    dates = param(params, "dates")
    return filters + ([f"dates={dates}"] if dates else [])


def _condition(text: str) -> Condition:
    name, _, wanted = text.partition("=")
    if name == "dates":
        return _dated(wanted)
    field = name.replace("-", "_")
    return lambda value: wanted in _list(value, field) if _list(value, field) else True


def _dated(wanted: str) -> Condition:
    """Overlap with the years of the result; one without any never passes."""
    first, last = (int(year) for year in wanted.split("/"))

    def overlaps(value: Any) -> bool:
        texts = [*_list(value, "dates"), *_list(value, "date")]
        years = [int(text[:4]) for text in map(str, texts) if text[:4].isdigit()]
        return any(first <= year <= last for year in years)

    return overlaps


def _list(value: Any, field: str) -> list[Any]:
    held = value.get(field) if isinstance(value, dict) else None
    return held if isinstance(held, list) else [] if held is None else [held]
