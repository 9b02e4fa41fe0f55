"""Europeana: objects of some 4,000 European institutions, found through one search API.

Documentation: Europeana Knowledge Base, "Search API Documentation" and "Fair use policy & guidelines", as
of autumn 2026. Pages hold up to 100 items; `start` paging ends at the 1,000th, so the cursor is used. The
key travels in the header `X-Api-Key`, and the service echoes it inside `link`, `guid` and tracking
redirects. Rights: `rights`, a list of URIs. Metadata is CC0. `YEAR` filters drop every object without a
year, which are most.
"""

from pipelines.archives._archive import Archive, Page, Query, Request, page_of, refuse, require_count
from pipelines.archives._verbatim import split_items


class Europeana(Archive):
    """Europeana's search API, cursor paging."""

    name = "europeana"
    title = "Europeana"
    holds = "objects of some 4,000 European galleries, libraries, archives and museums"
    docs_url = "https://europeana.atlassian.net/wiki/spaces/EF/pages/2385739812/Search+API+Documentation"
    base_url = "https://api.europeana.eu"
    paging = "cursor, 100 a page, no ceiling"
    rights_field = "rights (URI)"
    key_variable = "EUROPEANA_API_KEY"
    first_token = "*"

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of pictures of objects that have one to show."""
        params = [
            ("query", query.text), ("rows", str(page_size)), ("cursor", token), ("profile", "rich"),
            ("media", "true"), ("qf", "TYPE:IMAGE"),
        ]
        if query.slice != "all":
            first, last = query.years("*", "*")
            params.append(("qf", f"YEAR:[{first} TO {last}]"))
        return Request("/record/v2/search.json", params, {"X-Api-Key": key} if key else {})

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Items of a search answer; an answer with `success` false is a refusal."""
        envelope, items = split_items(text, "items", self.name)
        if envelope.get("success") is False:
            raise refuse(self.name, envelope.get("error") or envelope.get("message"))
        cursor = envelope.get("nextCursor")
        following = cursor if isinstance(cursor, str) and cursor and items else None
        return page_of(items, require_count(envelope, "totalResults", self.name), following)


ARCHIVE = Europeana()
