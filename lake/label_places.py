"""Where labels stand in the tree that their vocabularies make: places, what is below, counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lake.catalog import Connection, ask

MOST_CHILDREN = 60

Place = tuple[str, ...]    # the facet, then the labels from the top to this one
_ELSEWHERE = "topic"       # a label that no vocabulary places


@dataclass(frozen=True)
class LabelNode:
    """One place of the tree: `n` samples carry its label or one below it; children most frequent first."""

    label: str
    facet: str
    n: int
    children: tuple["LabelNode", ...] = ()


class LabelPlaces:
    """The places of all labels; a label may stand at several."""

    def __init__(self, paths: Sequence[tuple[str, Sequence[str]]]) -> None:
        places = {(facet, *path[:depth]) for facet, path in paths for depth in range(1, len(path) + 1)}
        self._places: list[Place] = sorted(places)
        self._at: dict[str, list[Place]] = {}
        for place in self._places:
            self._at.setdefault(place[-1], []).append(place)
        self._below: dict[str, set[str]] = {}
        for place in self._places:
            for label in place[1:]:
                self._below.setdefault(label, set()).add(place[-1])

    def below(self, label: str) -> Collection[str]:
        """The label and every label that stands below it anywhere."""
        return self._below.get(label, set()) | {label}

    def codes_of(self, labels: Sequence[str]) -> Mapping[int, Sequence[int]]:
        """For the place of each label in the list, the numbers of all nodes at or above it.

        A label without a place gets one at the top.
        """
        for label in sorted(set(labels) - self._at.keys()):
            self._at[label] = [(_ELSEWHERE, label)]
            self._places.append((_ELSEWHERE, label))
        number = {place: i for i, place in enumerate(self._places)}
        return {
            i: sorted({number[way] for place in self._at[label] for way in _ways_to(place)})
            for i, label in enumerate(labels)
        }

    def tree(self, numbers: Sequence[int]) -> tuple[LabelNode, ...]:
        """The places that any sample is at, as a tree; `numbers` as many as there are codes."""
        counted = dict(zip(self._places, numbers, strict=False))
        children: dict[Place, list[Place]] = {}
        for place in self._places:
            if counted.get(place):
                children.setdefault(place[:-1], []).append(place)

        def nodes(parent: Place) -> tuple[LabelNode, ...]:
            ordered = sorted(children.get(parent, ()), key=lambda place: (-counted[place], place))
            return tuple(LabelNode(place[-1], place[0], counted[place], nodes(place))
                         for place in ordered[:MOST_CHILDREN])

        tops = [parent for parent in sorted(children) if len(parent) == 1]
        return tuple(node for parent in tops for node in nodes(parent))


def _ways_to(place: Place) -> Sequence[Place]:
    """The places from the top to this one."""
    return [place[:depth] for depth in range(2, len(place) + 1)]


def read_places(con: Connection) -> LabelPlaces:
    """The places that the records' labels name."""
    sql = "select distinct facet, path from record_labels where facet is not null and len(path) > 0"
    return LabelPlaces([(row["facet"], row["path"]) for row in ask(con, sql).to_pylist()])
