"""What an archive's adapter must say: how to ask for a page, and what is in an answer.

An adapter does no I/O. It turns a query and a token (where the last page left off) into a request, and the
text of an answer into items, each kept as the very characters the service sent.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from inspect import signature
from typing import Any, ClassVar

from lake.errors import MissingKey, ServiceRefused, UnexpectedAnswer, UsageError

UNDATED = "undated"    # the filter of a piece that takes what has no date


@dataclass(frozen=True)
class Query:
    """What is asked: words, and the dates asked for where the service can filter by them."""

    text: str
    start: date | None = None
    end: date | None = None
    filters: tuple[str, ...] = ()    # what `Archive.split` adds: 'undated', 'country=Latvia', 'not country=…'
    scope: str = ""                  # the archive's settings, where they are not the usual ones

    @property
    def slice(self) -> str:
        """What narrows the query, as `harvests` names it: 'all', '1939-01-01/1939-12-31 country=Latvia'."""
        dates = f"{self.start or '..'}/{self.end or '..'}" if self.start or self.end else ""
        return " ".join(filter(None, [self.scope, dates, *self.filters])) or "all"

    def narrowed(self, *filters: str) -> "Query":
        """The same query with more to narrow it."""
        return replace(self, filters=(*self.filters, *filters))

    def between(self, start: date | None, end: date | None) -> "Query":
        """The same query with other dates."""
        return replace(self, start=start, end=end)

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
    fields: frozenset[str] = frozenset()    # top-level keys of its items


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
    queries: ClassVar[tuple[str, ...]] = ()           # the default searches, where not the vocabulary
    reads_files: ClassVar[bool] = False               # the base URL is a file or folder (`read_local`)
    key_variable: ClassVar[str | None] = None
    key_is_optional: ClassVar[bool] = False
    narrowed_by: ClassVar[tuple[str, ...]] = ()       # settings that change what is found, not only how
    known_fields: ClassVar[frozenset[str]] = frozenset()    # an item's top-level keys; others make a warning
    obeys_robots: ClassVar[bool] = False    # ask the host's robots.txt first (sites that have no API)
    page_size: ClassVar[int] = 100
    cap: int | None = None                  # hits of one query that can be reached
    delay_s: ClassVar[float] = 0.2          # between two requests
    per_host: ClassVar[int] = 1             # requests to one host at once
    first_token: str = "1"

    def require_key(self, key: str | None, base_url: str | None) -> None:
        """Raises MissingKey when the service wants a key and there is none; a mirror may do without."""
        if self.key_variable and not key and not base_url and not self.key_is_optional:
            raise MissingKey(f"{self.title} wants an API key; set {self.key_variable} in the environment")

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """What of it can be set (`--set`), by name, with the usual value: the parameters it is made with."""
        return {name: given.default for name, given in signature(cls).parameters.items()}

    def scope(self) -> str:
        """What it is narrowed to where that is not the usual: 'collection=photos'; '' where it is."""
        usual = self.settings()
        held = {name: getattr(self, name) for name in self.narrowed_by if getattr(self, name) != usual[name]}
        return " ".join(f"{name}={','.join(value) if isinstance(value, tuple) else value}"
                        for name, value in held.items())

    def data_sheet(self) -> dict[str, str]:
        """What `glamlake archives` prints of it."""
        usual = {name: ",".join(value) if isinstance(value, tuple) else str(value or "")
                 for name, value in self.settings().items()}
        return {
            "archive": self.name, "holds": self.holds, "key": self._key_wanted(),
            "paging": self.paging, "hits a query": f"{self.cap:,}" if self.cap else "all",
            "pause": f"{self.delay_s:g} s", "robots.txt": "obeyed" if self.obeys_robots else "an API",
            "rights": self.rights_field, "service": self.base_url, "documentation": self.docs_url,
            "settings": " ".join(f"{name}={value}" for name, value in usual.items()),
        }

    def _key_wanted(self) -> str:
        return f"{self.key_variable or 'none'}{' (optional)' if self.key_is_optional else ''}"

    @abstractmethod
    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """How to ask for the page at `token`."""

    @abstractmethod
    def read(self, text: str, token: str, page_size: int) -> Page:
        """What the answer holds; raises ServiceRefused or UnexpectedAnswer with the service's own words."""

    def native_id(self, item: Mapping[str, Any]) -> str | None:
        """The archive's own identifier of an item; None where it has none."""
        return text_of_id(item.get("id"))

    def details(self, item: str) -> dict[str, Request]:
        """What else must be asked about an item that a search shows in part, by the name to keep it under."""
        return {}

    def read_detail(self, text: str) -> str:
        """The JSON in the answer to one of `details`, verbatim; raises ServiceRefused or UnexpectedAnswer."""
        return text

    def read_local(self, query: Query, location: str, token: str, page_size: int) -> Page:
        """The page at `token` of a file or folder on this machine, for an archive that `reads_files`."""
        raise refuse(self.name, "it has a service, no files")

    def expand(self, query: Query) -> list[Query]:
        """What a query stands for where the archive has no search: its pages, each a query so filtered.

        What the archive is narrowed to becomes part of what a slice is called.
        """
        return [replace(query, scope=self.scope())]

    def first_token_of(self, query: Query) -> str:
        """The token of a query's first page."""
        return self.first_token

    def split(self, query: Query, first: Page) -> list[Query]:
        """Smaller queries that together find all that this one finds; [] where it can be cut no further.

        Asked when `first`, the query's first page, announces more than `cap` hits. The pieces may overlap (a
        hit stays one hit) but must leave nothing out: where one cuts by dates or values, a last piece takes
        what has none (`query.narrowed("undated")`). Each piece must be narrower than `query` and its `slice`
        unlike any other's; one that is still over the cap is split in turn. `_slices` cuts by dates and by
        values seen; `request` must turn `query.filters` and dates into the service's parameters.
        """
        return []

    def is_over_cap(self, announced: int | None, limit: int | None) -> bool:
        """Whether there is more than the service lets anybody reach, and it is wanted."""
        return self.cap is not None and (announced or 0) > self.cap and (limit is None or limit > self.cap)

    def pieces_wanted(self, announced: int | None) -> int:
        """How many pieces are likely to fit under the cap, hits being unevenly spread."""
        return 2 * -(-(announced or 0) // (self.cap or 1))

    def next_page(self, token: str, page_size: int, announced: int | None, n_items: int) -> str | None:
        """The token after page number `token`; None after an empty page, the last hit, or the cap."""
        ends = [end for end in (announced, self.cap) if end is not None]
        done = n_items == 0 or (bool(ends) and int(token) * page_size >= min(ends))
        return None if done else str(int(token) + 1)


def one_of(name: str, value: str, *allowed: str) -> str:
    """A setting's value; raises UsageError where it is none of those allowed."""
    if value not in allowed:
        raise UsageError(f"{name}={value} is none of {', '.join(allowed)}")
    return value


def page_of(
    items: Iterable[tuple[str, Any]], announced: int | None, next_token: str | None,
    native_id: Callable[[dict[str, Any]], str | None] = lambda item: text_of_id(item.get("id")),
) -> Page:
    """A page of `split_items`' items, each with its id: the one under its key `id`, if not told otherwise."""
    items = list(items)
    ids = [native_id(value) if isinstance(value, dict) else None for _, value in items]
    fields = frozenset(key for _, value in items if isinstance(value, dict) for key in value)
    return Page([text for text, _ in items], ids, announced, next_token, fields)


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


def unexpected(archive: str, what: str) -> UnexpectedAnswer:
    """The error for an answer of another shape than the adapter knows."""
    return UnexpectedAnswer(f"{archive} sent {what}")
