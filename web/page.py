"""One page as its template shows it: every text and address worked out, nothing looked up."""

from dataclasses import dataclass
from typing import Any

from lake.facets import Facets
from lake.search import Reason
from web.asked import MOST_LISTED, PER_PAGE, Asked
from web.card import Card
from web.words import Trouble, apart, counted


@dataclass(frozen=True)
class Like:
    """A picture searched with: a sample (`field` is like) or the visitor's own (`field` is picture)."""

    field: str
    value: str
    name: str
    picture: str


@dataclass(frozen=True)
class Result:
    """A sample with why it is shown; `score` is None where nothing was searched for."""

    card: Card
    score: float | None = None
    n_near: int = 0
    reasons: tuple[Reason, ...] = ()

    @property
    def why(self) -> str:
        """What spoke for it, in words; nothing where only its looks could."""
        said = [f"{round(100 * r.share)} % {r.kind}" for r in self.reasons if r.share >= 0.005]
        return "" if [r.kind for r in self.reasons] == ["visual"] else ", ".join(said)

    def as_json(self) -> dict[str, Any]:
        """The card as data, with score and reasons."""
        reasons = {reason.kind: reason.share for reason in self.reasons}
        return self.card.as_json() | {"score": self.score, "n_near": self.n_near, "reasons": reasons}


@dataclass(frozen=True)
class Found:
    """One page of results; `total` is known where the collection is leafed through."""

    results: tuple[Result, ...] = ()
    has_more: bool = False
    total: int | None = None


@dataclass(frozen=True)
class Page:
    """The search page in one state: pictures, or nothing found, or trouble."""

    asked: Asked
    facets: Facets | None = None
    all_facets: Facets | None = None
    likes: tuple[Like, ...] = ()
    found: Found = Found()
    number: int = 1
    trouble: Trouble | None = None
    hint: str | None = None
    takes_addresses: bool = False

    @property
    def results(self) -> tuple[Result, ...]:
        """The pictures on this page."""
        return self.found.results

    @property
    def about_collection(self) -> str:
        """How much there is, from where and when."""
        if self.all_facets is None:
            return ""
        start, end = self.all_facets.first_year, self.all_facets.last_year
        years = "" if start is None else f", {start}" if start == end else f", {start}–{end}"
        n_archives = counted(len(self.all_facets.archives), "archive")
        return f"{counted(self.all_facets.n_samples, 'picture')} from {n_archives}{years}"

    @property
    def heading(self) -> str:
        """What these pictures are."""
        if self.trouble:
            return self.trouble.title
        words = [f"“{apart(self.asked.words)}”"] if self.asked.words else []
        likes = [f"like {like.name}" for like in self.likes]
        if not words and not likes:
            return "From the collection"
        said = ", ".join(words + likes)
        unwanted = f", without “{apart(self.asked.unwanted)}”" if self.asked.unwanted else ""
        return (said if words else f"Pictures {said}") + unwanted

    @property
    def count_said(self) -> str:
        """Which of how many."""
        first = (self.number - 1) * PER_PAGE + 1
        span = f"{first:,}–{first + len(self.results) - 1:,}"
        if self.found.total is not None:
            return f"{span} of {self.found.total:,}"
        return f"{span}, the closest first"

    @property
    def list_said(self) -> str:
        """What is taken along where no picture is chosen."""
        n = self.found.total
        if n is None:    # a search finds all that pass the filters, the closest first
            n = self.facets.n_samples if self.facets and self.found.has_more else 0
        return "the list" if n <= MOST_LISTED else f"the first {MOST_LISTED} of the list"

    @property
    def previous(self) -> str | None:
        """The address of the page before."""
        before = str(self.number - 1) if self.number > 2 else ""
        return self.asked.address(page=before) if self.number > 1 else None

    @property
    def next(self) -> str | None:
        """The address of the page after."""
        is_there = self.found.has_more and not self.asked.is_last_page
        return self.asked.address(page=str(self.number + 1)) if is_there else None

    def address_as(self, place: str) -> str:
        """The address of the same answer in another form, such as `api/search`."""
        return f"./{place}?{self.asked.query}" if self.asked.query else f"./{place}"
