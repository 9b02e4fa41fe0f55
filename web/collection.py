"""What the page knows of a lake's samples, held ready for as long as the lake stays as it is."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import orjson

from lake import Lake
from lake.catalog import connect, require_mart
from lake.collector import spare_what_lasts
from lake.conditions import Plain
from lake.facets import FacetIndex, Facets, Narrowing, read_facets
from lake.settled import read_settled, state_of_marts
from lake.shelf import Row, Shelf, open_shelf
from web.card import CARDS_SQL, Card, card_of
from web.pictures import picture_size

_MOST_CARDS = 20_000
_USUAL_SIZE = (4, 3)    # of a picture that is gone
EVERYTHING = Narrowing()


@dataclass(frozen=True)
class Whole:
    """One sample with all that the lake knows of it and of what it was made from."""

    card: Card
    sample: Row
    records: tuple[Row, ...]
    labels: tuple[Row, ...]
    image: Row | None
    duplicates: tuple[Row, ...]


class Collection:
    """The samples of a lake; notices when they are made anew. Thread-safe.

    What asks about samples raises EmptyLake as long as there are none.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._lock = threading.Lock()
        self._state: _State | None = None

    def facets(self, narrowing: Narrowing = EVERYTHING) -> Facets:
        """Counts of every facet's values under the filters."""
        found: Facets = self._newest().index.facets(narrowing)
        return found

    def tests(self, narrowing: Narrowing) -> Plain | None:
        """The filters as `SearchRequest.where` takes them."""
        return narrowing.tests(self._newest().index.labels_below)

    def leaf_through(self, narrowing: Narrowing, limit: int, offset: int) -> list[str]:
        """Sample ids in an order that mixes archives and years and stays the same."""
        return self._newest().index.ids(narrowing, limit, offset)

    def count(self, narrowing: Narrowing) -> int:
        """How many samples pass the filters."""
        return self._newest().index.count(narrowing)

    def cards(self, sample_ids: Sequence[str]) -> list[Card]:
        """The samples that exist, in the order given."""
        card = self._newest().card
        return [found for sample_id in sample_ids if (found := card(sample_id)) is not None]

    def whole(self, sample_id: str) -> Whole | None:
        """Everything about one sample; None where there is none of this id."""
        state = self._newest()
        found = state.whole(sample_id)
        newest = self._newest()    # its details are read when they are first asked for: by now of others?
        return found if newest is state else newest.whole(sample_id)

    def picture_path(self, sample_id: str) -> Path | None:
        """Where the lake's store keeps a sample's picture; None for an id or a file that is not there."""
        card = self._newest().card(sample_id)
        if card is None:
            return None
        return _stored(self.lake, card.path)

    def _newest(self) -> "_State":
        require_mart(self.lake, "samples", "curate")
        state, version = self._state, state_of_marts(self.lake)
        if state is None or state.version != version:
            with self._lock:
                state = self._state
                if state is None or state.version != state_of_marts(self.lake):
                    state = self._state = read_settled(self.lake, lambda: _State(self.lake))
                    spare_what_lasts()
        return state


class _State:
    """The samples as they were at one moment; each part is read when it is first needed."""

    def __init__(self, lake: Lake) -> None:
        self.version = state_of_marts(lake)
        self._lake = lake
        self._lock = threading.RLock()
        self.card = lru_cache(_MOST_CARDS)(self._card)
        with connect(self._lake) as con:    # together: what one shows, the other counts
            self.index: FacetIndex = read_facets(con)
            self._cards = open_shelf(con, CARDS_SQL, "sample_id")

    def whole(self, sample_id: str) -> Whole | None:
        card = self.card(sample_id)
        if card is None:
            return None
        with self._lock:
            shelves = self._details
        rows, images = shelves["samples"].rows(sample_id), shelves["images"].rows(card.sha256)
        if not rows:    # samples were made anew since
            return None
        record_ids = rows[0]["record_ids"] or []
        return Whole(
            card, rows[0],
            tuple(row for record_id in record_ids for row in shelves["records"].rows(record_id)),
            tuple(row for record_id in record_ids for row in shelves["record_labels"].rows(record_id)),
            images[0] if images else None, tuple(shelves["duplicates"].rows(sample_id)),
        )

    def _card(self, sample_id: str) -> Card | None:
        text = self._cards.cell(sample_id, "told")
        if text is None:
            return None
        told: Row = orjson.loads(text)
        if not (told.get("width") and told.get("height")):
            path = _stored(self._lake, told["path"])
            size = (picture_size(path) if path else None) or _USUAL_SIZE
            told |= {"width": size[0], "height": size[1]}
        return card_of(told)

    @cached_property
    def _details(self) -> dict[str, Shelf]:
        return read_settled(self._lake, self._read_details)

    def _read_details(self) -> dict[str, Shelf]:
        with connect(self._lake) as con:
            return {name: open_shelf(con, sql, key) for name, (key, sql) in _DETAILS.items()}


def _stored(lake: Lake, relative: str) -> Path | None:
    """The file of a picture; None where it is gone, or where its path leads out of the store."""
    path = (lake.root / relative).resolve()
    return path if path.is_relative_to(lake.images.resolve()) and path.is_file() else None


_DETAILS: dict[str, tuple[str, str]] = {
    "samples": ("sample_id", "select * from samples"),
    "records": ("record_id", "select * from records"),
    "record_labels": ("record_id", "select * from record_labels"),
    "images": ("sha256", """
        select sha256, image_url, status, fetched_at, content_type, bytes, format, mode, width, height, phash
        from images where status = 'ok'
    """),
    "duplicates": ("sample_id", "select * from duplicates"),
}
