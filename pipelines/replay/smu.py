"""A CONTENTdm site as it answers: paging in the path, fields in no order, errors with status 200.

What is written here comes from API_FACTS (OCLC's reference as quoted there, recorded answers, other clients'
notes). Item pages hold `window.__INITIAL_STATE__` as one collector describes it; no page was found recorded.
Not played: facets, sorting, search modes other than `all`, fields other than `all`.
"""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.replay.answers import Answer, Params, json_answer, param, text_answer, whole_number
from pipelines.replay.holdings import Condition, Holdings, Item

_SEARCH, _PAGE = "/digital/api/search/", "/digital/collection/"
SERVICES = "/digital/bl/dmwebservices/index.php"
PATHS = (f"{_SEARCH}*",)
MISSING = {"code": "-2", "message": "Requested item not found", "restrictionCode": "-1"}
_DEFAULT_SIZE, _MAX_SIZE = 10, 50
_HTML = "text/html;charset=utf-8"
_NOT_COMPOUND = {"message": "Requested item is not compound", "code": "-2"}

Metadata = Mapping[str, Item]    # by 'alias/number'


class SmuService:
    """Plays `items` of a search, the metadata of each, and the pages of those that have several."""

    def __init__(
        self, items: Sequence[Item], metadata: Metadata | None = None, compounds: Metadata | None = None,
        match_all: bool = False,
    ) -> None:
        self._holdings = Holdings(items, _condition, match_all)
        self._metadata, self._compounds = dict(metadata or {}), dict(compounds or {})
        parsed = (json.loads(item) if isinstance(item, str) else item for item in items)
        self._aliases = {str(item.get("collectionAlias")) for item in parsed}

    def matches(self, path: str) -> bool:
        """True for the search, the web services and the items' pages."""
        return path.startswith((_SEARCH, _PAGE)) or path == SERVICES

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """Status 200 whatever happens."""
        if path == SERVICES:
            return self._service(param(params, "q") or "")
        if path.startswith(_PAGE):
            return self._page(path.removeprefix(_PAGE))
        return self._search(_named(path.removeprefix(_SEARCH)))

    def _search(self, asked: dict[str, str]) -> Answer:
        wanted = [alias for alias in asked.get("collection", "").split("!") if alias]
        if wanted and not self._aliases & set(wanted):
            message = f"Error looking up collection /{html.escape(wanted[0])}<br>"
            return Answer(200, _HTML, message.encode())
        size = min(whole_number(asked.get("maxRecords"), _DEFAULT_SIZE, least=1) or _DEFAULT_SIZE, _MAX_SIZE)
        page = whole_number(asked.get("page"), 1, least=1) or 1
        words = asked.get("searchterm", "").replace("!", " ")
        found = self._holdings.select(words, ["!".join(wanted)] if wanted else [])
        items = ",".join(map(self._holdings.text, found[(page - 1) * size:page * size]))
        collections = [{"name": alias, "selected": False, "alias": alias} for alias in sorted(self._aliases)]
        more = json.dumps({"filters": {"collections": collections}, "facets": {}, "facetFields": {}})
        return text_answer(200, f'{{"totalResults":{len(found)},{more[1:-1]},"items":[{items}]}}')

    def _service(self, asked: str) -> Answer:
        function, _, rest = asked.partition("/")
        native_id = rest.removesuffix("/json")
        if native_id not in self._metadata:
            return json_answer(200, MISSING)
        if function == "dmGetItemInfo":
            return _json(self._metadata[native_id])
        held = self._compounds.get(native_id) if function == "dmGetCompoundObjectInfo" else None
        return json_answer(200, _NOT_COMPOUND) if held is None else _json(held)

    def _page(self, rest: str) -> Answer:
        native_id = rest.replace("/id/", "/").strip("/")
        if native_id not in self._metadata:
            return Answer(200, _HTML, b"<html><body>We cannot find this item</body></html>")
        item = self._metadata[native_id]
        fields = json.loads(item) if isinstance(item, str) else item
        shown = [{"key": key, "label": key, "value": value} for key, value in fields.items() if value != {}]
        state = json.dumps({"item": {"item": {"fields": shown}}}, ensure_ascii=False)
        literal = json.dumps(state, ensure_ascii=False).replace("</", "<\\/")
        page = f"<html><body><script>window.__INITIAL_STATE__ = JSON.parse({literal});</script></body></html>"
        return Answer(200, _HTML, page.encode())


def _named(path: str) -> dict[str, str]:
    """The parameters in a path: collection/wes/searchterm/cowboy/page/2."""
    parts = path.strip("/").split("/")
    return dict(zip(parts[::2], parts[1::2], strict=False))


def _condition(text: str) -> Condition:
    aliases = text.split("!")
    return lambda value: isinstance(value, dict) and value.get("collectionAlias") in aliases


def _json(item: Any) -> Answer:
    """Slashes are escaped, as the service escapes them."""
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False).replace("/", "\\/")
    return text_answer(200, text)
