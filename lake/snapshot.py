"""One state of a model's vectors and the samples: what a search reads, and what it need not read twice."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lake import catalog
from lake.conditions import in_lance_words
from lake.directions import Spread, Vector
from lake.facts import shown
from lake.filters import all_matching, condition_tree
from lake.layout import Lake
from lake.ranking import Hit, in_order
from lake.vector_indices import TEXT_KINDS, text_columns
from lake.vector_table import VectorTable, matrix_of, one_of

FEW = 5_000         # a filter that leaves no more samples than this is answered on them alone, exactly
_DRAWN = 4_096      # vectors that the spread is taken from
_KEPT_CONDITIONS, _KEPT_ANSWERS, _KEPT_FACTS = 64, 256, 8_192
_A_PART = 10_000    # ids that are Python's strings at one time
_HIT = ("sample_id", "cluster_id", "facts_hash")

Made = TypeVar("Made")


@dataclass(frozen=True)
class Choice:
    """The samples that meet a condition: as rows where they are few, else in LanceDB's words, else by id."""

    rows: tuple[int, ...] | None = None
    where: str | None = None
    ids: NDArray[np.bytes_] | None = None

    def among(self, sample_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Which of these samples are chosen, as far as LanceDB's condition does not see to it."""
        if self.ids is None:
            return np.ones(len(sample_ids), dtype=bool)
        asked = _as_bytes(sample_ids)
        places = np.searchsorted(self.ids, asked).clip(max=len(self.ids) - 1)
        return np.asarray(self.ids[places] == asked)


EVERYTHING = Choice()


class Snapshot:
    """A model's table at one version, and the samples as they are in it. Thread-safe."""

    def __init__(self, lake: Lake, table: VectorTable) -> None:
        self.table = table
        self.n_rows = table.count()
        self.is_indexed = table.has_vector_index()
        self._lock, self._asking = threading.RLock(), threading.RLock()
        self._open = ExitStack()    # left to the garbage collector: another thread may still be asking
        self._con = self._open.enter_context(catalog.connect(lake))
        self._spread: Spread | None = None
        self._choices: OrderedDict[str, Choice] = OrderedDict()
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._facts: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._texts = {kind: text_columns(table.schema.names, kind) for kind in TEXT_KINDS}

    def spread(self) -> Spread:
        """How the collection's vectors spread, from a draw that is the same every time."""
        with self._lock:
            if self._spread is None:
                rows = self.table.columns(["_rowid", "facts_hash"], "facts_hash is not null")["_rowid"]
                step = max(1, len(rows) // _DRAWN)
                drawn = self.table.taken(rows.to_pylist()[::step], ["vector"])
                self._spread = Spread(matrix_of(drawn["vector"]))
            return self._spread

    def choice(self, where: str | None) -> Choice:
        """Which samples meet a condition (lake/filters.py); raises BadFilter where it is none."""
        if where is None:
            return EVERYTHING
        with self._asking:
            return _kept(self._choices, where, _KEPT_CONDITIONS, lambda: self._chosen(where))

    def answer(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for this key before, or is made now."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                found: Made = self._answers[key]
                return found
        made = make()    # not under the lock: this is the work that threads do side by side
        with self._lock:
            return _kept(self._answers, key, _KEPT_ANSWERS, lambda: made)

    def nearest(self, vector: Vector, limit: int, choice: Choice, exact: bool) -> list[Hit]:
        """The samples chosen that are nearest to a vector, best first; no more than `limit`."""
        if choice.rows is not None:
            return self._nearest_of(vector, choice.rows)[:limit]
        found = self.table.nearest(vector, limit, _HIT, choice.where, exact)
        return self._hits(found, choice)

    def with_words(self, text: str, kind: str, limit: int, choice: Choice) -> list[Hit]:
        """The samples chosen that have words of a text in their titles or texts, best first."""
        if not self._texts[kind]:
            return []
        wide = limit if choice.rows is None and choice.ids is None else self.n_rows
        found = self.table.with_words(text, self._texts[kind], wide, choice.where)
        hits = self._hits(found, choice)
        chosen = set(choice.rows) if choice.rows is not None else None
        return [hit for hit in hits if chosen is None or hit.row_id in chosen][:limit]

    def vectors(self, hits: Sequence[Hit]) -> Vector:
        """The hits' vectors, one row each."""
        return matrix_of(self.table.taken([hit.row_id for hit in hits], ["vector"])["vector"])

    def vectors_of(self, sample_ids: Sequence[str]) -> dict[str, Vector]:
        """The vectors of those of these samples that have one."""
        found = self.table.columns(["sample_id", "vector"], one_of(sample_ids))
        return dict(zip(found["sample_id"].to_pylist(), matrix_of(found["vector"]), strict=True))

    def facts(self, hits: Sequence[Hit]) -> list[dict[str, Any]]:
        """What is told of each hit's sample."""
        with self._lock:
            known = {hit.row_id: self._facts[hit.row_id] for hit in hits if hit.row_id in self._facts}
        missing = [hit.row_id for hit in hits if hit.row_id not in known]
        rows = self.table.taken(missing, ["told"])["told"].to_pylist()
        read = {row_id: shown(told) for row_id, told in zip(missing, rows, strict=True)}
        with self._lock:
            self._facts.update(read)
            while len(self._facts) > _KEPT_FACTS:
                self._facts.popitem(last=False)
        told = known | read
        return [told[hit.row_id] for hit in hits]

    def _chosen(self, where: str) -> Choice:
        ids = all_matching(self._con, where)
        words = in_lance_words(condition_tree(self._con, where))
        if len(ids) <= FEW:
            picked = f"({words or one_of(ids.to_pylist())}) and facts_hash is not null"
            found = self.table.columns(["sample_id", "_rowid"], picked)
            return Choice(rows=tuple(found["_rowid"].to_pylist()))
        if words is not None:
            return Choice(where=words)
        parts = [_as_bytes(ids.slice(i, _A_PART).to_pylist()) for i in range(0, len(ids), _A_PART)]
        return Choice(ids=np.sort(np.concatenate(parts)))

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
