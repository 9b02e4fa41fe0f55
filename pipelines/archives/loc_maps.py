"""Library of Congress: maps, and any other collection of loc.gov, through its JSON.

Documentation: loc.gov API pages "JSON/YAML for LoC.gov", "API Endpoints", "Working Within Limits", as of
autumn 2026. No key. Searches: 20 in 10 s and 80 a minute, then an hour's block, so one is asked every 1.2 s.
Pages of 100 (25, 50, 100 and 150 are offered); one query reaches the 100,000th item. In `pagination`, `of`
counts hits and `total` counts pages; `last` is not the last page, `next` is the next one. Hits may be
collections and web pages. Rights: prose in `item.rights_information`, `item.rights_advisory`, `rights`.
`tile.loc.gov/image-services/iiif` serves the full picture of what it shows smaller in `image_url`.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipelines.archives._archive import (
    UNDATED,
    Archive,
    Page,
    Query,
    Request,
    page_of,
    refuse,
    require_count,
    text_of_id,
    unexpected,
)
from pipelines.archives._slices import pieces_by_dates
from pipelines.archives._verbatim import split_items

_YEARS = (1500, 2026)
_ITEM = re.compile(r"^(?:https?:)?//(?:www\.)?loc\.gov/item/([^/?#]+)/?$")


class LocMaps(Archive):
    """A search of one part of loc.gov: `maps`, `photos`, `search` (all of it), `collections/sanborn-maps`."""

    name = "loc_maps"
    title = "Library of Congress"
    holds = "maps of the Library of Congress (photographs and other collections by choice)"
    docs_url = "https://www.loc.gov/apis/json-and-yaml/"
    base_url = "https://www.loc.gov"
    paging = "page number, 100 a page, 100,000 hits a query"
    rights_field = "item.rights_information, item.rights_advisory, rights (prose)"
    narrowed_by = ("collection", "filters")
    known_fields = frozenset({
        "_partof", "access_restricted", "aka", "campaigns", "contributor", "count", "date", "dates",
        "description", "digitized", "extract_timestamp", "group", "hassegments", "id", "image_url",
        "index", "item", "items", "language", "latlong", "location", "location_city",
        "location_country", "location_county", "location_state", "location_str", "locations", "lonlat",
        "mime_type", "number", "number_carrier_type", "number_former_id", "number_lccn",
        "number_source_modified", "online_format", "original_format", "other_title", "partof",
        "related", "reproductions", "resources", "rights", "segments", "shelf_id", "site", "subject",
        "timestamp", "title", "type", "unrestricted", "url",
    })
    cap = 100_000
    delay_s = 1.2

    def __init__(self, collection: str = "maps", filters: tuple[str, ...] = ("online-format:image",)) -> None:
        self.collection, self.filters = collection.strip("/"), filters

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of results, and nothing else of the page the website would show."""
        params = [
            ("fo", "json"), ("q", query.text), ("c", str(page_size)), ("sp", token),
            ("at", "results,pagination"),
        ]
        if self.filters:
            params.append(("fa", "|".join(self.filters)))
        if query.start or query.end:
            params.append(("dates", "/".join(query.years("1000", "2100"))))
        return Request(f"/{self.collection}/", params)

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Results of a search; `pagination.next` says whether there are more."""
        if text.lstrip()[:1] == "<":
            raise unexpected(self.name, "a web page instead of JSON; it may want to be asked less often")
        envelope, items = split_items(text, "results", self.name)
        pagination = envelope.get("pagination")
        if not isinstance(pagination, dict):
            raise refuse(self.name, envelope.get("message") or f"an answer without pagination: {text[:120]}")
        announced = require_count(pagination, "of", self.name)
        size = pagination.get("perpage")
        following = self.next_page(token, size if isinstance(size, int) else page_size, announced, len(items))
        return page_of(items, announced, following if pagination.get("next") else None, self.native_id)

    def split(self, query: Query, first: Page) -> list[Query]:
        """By years. One cannot ask for what has no date: where some is missing, the slice stays truncated."""
        pieces = pieces_by_dates(query, _YEARS, self.pieces_wanted(first.announced))
        return [piece for piece in pieces if UNDATED not in piece.filters]

    def native_id(self, item: Mapping[str, Any]) -> str | None:
        """The last part of an item's address; the whole address of what is no item."""
        address = text_of_id(item.get("id")) or text_of_id(item.get("url"))
        found = _ITEM.match(address) if address else None
        return found[1] if found else address


ARCHIVE = LocMaps()
