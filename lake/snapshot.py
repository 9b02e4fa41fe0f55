"""One state of a model's vectors and the samples: what a search reads, and what it need not read twice.

A large table has its rows by nearness (lake/near_rows.py), and a search touches LanceDB only for words; a
small one is asked itself.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lake import catalog
from lake.conditions import Where, in_lance_words, in_sql, plain_tests
from lake.directions import Spread, Vector
from lake.facts import shown
from lake.filters import all_matching, filter_columns, matching_places, read_condition
from lake.layout import Lake
from lake.near_codes import Mask, Places
from lake.near_rows import NearRows
from lake.ranking import Hit, in_order
from lake.settled import read_settled
from lake.vector_indices import text_columns
from lake.vector_table import VectorTable, matrix_of, one_of
from lake.vectors import VectorStore

FEW = 5_000         # a filter that leaves no more samples than this is answered on them alone, exactly
_DRAWN = 4_096      # vectors that the spread is taken from
_KEPT_CONDITIONS, _KEPT_ANSWERS, _KEPT_FACTS = 32, 256, 2_048
_KEPT_HITS = 30_000     # of all answers together: one under a filter may have thousands
_A_PART = 10_000    # ids that are Python's strings at one time
_HIT = ("sample_id", "cluster_id", "facts_hash")

Made = TypeVar("Made")


@dataclass(frozen=True)
class Choice:
    """The samples that meet a condition.

    In a large table as a mask of places. In a small one as rows where they are few, else by id. With them in
    LanceDB's words, where it has such words; those alone where they are enough.
    """

    rows: tuple[int, ...] | None = None
    where: str | None = None
    ids: NDArray[np.bytes_] | None = None
    mask: Mask | None = None

    @cached_property
    def is_few(self) -> bool:
        """Whether they are compared one by one."""
        return self.rows is not None or (self.mask is not None and int(np.count_nonzero(self.mask)) <= FEW)

    def among(self, sample_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Which of these samples are chosen, as far as a condition in LanceDB's words does not see to it."""
        if self.ids is None:
            return np.ones(len(sample_ids), dtype=bool)
        asked = _as_bytes(sample_ids)
        places = np.searchsorted(self.ids, asked).clip(max=len(self.ids) - 1)
        return np.asarray(self.ids[places] == asked)


EVERYTHING = Choice()


