"""A large table's rows by nearness: its index, less what has changed since, and what is newer than it.

A row id stands for one state of one row, so those the index knows and the table still has are as they were;
the few others are in memory and compared one by one.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.columns import Columns
from lake.near_codes import Mask, Places, Vector
from lake.near_index import NearIndex
from lake.vector_table import VectorTable, matrix_of


class NearRows:
    """Rows by their place: first the index's, then the newer ones. Immutable, so thread-safe."""

    def __init__(self, index: NearIndex, open_table: Callable[[], VectorTable], generation: str) -> None:
        self._index = index
        self._newer = index.rows.schema.empty_table()
        self._newer_told: list[str | None] = []
        self._newer_vectors: Vector = np.zeros((0, index.about.dim), np.float32)
        row_ids, is_there = index.row_ids, np.ones(len(index), dtype=bool)
        if generation != index.about.generation:
            table = open_table()
            there = table.columns(["sample_id", "_rowid"])["_rowid"].to_numpy()
            is_there = np.isin(row_ids, there)
            newer = np.setdiff1d(there, row_ids)
            taken = table.taken(newer.tolist(), [*index.rows.schema.names, "told", "vector"])
            self._newer = taken.drop_columns(["vector", "told"])
            self._newer_vectors, self._newer_told = matrix_of(taken["vector"]), taken["told"].to_pylist()
            row_ids = np.concatenate([row_ids, newer])
        self.n_newer, self.n_gone = len(self._newer), len(is_there) - np.count_nonzero(is_there)
        self.row_ids: NDArray[np.uint64] = row_ids
        self._by_row_id = np.argsort(row_ids, kind="stable")
        self._is_there = np.concatenate([is_there, np.ones(self.n_newer, dtype=bool)])

    def __len__(self) -> int:
        return len(self.row_ids)

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self._index.about.dim

    @cached_property
    def rows(self) -> pa.Table:
        """What is told of every row, with its `place`; also of rows that are gone."""
        rows = pa.concat_tables([self._index.rows, self._newer])
        return rows.append_column("place", pa.array(np.arange(len(rows), dtype=np.int32)))

    @cached_property
    def shown(self) -> Mask:
        """Rows that are there and belong to a sample."""
        known: Mask = np.asarray(self.rows["facts_hash"].is_valid().to_numpy(), dtype=bool)
        return self._is_there & known

    @cached_property
    def columns(self) -> Columns:
        """What one filters by."""
        return Columns(self.rows)

    def nearest(
        self, vector: Vector, limit: int, mask: Mask | None = None, exact: bool = False,
    ) -> tuple[Places, Vector]:
        """Places and cosines of the nearest rows that are shown (of those the mask keeps), best first."""
        kept = self.shown if mask is None else mask & self.shown
        n, ask = len(self._index), self._index.exact if exact else self._index.nearest
        places, scores = ask(vector, limit, None if kept[:n].all() else kept[:n])
        newer = np.flatnonzero(kept[n:])
        places = np.concatenate([places, newer + n])
        scores = np.concatenate([scores, np.vecdot(self._newer_vectors[newer], vector)])
        order = np.argsort(-scores, kind="stable")[:limit]
        return places[order], scores[order]

    def cell(self, name: str, place: int) -> Any:
        """One value of one row."""
        n = len(self._index)
        return self._index.cell(name, place) if place < n else self._newer[name][place - n].as_py()

    def told(self, place: int) -> str:
        """What a result is told from."""
        n = len(self._index)
        return self._index.told(place) if place < n else self._newer_told[place - n] or ""

    def vectors(self, asked: Places) -> Vector:
        """These rows' vectors, in their order."""
        n = len(self._index)
        found = np.empty((len(asked), self._index.about.dim), np.float32)
        is_newer = asked >= n
        found[~is_newer] = self._index.vectors(asked[~is_newer])
        found[is_newer] = self._newer_vectors[asked[is_newer] - n]
        return found

    def places_of_rows(self, row_ids: Sequence[int]) -> Places:
        """Where the rows of these ids are; they must be there."""
        at = np.searchsorted(self.row_ids, np.asarray(row_ids, np.uint64), sorter=self._by_row_id)
        places: Places = self._by_row_id[at]
        return places

    def place_of_sample(self, sample_id: str) -> int | None:
        """Where a sample's row is, if it is there."""
        if sample_id in self._newer_samples:
            return self._newer_samples[sample_id]
        place = self._index.place_of_sample(sample_id)
        return place if place is not None and self._is_there[place] else None

    @cached_property
    def _newer_samples(self) -> dict[str, int]:
        ids = self._newer["sample_id"].to_pylist()
        return {sample_id: len(self._index) + i for i, sample_id in enumerate(ids)}
