"""Northport: an invented archive of drawn pictures, for `glamlake demo` and as the shortest adapter to
learn from.

Documentation: `pipelines/replay`, which plays its service. No key. Pages hold up to 50 objects, counted
from 1; no ceiling. Rights: `licence`, a URI, a short text, a copyright line, or absent. Picture and page
paths are relative to the site.
"""

from pipelines.archives._archive import Archive, Page, Query, Request, page_of, require_count
from pipelines.archives._verbatim import split_items


class Demo(Archive):
    """The built-in archive."""

    name = "demo"
    title = "Northport (built in)"
    holds = "drawn pictures of ships, trains, houses and the like, with untidy metadata"
    docs_url = "https://demo.glamlake.invalid/"
    base_url = "http://demo.glamlake.invalid"
    paging = "page number, 50 a page, no ceiling"
    rights_field = "licence (URI, text or absent)"
    page_size = 50
    delay_s = 0.0
    known_fields = frozenset({
        "id", "title", "note", "made", "keywords", "makers", "holder", "country", "licence", "picture",
        "page",
    })

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """A page of objects."""
        return Request("/v1/objects", [("q", query.text), ("page", token), ("per_page", str(page_size))])

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Objects of a search answer."""
        envelope, items = split_items(text, "objects", self.name)
        announced = require_count(envelope, "total", self.name)
        return page_of(items, announced, self.next_page(token, page_size, announced, len(items)))


ARCHIVE = Demo()
