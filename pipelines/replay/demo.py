"""Northport's API, the invented service behind the `demo` archive: the shortest service to learn from.

`GET /v1/objects?q=words&page=1&per_page=20` answers `{"total": n, "page": 1, "objects": […]}`. Pages count
from 1 and hold at most 50 objects; past the last one `objects` is empty. No key, no ceiling.
"""

from collections.abc import Mapping, Sequence

from pipelines.replay.answers import Answer, Params, json_answer, param, text_answer, whole_number
from pipelines.replay.holdings import Condition, Holdings, Item

_DEFAULT_PER_PAGE, _MAX_PER_PAGE = 20, 50


class DemoService:
    """Plays `objects`."""

    def __init__(self, objects: Sequence[Item], match_all: bool = False) -> None:
        self._holdings = Holdings(objects, _no_filter, match_all)

    def matches(self, path: str) -> bool:
        """True for the search's path."""
        return path == "/v1/objects"

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """A page of objects, or the service's error."""
        per_page = whole_number(param(params, "per_page"), _DEFAULT_PER_PAGE, least=1, most=_MAX_PER_PAGE)
        page = whole_number(param(params, "page"), 1, least=1)
        if per_page is None:
            return json_answer(400, {"error": f"per_page must be a number from 1 to {_MAX_PER_PAGE}"})
        if page is None:
            return json_answer(400, {"error": "page must be a number from 1"})
        found = self._holdings.select(param(params, "q") or "")
        objects = ",".join(map(self._holdings.text, found[(page - 1) * per_page:page * per_page]))
        return text_answer(200, f'{{"total": {len(found)}, "page": {page}, "objects": [{objects}]}}')


def _no_filter(text: str) -> Condition:
    raise ValueError(f"this service has no filters, so not {text!r} either")
