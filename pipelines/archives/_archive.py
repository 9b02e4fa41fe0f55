"""What an archive's adapter must say: how to ask for a page, and what is in an answer.

An adapter does no I/O. It turns a query and a token (where the last page left off) into a request, and the
text of an answer into items, each kept as the very characters the service sent.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from lake.errors import MissingKey, ServiceRefused, UnexpectedAnswer


@dataclass(frozen=True)
class Query:
    """What is asked: words, and the dates asked for where the service can filter by them."""

    text: str
    start: date | None = None
    end: date | None = None

    @property
    def slice(self) -> str:
        """What narrows the query, as the `harvests` table names it: '1939-01-01/1945-12-31', or 'all'."""
        if self.start is None and self.end is None:
            return "all"
        return f"{self.start or '..'}/{self.end or '..'}"

    def years(self, first: str, last: str) -> tuple[str, str]:
        """First and last year asked for, with the service's own words for an open end."""
        return (str(self.start.year) if self.start else first, str(self.end.year) if self.end else last)


@dataclass(frozen=True)
class Request:
    """One page to ask for; `path` is appended to the base URL. Keys travel in headers, never in `params`."""

    path: str
    params: list[tuple[str, str]]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One answer: items verbatim, their ids (None where one has none), where to go on (None at the end)."""

    items: list[str]
    native_ids: list[str | None]
    announced: int | None
    next_token: str | None


class Archive(ABC):
    """One archive's service: its limits and manners, and how to read it."""

    name: ClassVar[str]
    title: ClassVar[str]
    holds: ClassVar[str]                    # what is in it, for people
    docs_url: ClassVar[str]
    base_url: ClassVar[str]
    paging: ClassVar[str]                   # how it pages and where that ends, for people
    rights_field: ClassVar[str]
    languages: ClassVar[tuple[str, ...]] = ("en",)    # of the default searches
    key_variable: ClassVar[str | None] = None
    page_size: ClassVar[int] = 100
    cap: ClassVar[int | None] = None        # hits of one query that can be reached
    delay_s: ClassVar[float] = 0.2          # between two requests
    first_token: ClassVar[str] = "1"

    def require_key(self, key: str | None, base_url: str | None) -> None:
        """Raises MissingKey when the service wants a key and there is none; a mirror may do without."""
        if self.key_variable and not key and not base_url:
            raise MissingKey(f"{self.title} wants an API key; set {self.key_variable} in the environment")

    def data_sheet(self) -> dict[str, str]:
        """What `glamlake archives` prints of it."""
        return {
            "archive": self.name, "holds": self.holds, "key": self.key_variable or "none",
            "paging": self.paging, "rights": self.rights_field, "service": self.base_url,
            "documentation": self.docs_url,
        }

    @abstractmethod
    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """How to ask for the page at `token`."""

    @abstractmethod
    def read(self, text: str, token: str, page_size: int) -> Page:
        """What the answer holds; raises ServiceRefused or UnexpectedAnswer with the service's own words."""

    def next_page(self, token: str, page_size: int, announced: int | None, n_items: int) -> str | None:
        """The token after page number `token`; None after an empty page or when all hits are through."""
        done = n_items == 0 or (announced is not None and int(token) * page_size >= announced)
        return None if done else str(int(token) + 1)


def page_of(items: Iterable[tuple[str, Any]], announced: int | None, next_token: str | None) -> Page:
    """A page of `split_items`' items, each with the id under its key `id`."""
    items = list(items)
    ids = [text_of_id(value.get("id")) if isinstance(value, dict) else None for _, value in items]
    return Page([text for text, _ in items], ids, announced, next_token)


def text_of_id(value: Any) -> str | None:
    """An item's id as text; None for a missing, empty or nested one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def require_count(envelope: Mapping[str, Any], key: str, archive: str) -> int:
    """The announced number of hits; raises UnexpectedAnswer where it is missing or no number."""
    value = envelope.get(key)
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnexpectedAnswer(f"{archive} sent no number as {key!r}; its answer has {sorted(envelope)}")
    return value


def refuse(archive: str, reason: object) -> ServiceRefused:
    """The error for an answer in which the service says no."""
    return ServiceRefused(f"{archive} refuses: {' '.join(str(reason).split())[:300]}")
