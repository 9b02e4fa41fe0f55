"""SMU Digital Collections (Southern Methodist University, Dallas), and any other CONTENTdm site.

Documentation: OCLC's "CONTENTdm API reference" for `dmwebservices`; the site API under `/digital/api` is the
one that web pages call and is not documented. As of autumn 2026; a new CONTENTdm may drop both. No key, no
stated limits, no filter by date. A search shows only some fields of an item, in an order that each collection
sets for itself, so fields are found by name, and the item's own metadata is asked for one by one: by
`dmGetItemInfo`, or from the page's `window.__INITIAL_STATE__`. Names of fields differ per collection. Errors
come with status 200: an HTML sentence for an unknown collection, a code for a missing item. Rights: prose.
A hit is `{"search": …, "item": …, "compound": …}`, each part as it was sent, null where it could not be had.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pipelines.archives._archive import (
    Archive,
    Page,
    Query,
    Request,
    one_of,
    page_of,
    refuse,
    require_count,
    text_of_id,
    unexpected,
)
from pipelines.archives._initial_state import initial_state
from pipelines.archives._verbatim import split_items, value_at

_PICTURES = (
    "wes", "tex", "civ", "rwy", "mex", "eaa", "lat", "nam", "dgl", "jtx", "gcd", "ryr", "stn", "mcs", "fjd",
    "bml", "wlg", "jmm", "hal", "ngc", "han", "hgp", "dlm", "lantern",
)
_SERVICES = "/digital/bl/dmwebservices/index.php"


class Smu(Archive):
    """The site's search. `collections` are CONTENTdm aliases, `metadata` is where an item's own comes from.

    `metadata`: "services" (dmGetItemInfo), "page" (`window.__INITIAL_STATE__`) or "none".
    """

    name = "smu"
    title = "SMU Digital Collections"
    holds = "photographs of the American West, Texas, Mexico, railroads and wars"
    docs_url = "https://help.oclc.org/Metadata_Services/CONTENTdm/Advanced_website_customization/API_Reference"
    base_url = "https://digitalcollections.smu.edu"
    paging = "page number, 50 a page, no known ceiling; one more request an item"
    rights_field = "rights (prose; other names elsewhere)"
    narrowed_by = ("collections",)
    known_fields = frozenset({
        "cdmalt", "collectionAlias", "filetype", "index", "itemId", "itemLink", "metadataFields",
        "thumbnailEnabled", "thumbnailUri", "title",
    })
    page_size = 50
    delay_s = 0.5

    def __init__(self, collections: tuple[str, ...] = _PICTURES, metadata: str = "services") -> None:
        self.collections = collections
        self.metadata = one_of("metadata", metadata, "services", "page", "none")

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of items of the collections; words and numbers travel in the path."""
        words = " ".join(query.text.replace("/", " ").replace("!", " ").split())
        path = f"/digital/api/search/collection/{'!'.join(self.collections)}"
        if words not in ("", "*"):
            path += f"/searchterm/{quote(words, safe='')}/field/all/mode/all/conn/and"
        return Request(f"{path}/maxRecords/{page_size}/page/{token}", [])

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Items of a search answer."""
        envelope, items = split_items(text, "items", self.name)
        if "totalResults" not in envelope:
            raise refuse(self.name, envelope.get("message") or envelope.get("error") or text)
        announced = require_count(envelope, "totalResults", self.name)
        following = self.next_page(token, page_size, announced, len(items))
        return page_of(items, announced, following, self.native_id)

    def native_id(self, item: Mapping[str, Any]) -> str | None:
        """'alias/number': a number is an item's own only within its collection."""
        found = item.get("search", item)
        if not isinstance(found, dict):
            return None
        alias, number = text_of_id(found.get("collectionAlias")), text_of_id(found.get("itemId"))
        return f"{alias.strip('/')}/{number}" if alias and number else None

    def details(self, item: str) -> dict[str, Request]:
        """The item's metadata; for an object of several pages (`cpd`) also the list of them."""
        found = json.loads(item)
        native_id = self.native_id(found) if isinstance(found, dict) else None
        if native_id is None or self.metadata == "none":
            return {}
        alias, number = native_id.rsplit("/", 1)
        wanted = {"item": _asked("dmGetItemInfo", native_id)}
        if self.metadata == "page":
            wanted["item"] = Request(f"/digital/collection/{quote(alias)}/id/{quote(number)}", [])
        if found.get("filetype") == "cpd":
            wanted["compound"] = _asked("dmGetCompoundObjectInfo", native_id)
        return wanted

    def read_detail(self, text: str) -> str:
        """The JSON of an item; of a page, what it says of the item."""
        if text.lstrip()[:1] == "<":
            item = value_at(initial_state(text, self.name), "item.item", self.name)
            if item is None:
                raise unexpected(self.name, "a page whose window.__INITIAL_STATE__ has no item.item")
            return item
        envelope, _ = split_items(text, "", self.name)
        if "code" in envelope and "message" in envelope:
            raise refuse(self.name, envelope["message"])
        return text.strip()


def _asked(function: str, native_id: str) -> Request:
    return Request(_SERVICES, [("q", f"{function}/{native_id}/json")])


ARCHIVE = Smu()
