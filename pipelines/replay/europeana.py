"""Europeana's search API as it answers: start paging up to 1,000, cursor paging beyond, the key echoed.

What is written here comes from API_FACTS ("Search API Documentation", recorded answers) and, for the words
of the errors, from Europeana's published source. Not played: facets, sorting, field searches, what a
`profile` leaves out, and filters on media that a hit does not show (they are taken and let everything pass).
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.replay.answers import Answer, Params, json_answer, param, text_answer, whole_number
from pipelines.replay.holdings import Condition, Holdings, Item, holds_words, word_groups

PATHS = ("/record/v2/search.json", "/api/v2/search.json")
_MAX_ROWS, _START_CEILING = 100, 1000
_FIELDS = {
    "TYPE": "type", "YEAR": "year", "COUNTRY": "country", "DATA_PROVIDER": "dataProvider",
    "PROVIDER": "provider", "LANGUAGE": "language", "RIGHTS": "rights", "edm_datasetName": "edmDatasetName",
}
_NOT_IN_A_HIT = frozenset({
    "MIME_TYPE", "IMAGE_SIZE", "IMAGE_COLOUR", "IMAGE_COLOR", "IMAGE_ASPECTRATIO", "COLOURPALETTE", "MEDIA",
    "THUMBNAIL", "contentTier", "metadataTier",
})
_CURSOR_START = "AoE/D+"    # real cursors hold / and +, so a client must encode them

_BAD_CURSOR = (
    "Invalid cursor value. Please make sure you encode the cursor value before sending it to the API."
)
_TOO_DEEP = (
    f"It is not possible to paginate beyond the first {_START_CEILING} search results. "
    "Please use cursor-based pagination instead"
)


class EuropeanaService:
    """Plays `items`. With a `key`, a request with another or none gets 401; without one, all are served.

    `{{KEY}}` in an item becomes the caller's key. `empty_last_page` makes the last page with items name one
    more cursor, whose page is empty: search engines' cursors do that, the documentation says otherwise.
    """

    def __init__(
        self, items: Sequence[Item], key: str | None = None, match_all: bool = False,
        empty_last_page: bool = False,
    ) -> None:
        self._holdings = Holdings(items, _condition, match_all)
        self._key = key
        self._empty_last_page = empty_last_page

    def matches(self, path: str) -> bool:
        """True for the search's path, old and new."""
        return path in PATHS

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """A page of items, or the service's error."""
        key = headers.get("x-api-key") or param(params, "wskey") or ""
        if self._key is not None and key != self._key:
            return _error(401, key, "Invalid API key" if key else "No API key provided")
        try:
            return self._search(params, key)
        except _Refused as e:
            return _error(400, key, str(e))

    def _search(self, params: Params, key: str) -> Answer:
        query = param(params, "query")
        if not query:
            raise _Refused("Empty search query parameter")
        rows, offset = _rows(params), _offset(params)
        found = self._holdings.select(query, [text for name, text in params if name == "qf"])
        page = found[offset:offset + rows]
        envelope: dict[str, Any] = {"apikey": key, "success": True, "requestNumber": 999}
        if "params" in (param(params, "profile") or "").split():
            envelope["params"] = {name: text for name, text in params if name != "wskey"}
        envelope |= {"itemsCount": len(page), "totalResults": len(found)}
        if param(params, "cursor") is not None and page and self._goes_on(offset + len(page), len(found)):
            envelope["nextCursor"] = _cursor(offset + len(page))
        items = ",".join(map(self._holdings.text, page)).replace("{{KEY}}", json.dumps(key)[1:-1])
        return text_answer(200, f'{json.dumps(envelope, ensure_ascii=False)[:-1]}, "items": [{items}]}}')

    def _goes_on(self, reached: int, total: int) -> bool:
        return reached < total or self._empty_last_page


class _Refused(Exception):
    """The service answers 400 with these words."""


def _error(status: int, key: str, message: str) -> Answer:
    return json_answer(status, {"apikey": key, "success": False, "error": message})


def _rows(params: Params) -> int:
    rows = whole_number(param(params, "rows"), default=12, least=0)
    if rows is None:
        raise _Refused(f"Parameter 'rows' is no number from 0: {param(params, 'rows')}")
    return min(rows, _MAX_ROWS)


def _offset(params: Params) -> int:
    """How many hits come before the page, from `start` or `cursor`."""
    cursor, start = param(params, "cursor"), whole_number(param(params, "start"), default=1, least=1)
    if cursor is not None:
        if param(params, "start") is not None:
            raise _Refused("Parameters 'start' and 'cursorMark' cannot be used together")
        return _place(cursor)
    if start is None:
        raise _Refused(f"Parameter 'start' is no number from 1: {param(params, 'start')}")
    if start - 1 + _rows(params) > _START_CEILING:
        raise _Refused(_TOO_DEEP)
    return start - 1


def _cursor(offset: int) -> str:
    return _CURSOR_START + base64.b64encode(f"{offset:010d}".encode()).decode()


def _place(cursor: str) -> int:
    """What `_cursor` was made from; a cursor that lost its + on the way is refused, as there."""
    if cursor == "*":
        return 0
    found = re.fullmatch(re.escape(_CURSOR_START) + r"([A-Za-z0-9]{14}==)", cursor)
    digits = base64.b64decode(found[1]) if found else b""
    if not digits.isdigit():
        raise _Refused(_BAD_CURSOR)
    return int(digits)


def _condition(text: str) -> Condition:
    """One `qf`: FIELD:value, FIELD:"value", FIELD:(a OR b), FIELD:[a TO b], also after - or NOT; or words."""
    found = re.fullmatch(r"(-|NOT )?(\w+):(.+)", text.strip(), re.DOTALL)
    if found is None:
        words = word_groups(text)
        return lambda value: not words or any(holds_words(value, group) for group in words)
    negated, name, wanted = found.groups()
    if name in _NOT_IN_A_HIT:
        return lambda value: True
    if name not in _FIELDS:
        raise _Refused(f"Invalid search query: undefined field {name}")
    tests = [_test(part) for part in _alternatives(wanted)]
    field = _FIELDS[name]
    return lambda value: any(test(v) for v in _values(value, field) for test in tests) != bool(negated)


def _alternatives(wanted: str) -> list[str]:
    inside = re.fullmatch(r"\((.*)\)", wanted.strip(), re.DOTALL)
    return re.split(r"\s+OR\s+", inside[1]) if inside else [wanted]


def _test(wanted: str) -> Condition:
    """A test of one text: a range compares texts, for the real field is a string, too."""
    between = re.fullmatch(r"\[(\S+) TO (\S+)\]", wanted.strip())
    if between:
        first, last = between.groups()
        return lambda v: (first == "*" or v >= first) and (last == "*" or v <= last)
    quoted = re.fullmatch(r'"(.*)"', wanted.strip(), re.DOTALL)
    plain = (quoted[1] if quoted else re.sub(r"\\(.)", r"\1", wanted.strip())).casefold()
    pattern = re.escape(plain) if quoted else ".*".join(map(re.escape, plain.split("*")))
    return lambda v: re.fullmatch(pattern, v.casefold(), re.DOTALL) is not None


def _values(value: Any, field: str) -> list[str]:
    held = value.get(field) if isinstance(value, dict) else None
    return [str(v) for v in (held if isinstance(held, list) else [held]) if v is not None]