class Snapshot:
    """A model's table at one version, and the samples as they are in it. Thread-safe."""

    def __init__(self, lake: Lake, store: VectorStore, model_id: str, generation: str) -> None:
        self._lake = lake
        self._near: NearRows | None = store.near(model_id, generation)
        self._open_table = partial(store.open, model_id, generation)
        self.n_rows = self.table.count() if self._near is None else len(self._near)
        self.is_indexed = self._near is not None
        self._lock, self._asking = threading.RLock(), threading.RLock()
        self._open = ExitStack()    # left to the garbage collector: another thread may still be asking
        self._con = self._open.enter_context(catalog.connect(lake))
        self._spread: Spread | None = None
        self._choices: OrderedDict[Where, Choice] = OrderedDict()
        self._answers: OrderedDict[Hashable, list[Hit]] = OrderedDict()
        self._n_hits = 0    # of all answers kept
        self._facts: OrderedDict[int, dict[str, Any]] = OrderedDict()
        if self._near is not None:
            self._con.register("near_rows", self._near.rows)
            self._near_columns = {*self._near.rows.schema.names} & {*filter_columns(self._con)}

    @cached_property
    def table(self) -> VectorTable:
        """LanceDB's table, opened when it is first needed."""
        return self._open_table()

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        if self._near is not None:
            return self._near.dim
        return int(self.table.schema.field("vector").type.list_size)

    def spread(self) -> Spread:
        """How the collection's vectors spread, from a draw that is the same every time."""
        with self._lock:
            if self._spread is None:
                self._spread = Spread(self._drawn())
            return self._spread

    def _drawn(self) -> Vector:
        """Some thousand vectors of samples, at equal steps."""
        if self._near is not None:
            places = np.flatnonzero(self._near.shown)
            return self._near.vectors(places[::max(1, len(places) // _DRAWN)])
        rows = self.table.columns(["_rowid", "facts_hash"], "facts_hash is not null")["_rowid"]
        step = max(1, len(rows) // _DRAWN)
        return matrix_of(self.table.taken(rows.to_pylist()[::step], ["vector"])["vector"])

    def choice(self, where: Where | None) -> Choice:
        """Which samples meet a condition (lake/filters.py, or tests); raises BadFilter where it is none."""
        if where is None:
            return EVERYTHING
        with self._asking:
            choose = partial(read_settled, self._lake, partial(self._chosen, where))
            return _kept(self._choices, where, _KEPT_CONDITIONS, choose)

    def answer(self, key: Hashable, make: Callable[[], list[Hit]]) -> list[Hit]:
        """What was made for this key before, or is made now."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        made = make()    # not under the lock: this is the work that threads do side by side
        with self._lock:
            self._n_hits += len(made) - len(self._answers.pop(key, ()))
            self._answers[key] = made
            while len(self._answers) > (_KEPT_ANSWERS if self._n_hits <= _KEPT_HITS else 1):
                self._n_hits -= len(self._answers.popitem(last=False)[1])
        return made

    def nearest(self, vector: Vector, limit: int, choice: Choice, exact: bool) -> list[Hit]:
        """The samples chosen that are nearest to a vector, best first; no more than `limit`."""
        if self._near is not None:
            return self._near_hits(*self._near.nearest(vector, limit, choice.mask, exact or choice.is_few))
        if choice.rows is not None:
            return self._nearest_of(vector, choice.rows)[:limit]
        return self._hits(self.table.nearest(vector, limit, _HIT, choice.where), choice)

    def with_words(self, text: str, kind: str, limit: int, choice: Choice) -> list[Hit]:
        """The samples chosen that have words of a text in their titles or texts, best first."""
        columns = text_columns(self.table.schema.names, kind)
        if not columns:
            return []
        is_told = choice.where is not None or choice is EVERYTHING
        found = self.table.with_words(text, columns, limit if is_told else self.n_rows, choice.where)
        hits = self._hits(found, choice)
        if self._near is not None and choice.mask is not None and not is_told:
            is_chosen = choice.mask[self._near.places_of_rows([hit.row_id for hit in hits])]
            hits = [hit for hit, keep in zip(hits, is_chosen, strict=True) if keep]
        chosen = set(choice.rows) if choice.rows is not None else None
        return [hit for hit in hits if chosen is None or hit.row_id in chosen][:limit]

    def vectors(self, hits: Sequence[Hit]) -> Vector:
        """The hits' vectors, one row each."""
        row_ids = [hit.row_id for hit in hits]
        if self._near is not None:
            return self._near.vectors(self._near.places_of_rows(row_ids))
        return matrix_of(self.table.taken(row_ids, ["vector"])["vector"])

    def vectors_of(self, sample_ids: Sequence[str]) -> dict[str, Vector]:
        """The vectors of those of these samples that have one."""
        if self._near is not None:
            places = {sample_id: self._near.place_of_sample(sample_id) for sample_id in sample_ids}
            held = [sample_id for sample_id, place in places.items() if place is not None]
            at = np.array([places[sample_id] for sample_id in held], dtype=np.int64)
            return dict(zip(held, self._near.vectors(at), strict=True))
        found = self.table.columns(["sample_id", "vector"], one_of(sample_ids))
        return dict(zip(found["sample_id"].to_pylist(), matrix_of(found["vector"]), strict=True))

    def facts(self, hits: Sequence[Hit]) -> list[dict[str, Any]]:
        """What is told of each hit's sample."""
        with self._lock:
            known = {hit.row_id: self._facts[hit.row_id] for hit in hits if hit.row_id in self._facts}
        missing = [hit.row_id for hit in hits if hit.row_id not in known]
        read = {row_id: shown(told) for row_id, told in zip(missing, self._told(missing), strict=True)}
        with self._lock:
            self._facts.update(read)
            while len(self._facts) > _KEPT_FACTS:
                self._facts.popitem(last=False)
        told = known | read
        return [told[hit.row_id] for hit in hits]

    def _told(self, row_ids: Sequence[int]) -> list[str]:
        if self._near is None:
            told: list[str] = self.table.taken(row_ids, ["told"])["told"].to_pylist()
            return told
        return [self._near.told(place) for place in self._near.places_of_rows(row_ids).tolist()]

    def _near_hits(self, places: Places, scores: Vector) -> list[Hit]:
        assert self._near is not None
        cell = self._near.cell
        told = zip(places.tolist(), self._near.row_ids[places].tolist(), scores.tolist(), strict=True)
        return [
            Hit(cell("sample_id", place), row_id, score, cell("cluster_id", place))
            for place, row_id, score in told
        ]

    def _chosen(self, where: Where) -> Choice:
        if isinstance(where, str):
            sql, plain = where, plain_tests(read_condition(self._con, where).tree)
        else:
            sql, plain = in_sql(where), where
        words = in_lance_words(plain) if plain else None
        if self._near is not None:
            told = self._near.columns.meeting(plain, self._near_columns) if plain else None
            mask = self._places_asked(self._near, sql) if told is None else told
            return Choice(mask=mask & self._near.shown, where=words)
        ids = all_matching(self._con, sql)
        if len(ids) <= FEW:
            picked = f"({words or one_of(ids.to_pylist())}) and facts_hash is not null"
            found = self.table.columns(["sample_id", "_rowid"], picked)
            return Choice(rows=tuple(found["_rowid"].to_pylist()))
        if words is not None:
            return Choice(where=words)
        parts = [_as_bytes(ids.slice(i, _A_PART).to_pylist()) for i in range(0, len(ids), _A_PART)]
        return Choice(ids=np.sort(np.concatenate(parts)))

    def _places_asked(self, near: NearRows, sql: str) -> Mask:
        mask = np.zeros(len(near), dtype=bool)
        mask[matching_places(self._con, sql, "near_rows", self._near_columns).to_numpy()] = True
        return mask

    def _nearest_of(self, vector: Vector, rows: tuple[int, ...]) -> list[Hit]:
        """Reads these vectors and multiplies."""
        if not rows:
            return []
        found = self.table.taken(rows, [*_HIT, "vector"])
        scores = pa.array(matrix_of(found["vector"]) @ vector)
        told = found.drop_columns("vector").append_column("score", scores)
        return in_order(self._hits(told.append_column("_rowid", pa.array(rows)), EVERYTHING))

    def _hits(self, found: pa.Table, choice: Choice) -> list[Hit]:
        """Rows as hits, in their order; not those of samples that are gone, or not chosen."""
        is_hit = choice.among(found["sample_id"].to_pylist())
        found = found.filter(pa.array(is_hit)).filter(pc.is_valid(pc.field("facts_hash")))
        columns = [found[name].to_pylist() for name in ("sample_id", "_rowid", "score", "cluster_id")]
        return [Hit(*values) for values in zip(*columns, strict=True)]


def _as_bytes(sample_ids: Sequence[str]) -> NDArray[np.bytes_]:
    """As an array that takes a tenth of the memory of strings and can be searched."""
    return np.array([sample_id.encode() for sample_id in sample_ids], dtype=bytes)


def _kept(cache: OrderedDict[Any, Any], key: Hashable, most: int, make: Callable[[], Made]) -> Made:
    """What the cache has for a key, made now if it has none; what was used longest ago goes."""
    made: Made = cache[key] if key in cache else make()
    cache[key] = made
    cache.move_to_end(key)
    while len(cache) > most:
        cache.popitem(last=False)
    return made
