"""A question's ranking, a window at a time: the first answers most; a later one only adds to its end.

So a page is the same whether it is asked for first or after others: what stands before a window's end never
changes with how many results are asked for, though an index sees more when it is asked for more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from lake.conditions import Where
from lake.directions import Vector
from lake.ranking import Hit, collapsed, fused, in_order, varied
from lake.snapshot import Choice, Snapshot
from lake.vector_indices import TEXT_KINDS

_BY_INDEX = (72, 192, 1_024)  # neighbours: two pages', and more; of still more an index finds too few
_EXACT = (8_192, 65_536)      # and then all
_MOST_VARIED = 1_024          # hits whose likeness to each other is compared


@dataclass(frozen=True)
class Question:
    """What is looked for in one snapshot: near which vector, with which words, among which samples."""

    vector: Vector
    words: str
    choice: Choice
    where: Where | None
    without: frozenset[str]
    exact: bool
    collapse: bool
    diversity: float

    @property
    def key(self) -> tuple[object, ...]:
        """What distinguishes it from others in the same snapshot."""
        return (self.vector.tobytes(), self.words, self.where, self.without, self.exact, self.collapse,
                self.diversity)


def ranked(snapshot: Snapshot, question: Question, n: int) -> list[Hit]:
    """At least the first n of all that is found, best first, as far as there are that many."""
    found: list[Hit] = []
    seen: set[str] = set()
    for width, exact in _widths(snapshot, question):
        found += _added(snapshot, question, seen, width, exact)
        if len(found) >= n:
            break
    return found


def _widths(snapshot: Snapshot, question: Question) -> Iterator[tuple[int, bool]]:
    """How many neighbours to ask for, and whether of every vector."""
    exact = question.exact or not snapshot.is_indexed
    every = snapshot.n_rows + 1
    if question.choice.is_few:
        yield from ((width, True) for width in _BY_INDEX if snapshot.is_indexed and width < every)
    else:
        # where hits are picked from the neighbours afterwards, few neighbours would leave the wrong ones
        by_index = _BY_INDEX if question.choice.ids is None else _BY_INDEX[-1:]
        yield from ((width, exact) for width in by_index if width < every)
        yield from ((width, True) for width in _EXACT if width < every)
    yield every, True


def _added(
    snapshot: Snapshot, question: Question, seen: set[str], width: int, exact: bool,
) -> list[Hit]:
    """What a window adds to those before it; `seen` is who they hold, and grows."""
    hits = snapshot.answer((question.key, width), lambda: _window(snapshot, question, width, exact))
    new = collapsed(hits, seen, question.collapse)
    if not question.diversity or len(new) > _MOST_VARIED:
        return new
    vary = partial(varied, new, snapshot.vectors(new), question.diversity)
    return snapshot.answer((question.key, width, "varied"), vary)


def _window(snapshot: Snapshot, question: Question, width: int, exact: bool) -> list[Hit]:
    """The best of so many neighbours, and of as many samples with the words."""
    choice = question.choice
    rankings = {"visual": snapshot.nearest(question.vector, width, choice, exact)}
    if question.words:
        rankings |= {kind: snapshot.with_words(question.words, kind, width, choice) for kind in TEXT_KINDS}
    asked = {
        kind: [hit for hit in hits if hit.sample_id not in question.without]
        for kind, hits in rankings.items() if hits
    }
    return fused(asked) if len(asked) > 1 else in_order(asked.get("visual", []))
