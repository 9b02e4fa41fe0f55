"""US National Archives: photographs, maps and papers of the federal government, through the Catalog's API.

Documentation: README of usnationalarchives/Catalog-API, and what other clients write of it, as of autumn
2026. A key (by e-mail, 10,000 queries a month) travels in the header `x-api-key`; without one the search
that the website itself calls is asked. Both sometimes send the website's HTML with status 200.
`page` reaches 10,000 hits of a query. `searchAfter` reaches all of them, but only if it is used from the
first request on and without `page` and `sort`; so it always is. A filter without a search term is a 400.
Rights: `useRestriction.status`, one of five words. One record holds many digital objects, some of them PDFs
or sound; hits keep all of them.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.archives._archive import (
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
from pipelines.archives._verbatim import split_items

_WITH_KEY, _WITHOUT_KEY = "/api/v2/records/search", "/proxy/v3/records/search"
_PICTURES = ("availableOnline=true", "typeOfMaterials=Photographs and other Graphic Materials")
_SORT = re.compile(r'"sort"\s*:\s*\[([^\[\]]*)\]\s*\}\s*$')    # the last member of a hit


class NationalArchive(Archive):
    """The Catalog's search. `endpoint` replaces the two known ones; `filters` narrow every query."""

    name = "national_archive"
    title = "US National Archives"
    holds = "photographs, maps, posters and papers of the United States government"
    docs_url = "https://github.com/usnationalarchives/Catalog-API"
    base_url = "https://catalog.archives.gov"
    paging = "searchAfter, 100 a page, no ceiling (by page number it would be 10,000)"
    rights_field = "useRestriction.status (five words)"
    key_variable = "NARA_API_KEY"
    key_is_optional = True
    narrowed_by = ("filters",)
    known_fields = frozenset({    # of `_source.record`
        "accessRestriction", "accessionNumbers", "ancestors", "audiovisual", "contributors",
        "coverageEndDate", "coverageStartDate", "creators", "dataControlGroup", "digitalObjects",
        "generalNotes", "generalRecordsTypes", "languages", "levelOfDescription", "naId",
        "otherTitles", "physicalOccurrences", "productionDates", "recordType", "scopeAndContentNote",
        "specificRecordsTypes", "subjects", "title", "useRestriction", "variantControlNumbers",
    })
    delay_s = 0.5
    first_token = "*"

    def __init__(self, endpoint: str = "", filters: tuple[str, ...] = _PICTURES) -> None:
        self.endpoint, self.filters = endpoint, filters

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of records with pictures online."""
        params = [("q", query.text), ("limit", str(page_size)), ("searchAfter", token)]
        params += [(name, value) for name, _, value in (text.partition("=") for text in self.filters)]
        if query.start:
            params.append(("startDate", str(query.start)))
        if query.end:
            params.append(("endDate", str(query.end)))
        path = self.endpoint or (_WITH_KEY if key else _WITHOUT_KEY)
        return Request(path, params, {"x-api-key": key} if key else {})

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Hits of a search answer; the website's HTML and the answers of the retired API are no answers."""
        if text.lstrip()[:1] == "<":
            raise unexpected(self.name, f"a web page instead of JSON; a key in {self.key_variable} may help")
        envelope, items = split_items(text, "body.hits.hits", self.name)
        if "opaResponse" in envelope:
            raise refuse(self.name, "this is the API that was switched off; the endpoint is an old one")
        if envelope.get("statusCode", 200) != 200 or "body" not in envelope:
            raise refuse(self.name, envelope.get("description") or envelope.get("title") or text)
        page = page_of(items, self._announced(envelope), _next_token(items, page_size), self.native_id)
        return replace(page, fields=frozenset(name for _, hit in items for name in _record(hit)))

    def native_id(self, item: Mapping[str, Any]) -> str | None:
        """`naId` of the record (a number), else `_id` of the hit (the same, a string)."""
        return text_of_id(_record(item).get("naId")) or text_of_id(item.get("_id"))

    def _announced(self, envelope: Mapping[str, Any]) -> int | None:
        hits = envelope["body"].get("hits") if isinstance(envelope["body"], dict) else None
        total = hits.get("total") if isinstance(hits, dict) else None
        if not isinstance(total, dict):
            raise unexpected(self.name, "no body.hits.total")
        announced = require_count(total, "value", self.name)
        return announced if total.get("relation", "eq") == "eq" else None    # "gte": at least so many


def _record(hit: Any) -> Mapping[str, Any]:
    source = hit.get("_source") if isinstance(hit, dict) else None
    record = source.get("record") if isinstance(source, dict) else None
    return record if isinstance(record, dict) else {}


def _next_token(items: list[tuple[str, Any]], page_size: int) -> str | None:
    """The last hit's sort values as they were sent, joined by commas; None after a page that is not full."""
    if len(items) < page_size:
        return None
    text, value = items[-1]
    found = _SORT.search(text)
    if found:
        return ",".join(part.strip().strip('"') for part in found[1].split(",")) or None
    sort = value.get("sort") if isinstance(value, dict) else None
    return ",".join(map(str, sort)) if isinstance(sort, list) and sort else None


ARCHIVE = NationalArchive()
