"""Pages of sites that have no API: elements found by selector, the missing ones named, fragments verbatim.

The one door to Beautiful Soup, which is used for what faster parsers do not tell: where in the source an
element begins. So a hit keeps the very characters that were sent, not what a parser makes of them.
"""

import itertools
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup
from bs4 import Tag as Tag  # adapters name elements by it

from lake.errors import UnexpectedAnswer

_TOPMOST = ("body", "html", "main", "[document]")


class HtmlPage:
    """One page of a site; `path` is its place there, against which its links are resolved."""

    def __init__(self, text: str, path: str, archive: str) -> None:
        self._text, self.path, self._archive = text, path, archive
        self._soup = BeautifulSoup(text, "html.parser")
        self._line_starts = [0, *itertools.accumulate(len(line) + 1 for line in text.split("\n"))]

    def all(self, selector: str) -> list[Tag]:
        """Every element the selector finds, in order."""
        return list(self._soup.select(selector))

    def first(self, selector: str) -> Tag | None:
        """The first element the selector finds."""
        return self._soup.select_one(selector)

    def require(self, selector: str) -> list[Tag]:
        """Every element the selector finds; raises UnexpectedAnswer, naming it, where there is none."""
        found = self.all(selector)
        if not found:
            raise self.unexpected(selector)
        return found

    def unexpected(self, missing: str) -> UnexpectedAnswer:
        """The error for a page that lacks what every such page has."""
        title = self._soup.title.get_text(" ", strip=True)[:80] if self._soup.title else ""
        return UnexpectedAnswer(
            f"{self._archive}: the page {self.path} has no {missing}; it is entitled {title!r} and "
            f"has {len(self._text)} characters"
        )

    def fragment(self, element: Tag) -> str:
        """The page's characters from where the element begins to where the first element after it does."""
        last = element.find_all(True)[-1] if element.find(True) else element
        following = last.find_next(True)
        end = self._start(following) if isinstance(following, Tag) else len(self._text)
        return self._text[self._start(element):end].rstrip()

    def place(self, href: str | None) -> str | None:
        """A link's path and query on its site, whichever way it was written; None for what is no page."""
        if not href or href.startswith(("#", "data:", "mailto:", "javascript:")):
            return None
        try:
            parts = urlsplit(urljoin(f"http://site{self.path}", href.strip()))
        except ValueError:      # as "http://[" is
            return None
        return parts.path + (f"?{parts.query}" if parts.query else "") or None

    def _start(self, element: Tag) -> int:
        return self._line_starts[(element.sourceline or 1) - 1] + (element.sourcepos or 0)


def own_element(picture: Tag, holds_others: Callable[[Tag], bool]) -> Tag:
    """The largest element around a picture that is about nothing else."""
    own = picture
    while own.parent is not None and own.parent.name not in _TOPMOST and not holds_others(own.parent):
        own = own.parent
    return own


def attribute(element: Tag | None, *names: str) -> str | None:
    """The first of the attributes that is there and not empty, as sent but for entities."""
    values = [element.get(name) for name in names] if element else []
    texts = [" ".join(value) if isinstance(value, list) else value for value in values if value]
    return next((text for text in texts if text.strip()), None)


def inner_html(element: Tag | None) -> str | None:
    """What stands inside an element, markup included; None where there is no element or nothing in it."""
    text = element.decode_contents().strip() if element else ""
    return text or None
