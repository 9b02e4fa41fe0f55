"""One page as its template shows it: every text and address worked out, nothing looked up."""

from dataclasses import dataclass

from web.asked import PER_PAGE, Asked
from web.collection import Card, Facets
from web.words import Trouble, counted


@dataclass(frozen=True)
class Like:
    """A picture searched with: a sample (`field` is like) or the visitor's own (`field` is picture)."""

    field: str
    value: str
    name: str
    picture: str


@dataclass(frozen=True)
class Found:
    """One page of cards; `total` is known where the collection is leafed through."""

    cards: tuple[Card, ...] = ()
    has_more: bool = False
    total: int | None = None


@dataclass(frozen=True)
class Page:
    """The search page in one state: pictures, or nothing found, or trouble."""

    asked: Asked
    facets: Facets | None = None
    likes: tuple[Like, ...] = ()
    found: Found = Found()
    number: int = 1
    trouble: Trouble | None = None
    hint: str | None = None

    @property
    def cards(self) -> tuple[Card, ...]:
        """The pictures on this page."""
        return self.found.cards

    @property
    def about_collection(self) -> str:
        """How much there is, from where and when."""
        if self.facets is None:
            return ""
        start, end = self.facets.first_year, self.facets.last_year
        years = "" if start is None else f", {start}" if start == end else f", {start}–{end}"
        n_archives = counted(len(self.facets.archives), "archive")
        return f"{counted(self.facets.n_samples, 'picture')} from {n_archives}{years}"

    @property
    def heading(self) -> str:
        """What these pictures are."""
        if self.trouble:
            return self.trouble.title
        words = [f"“{self.asked.words}”"] if self.asked.words else []
        likes = [f"like {like.name}" for like in self.likes]
        if not words and not likes:
            return "From the collection"
        said = ", ".join(words + likes)
        return said if words else f"Pictures {said}"

    @property
    def count_said(self) -> str:
        """Which of how many."""
        first = (self.number - 1) * PER_PAGE + 1
        span = f"{first:,}–{first + len(self.cards) - 1:,}"
        if self.found.total is not None:
            return f"{span} of {self.found.total:,}"
        return f"{span}, the closest first"

    @property
    def previous(self) -> str | None:
        """The address of the page before."""
        before = str(self.number - 1) if self.number > 2 else ""
        return self.asked.address(page=before) if self.number > 1 else None

    @property
    def next(self) -> str | None:
        """The address of the page after."""
        return self.asked.address(page=str(self.number + 1)) if self.found.has_more else None

    @property
    def json_address(self) -> str:
        """The address of the same answer as data."""
        return "./api/search" + self.asked.address().removeprefix("./")
