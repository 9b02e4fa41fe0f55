"""The map of the collection, for its canvas as points and for its page as a list of neighbourhoods."""

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lake import Lake
from lake.errors import EmptyLake
from lake.projection import map_path, read_map_points
from lake.settled import state_of_marts
from lake.vectors import VectorStore
from web.card import Card
from web.collection import Collection

MAKE_IT = "There is no map yet: run `glamlake map`, once the pictures are embedded."
_MOST_COLOURS = 10
_SHOWN = 5


@dataclass(frozen=True)
class Area:
    """One neighbourhood: how many pictures, the labels they share, and some from its middle."""

    n: int
    labels: tuple[str, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Map:
    """What the page says of the map; `areas` from the largest on."""

    n: int
    n_samples: int
    labels: tuple[str, ...]
    areas: tuple[Area, ...]


class Maps:
    """The map of a lake as it was last made. Thread-safe."""

    def __init__(self, collection: Collection) -> None:
        self._lake: Lake = collection.lake
        self._collection = collection
        self._lock = threading.Lock()
        self._version: object = None
        self._made: tuple[Map, bytes] | None = None

    def page(self) -> Map | None:
        """What the page says of the map; None where none was made of the vectors searched now."""
        made = self._newest()
        return made[0] if made else None

    def points(self) -> bytes:
        """The points as JSON: lists as long as there are points; `label` counts into `labels`, -1 is none.

        Raises EmptyLake where there is no map.
        """
        made = self._newest()
        if made is None:
            raise EmptyLake(MAKE_IT)
        return made[1]

    def _newest(self) -> tuple[Map, bytes] | None:
        models = VectorStore(self._lake).models()
        if not models:
            return None
        path = map_path(self._lake, models[0].model_id)
        try:
            made_at = path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        version = (path, made_at, state_of_marts(self._lake))
        with self._lock:
            if version != self._version:
                points = read_map_points(self._lake, models[0].model_id)
                self._made = None if points is None else _made(self._collection, points)
                self._version = version
            return self._made


def _made(collection: Collection, points: pa.Table) -> tuple[Map, bytes]:
    cards = {card.sample_id: card for card in collection.cards(points["sample_id"].to_pylist())}
    kept = points.filter(pa.array([i in cards for i in points["sample_id"].to_pylist()], pa.bool_()))
    shown = [cards[i] for i in kept["sample_id"].to_pylist()]
    often = Counter(label for card in shown for label in card.labels)
    labels = tuple(label for label, _ in sorted(often.items(), key=lambda pair: (-pair[1], pair[0])))
    places = np.column_stack([kept["x"].to_numpy(), kept["y"].to_numpy()])
    areas = _areas(shown, places, kept["area"].to_numpy(), often)
    coloured = labels[:_MOST_COLOURS]
    content = {
        "labels": coloured, "ids": [card.sample_id for card in shown],
        "x": [round(float(x), 4) for x in places[:, 0]], "y": [round(float(y), 4) for y in places[:, 1]],
        "label": [_colour(card, coloured) for card in shown], "year": [card.year for card in shown],
    }
    n_samples = collection.facets().n_samples
    whole = Map(len(shown), n_samples, coloured, tuple(sorted(areas, key=lambda area: -area.n)))
    return whole, json.dumps(content, separators=(",", ":")).encode()


def _colour(card: Card, labels: Sequence[str]) -> int:
    found = [labels.index(label) for label in card.labels if label in labels]
    return max(found, default=-1)    # the rarest says most


def _areas(
    cards: Sequence[Card], places: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
    areas: "np.ndarray[tuple[int], np.dtype[np.int16]]", often: "Counter[str]",
) -> list[Area]:
    found = []
    for area in np.unique(areas):
        members = np.flatnonzero(areas == area)
        here = Counter(label for i in members.tolist() for label in cards[i].labels)
        telling = sorted(here, key=lambda label: (-here[label] ** 2 / often[label], label))[:3]
        middle = places[members].mean(axis=0)
        central = members[np.argsort(((places[members] - middle) ** 2).sum(axis=1), kind="stable")]
        found.append(Area(len(members), tuple(telling), tuple(cards[i] for i in central[:_SHOWN])))
    return found


