"""SA-kuva: wartime photographs of the Finnish Defence Forces 1939-1945, through the Finna API.

Documentation: the National Library of Finland's wiki page "Finna API", as of autumn 2026. No key. Pages
hold up to 100 records; one query reaches 100,000. Naming a field replaces the default set, so every wanted
one is named (`year` and `summary` are in no default). Rights: `imageRights` (label and Creative Commons
link), absent where there is no picture. Picture paths are relative to the site. Metadata is CC0, the
pictures are not.
"""

from pipelines.archives._archive import (
    UNDATED,
    Archive,
    Page,
    Query,
    Request,
    page_of,
    refuse,
    require_count,
)
from pipelines.archives._slices import parts, pieces_by_dates, pieces_by_values, values_seen
from pipelines.archives._verbatim import split_items

_SA_KUVA = ('building:"0/SA-kuva/"', 'format:"0/Image/"')
_CUT_BY = ("building", "format")
_ALSO_SERVED = frozenset({"authors", "imagesExtended", "rating", "searchImagesCountNotice"})

_FIELDS = (
    "id", "title", "year", "summary", "images", "imageRights", "subjects", "buildings", "collections",
    "formats", "languages", "nonPresenterAuthors", "presenters", "onlineUrls", "urls", "series", "events",
    "geoLocations", "identifierString", "recordPage",
)


class SaKuva(Archive):
    """Finna's search; `filters` are Finna's own (`filter[]`), by default those of the SA-kuva collection."""

    name = "sa_kuva"
    title = "SA-kuva (Finna)"
    holds = "some 160,000 wartime photographs of the Finnish Defence Forces, 1939-1945"
    docs_url = "https://www.kiwi.fi/display/Finna/Finna+API"
    base_url = "https://api.finna.fi"
    paging = "page number, 100 a page, 100,000 hits a query"
    rights_field = "imageRights (label and URI)"
    languages = ("fi",)
    cap = 100_000
    narrowed_by = ("filters",)
    known_fields = _ALSO_SERVED.union(_FIELDS)
    years = (1936, 1947)    # of nearly all; what lies outside has pieces of its own

    def __init__(self, filters: tuple[str, ...] = _SA_KUVA) -> None:
        self.filters = filters

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of photographs, in an order that does not change between pages."""
        params = [
            ("lookfor", query.text), ("type", "AllFields"), ("limit", str(page_size)), ("page", token),
            ("sort", "relevance,id asc"), ("lng", "fi"),
        ]
        params += [("filter[]", text) for text in self.filters]
        if query.start or query.end:
            first, last = query.years("*", "*")
            params.append(("filter[]", f'search_daterange_mv:"[{first} TO {last}]"'))
        params += [("filter[]", _condition(text)) for text in query.filters]
        params += [("field[]", name) for name in _FIELDS]
        return Request("/v1/search", params)

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Records of a search answer; the key `records` is absent when there are none."""
        envelope, items = split_items(text, "records", self.name)
        if envelope.get("status") != "OK":
            raise refuse(self.name, envelope.get("statusMessage") or f"status {envelope.get('status')!r}")
        announced = require_count(envelope, "resultCount", self.name)
        return page_of(items, announced, self.next_page(token, page_size, announced, len(items)))

    def split(self, query: Query, first: Page) -> list[Query]:
        """By years, which overlap where a picture has a range of them, and one piece for the undated; then by
        holding institution; then by kind."""
        by_dates = pieces_by_dates(query, self.years, self.pieces_wanted(first.announced))
        ways = (pieces_by_values(query, field, values_seen(first, f"{field}s")) for field in _CUT_BY)
        return by_dates or next(filter(None, ways), [])


def _condition(text: str) -> str:
    """A filter of a slice as Finna writes it."""
    if text == UNDATED:
        return '-search_daterange_mv:"[* TO *]"'
    negated, field, value = parts(text)
    return f'{"-" if negated else ""}{field}:"{value}"'


ARCHIVE = SaKuva()
