"""Europeana: objects of some 4,000 European institutions, found through one search API.

Documentation: Europeana Knowledge Base, "Search API Documentation" and "Fair use policy & guidelines", as
of autumn 2026. Pages hold up to 100 items; `start` paging ends at the 1,000th, so the cursor is used. The
key travels in the header `X-Api-Key`, and the service echoes it inside `link`, `guid` and tracking
redirects. Rights: `rights`, a list of URIs. Metadata is CC0. `YEAR` filters drop every object without a
year, which are most.
"""

from pipelines.archives._archive import (
    UNDATED,
    Archive,
    Page,
    Query,
    Request,
    one_of,
    page_of,
    refuse,
    require_count,
)
from pipelines.archives._slices import parts, pieces_by_dates, pieces_by_values, values_seen
from pipelines.archives._verbatim import split_items

_START_CEILING = 1000
_YEARS = (1800, 2029)
_FIELDS = {"country": "COUNTRY", "dataProvider": "DATA_PROVIDER"}    # a hit's field: the index's name of it
_KNOWN = """
    completeness country dataProvider dcContributor dcContributorLangAware dcCreator dcCreatorLangAware
    dcDescription dcDescriptionLangAware dcLanguage dcLanguageLangAware dcSubject dcSubjectLangAware
    dcTitleLangAware dcType dcTypeLangAware dctermsSpatial edmAgent edmAgentLabel edmAgentLabelLangAware
    edmConcept edmConceptLabel edmConceptPrefLabelLangAware edmDatasetName edmIsShownAt edmIsShownBy edmPlace
    edmPlaceAltLabel edmPlaceAltLabelLangAware edmPlaceLabel edmPlaceLabelLangAware edmPlaceLatitude
    edmPlaceLongitude edmPreview edmTimespan edmTimespanLabel edmTimespanLabelLangAware
    europeanaCollectionName europeanaCompleteness guid id index language link previewNoDistribute provider
    rights score timestamp timestamp_created timestamp_created_epoch timestamp_update
    timestamp_update_epoch title type ugc year
"""


class Europeana(Archive):
    """Europeana's search API. `filters` are its `qf`; `by` is how it pages: "cursor" or "start".

    Pages by `start` can be asked for in any order, up to the 1,000th item of a query.
    """

    name = "europeana"
    title = "Europeana"
    holds = "objects of some 4,000 European galleries, libraries, archives and museums"
    docs_url = "https://europeana.atlassian.net/wiki/spaces/EF/pages/2385739812/Search+API+Documentation"
    base_url = "https://api.europeana.eu"
    paging = "cursor, 100 a page, no ceiling (by `start` 1,000 hits a query)"
    rights_field = "rights (URI)"
    key_variable = "EUROPEANA_API_KEY"
    narrowed_by = ("filters",)
    known_fields = frozenset(_KNOWN.split())
    first_token = "*"

    def __init__(self, filters: tuple[str, ...] = ("TYPE:IMAGE",), by: str = "cursor") -> None:
        self.filters, self.by = filters, one_of("by", by, "cursor", "start")
        if by == "start":
            self.first_token, self.cap = "1", _START_CEILING

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of pictures of objects that have one to show."""
        params = [
            ("query", query.text), ("rows", str(page_size)), self._place(token, page_size),
            ("profile", "rich"), ("media", "true"), *(("qf", text) for text in self.filters),
        ]
        if query.start or query.end:
            first, last = query.years("*", "*")
            params.append(("qf", f"YEAR:[{first} TO {last}]"))
        params += [("qf", _condition(text)) for text in query.filters]
        return Request("/record/v2/search.json", params, {"X-Api-Key": key} if key else {})

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Items of a search answer; an answer with `success` false is a refusal."""
        envelope, items = split_items(text, "items", self.name)
        if envelope.get("success") is False:
            raise refuse(self.name, envelope.get("error") or envelope.get("message"))
        announced = require_count(envelope, "totalResults", self.name)
        cursor = envelope.get("nextCursor")
        following = cursor if isinstance(cursor, str) and cursor and items else None
        if self.by == "start":
            following = self.next_page(token, page_size, announced, len(items))
        return page_of(items, announced, following)

    def split(self, query: Query, first: Page) -> list[Query]:
        """By years and one piece for objects without; then by country; then by institution."""
        by_dates = pieces_by_dates(query, _YEARS, self.pieces_wanted(first.announced))
        ways = (pieces_by_values(query, field, values_seen(first, field)) for field in _FIELDS)
        return by_dates or next(filter(None, ways), [])

    def _place(self, token: str, page_size: int) -> tuple[str, str]:
        return ("cursor", token) if self.by == "cursor" else ("start", str((int(token) - 1) * page_size + 1))


def _condition(text: str) -> str:
    """A filter of a slice as a `qf`."""
    if text == UNDATED:
        return "-YEAR:[* TO *]"
    negated, field, value = parts(text)
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{"-" if negated else ""}{_FIELDS[field]}:"{quoted}"'


ARCHIVE = Europeana()
