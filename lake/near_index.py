"""The nearest of very many vectors in a millisecond, in little memory.

Made from one version of a model's table and kept beside it; nothing here is a source. In memory are codes
(lake/near_codes.py); what looks nearest by its code is read from a file and compared in full. What one
filters by is mapped into memory; what a result is told from is read from a file, one by one.
"""

import json
import os
import shutil
import tempfile
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lake.near_codes import Codes, Mask, Places, Vector, write_codes

# Measured on half a million vectors in 2,000 clusters (tests/benchmarks/bench_search.py): of 1,050 partitions
# 10 hold the ten nearest of a picture in 99 of 100 cases; so many standard deviations miss one in a hundred.
_PROBES, _CODE_DEVIATIONS = 20, 2.5
_MISSED = 0.01                 # of the nearest: rows that may be in partitions not looked into
_CANDIDATES, _MOST_CANDIDATES = 640, 10_240
_DRAWN = 256                   # rows to see what they have besides their partitions' centres
_BATCH = 4_096                 # rows of a batch of Arrow
_SCANNED = 4_096               # vectors compared at a time where all are


@dataclass(frozen=True)
class About:
    """What an index was made from: a table's generation, what its vectors are, and the files it had."""

    generation: str
    dim: int
    dtype: str
    files: Sequence[str] = ()


class NearIndex:
    """Rows by their place, 0 and up, in order of their row ids. Immutable, so thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.about = About(**json.loads((folder / "about.json").read_text("utf-8")))
        self.rows: pa.Table = pa.ipc.open_file(pa.memory_map(str(folder / "rows.arrow"))).read_all()
        self.row_ids: NDArray[np.uint64] = np.load(folder / "row_ids.npy")
        self._chunks = {name: self.rows[name].chunks for name in self.rows.schema.names}
        self._by_sample: NDArray[np.int32] = np.load(folder / "by_sample.npy")
        self._vectors = _VectorFile(folder / "vectors", self.about)
        self._told = (folder / "told").open("rb", buffering=0)
        self._told_ends: NDArray[np.int64] = np.load(folder / "told_ends.npy")
        self._codes = Codes(folder / "codes.faiss")

    def __len__(self) -> int:
        return len(self.row_ids)

    def cell(self, name: str, place: int) -> Any:
        """One value of one row."""
        return self._chunks[name][place // _BATCH][place % _BATCH].as_py()

    def told(self, place: int) -> str:
        """What a result is told from; nothing for a row of no sample."""
        start, end = int(self._told_ends[place - 1]) if place else 0, int(self._told_ends[place])
        return os.pread(self._told.fileno(), end - start, start).decode()

    def place_of_sample(self, sample_id: str) -> int | None:
        """Where a sample's row is."""
        at = bisect_left(self._by_sample, sample_id, key=lambda place: self.cell("sample_id", int(place)))
        if at == len(self) or self.cell("sample_id", int(self._by_sample[at])) != sample_id:
            return None
        return int(self._by_sample[at])

    def vectors(self, places: Places) -> Vector:
        """These rows' vectors."""
        return self._vectors.some(places)

    def nearest(self, vector: Vector, limit: int, mask: Mask | None) -> tuple[Places, Vector]:
        """Places and cosines of nearly the nearest, best first.

        The nearest partitions are looked into, as many as hold enough rows (that a mask keeps), and then all
        others that could have a better one: words lie far from all pictures, and what a mask keeps may too.
        """
        turned, codes = self._codes.turned(vector), self._codes
        near, numbers = codes.partitions(turned)
        n_kept = codes.n_kept(mask)[numbers]
        near, numbers, n_kept = near[n_kept > 0], numbers[n_kept > 0], n_kept[n_kept > 0]
        is_looked_into = np.cumsum(n_kept) - n_kept < _PROBES * codes.mean_size
        first = near[is_looked_into], numbers[is_looked_into]
        places, scores = _best(*self._compared(vector, turned, limit, first, mask), limit)
        worst = float(scores[-1]) if len(scores) == limit else -np.inf
        near, numbers, n_kept = near[~is_looked_into], numbers[~is_looked_into], n_kept[~is_looked_into]
        could_be = self._could_have_better(turned, near, n_kept, worst, _MISSED * limit)
        if could_be.any():
            others = self._compared(vector, turned, limit, (near[could_be], numbers[could_be]), mask, worst)
            places, scores = np.concatenate([places, others[0]]), np.concatenate([scores, others[1]])
        return _best(places, scores, limit)

    def _could_have_better(
        self, turned: Vector, near: Vector, n_kept: Places, worst: float, missed: float,
    ) -> NDArray[np.bool_]:
        """Which partitions to look into, so that all others together have no more rows above a score than may
        be missed.

        A row is what it shares with its partition's centre and a rest, which in one direction is distributed
        normally; how widely, some rows tell.
        """
        closeness, rests = self._drawn_rests
        deviation = max(float((rests @ turned[0]).std()), 1e-9)
        far = np.maximum((worst - closeness * near) / deviation, 1.0)
        above = n_kept * np.exp(-(far**2) / 2) / (far * np.sqrt(2 * np.pi))    # Mills: no more than that
        could_be = np.zeros(len(near), bool)
        if above.sum() > missed:
            order = np.argsort(above)
            could_be[order] = np.cumsum(above[order]) > missed
        return could_be

    @cached_property
    def _drawn_rests(self) -> tuple[float, Vector]:
        drawn = np.linspace(0, len(self) - 1, _DRAWN).astype(np.int64)
        return self._codes.rests(drawn, self.vectors(drawn))

    def _compared(
        self, vector: Vector, turned: Vector, limit: int, partitions: tuple[Vector, Places],
        mask: Mask | None, floor: float = -np.inf,
    ) -> tuple[Places, Vector]:
        """Rows in these partitions with their cosines, the best above a floor among them.

        Of those nearest by their codes, as many as could be among the best, going by how far codes are off.
        """
        n = max(_CANDIDATES, 4 * limit)
        while True:
            found, told = self._codes.candidates(turned, min(n, len(self)), partitions, mask)
            scores = self._best_scores(vector, limit, found, told, floor)
            if len(scores) < n or n >= _MOST_CANDIDATES:
                return found[:len(scores)], scores
            n *= 4    # far from the vector codes tell little: others could be among the best too

    def _best_scores(
        self, vector: Vector, limit: int, found: Places, told: Vector, floor: float,
    ) -> Vector:
        """Cosines of the first candidates, as many as could be among the best and above a floor."""
        end, scores = min(2 * limit, len(found)), np.zeros(0, np.float32)
        while end > len(scores):
            scores = np.concatenate([scores, np.vecdot(self.vectors(found[len(scores):end]), vector)])
            off = told[:end] - scores
            worst = floor if end < limit else max(floor, np.partition(scores, -limit)[-limit])
            end = int(np.searchsorted(-told, _CODE_DEVIATIONS * off.std() - off.mean() - worst))
        return scores

    def exact(self, vector: Vector, limit: int, mask: Mask | None) -> tuple[Places, Vector]:
        """As `nearest`, of every vector (that the mask keeps)."""
        if mask is not None and np.count_nonzero(mask) * 20 < len(self):
            places = np.flatnonzero(mask)
            return _best(places, np.vecdot(self.vectors(places), vector), limit)
        scores = np.concatenate([np.vecdot(part, vector) for part in self._vectors.all()])
        places = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
        return _best(places, scores[places], limit)


class _VectorFile:
    """Vectors one after the other. Read, not mapped: pages looked at would count as this process's memory."""

    def __init__(self, path: Path, about: About) -> None:
        self._dtype, self.dim = np.dtype(about.dtype), about.dim
        self._file = path.open("rb", buffering=0)    # open as long as anybody reads, also when it is unlinked
        self._turn = threading.Lock()    # threads that take turns at every read are slower than one by one

    def some(self, places: Places) -> Vector:
        """Those at these places."""
        found = np.empty((len(places), self.dim), self._dtype)
        size, number = self.dim * self._dtype.itemsize, self._file.fileno()
        with self._turn:
            for row, place in zip(found, places.tolist(), strict=True):
                os.preadv(number, [row], place * size)
        return found.astype(np.float32, copy=False)

    def all(self) -> Iterator[Vector]:
        """All, some thousands at a time."""
        size, at = self.dim * self._dtype.itemsize, 0
        while read := os.pread(self._file.fileno(), size * _SCANNED, at):
            at += len(read)
            yield np.frombuffer(read, self._dtype).reshape(-1, self.dim).astype(np.float32, copy=False)


def write_near_index(folder: Path, about: About, batches: Iterable[pa.RecordBatch]) -> None:
    """Make an index of rows (with `_rowid`, `vector` and `told`) in a folder that is whole or not there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as drafts:
        draft = Path(drafts) / folder.name
        draft.mkdir()
        n = _write_rows(draft, about, batches)
        vectors = _VectorFile(draft / "vectors", about)
        write_codes(draft / "codes.faiss", about.dim, n, vectors.some, vectors.all())
        (draft / "about.json").write_text(json.dumps(asdict(about)) + "\n", "utf-8")
        draft.rename(folder)


def newest_index(parent: Path) -> NearIndex | None:
    """The index that lies there, if any."""
    for folder in sorted(parent.glob("[0-9]*")):
        with suppress(FileNotFoundError):    # another process has just put a newer one in its place
            return NearIndex(folder)
    return None


def drop_others(parent: Path, kept: Path | None) -> None:
    """Remove indices but the one; who has one open keeps its files."""
    for folder in parent.glob("[0-9]*"):
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


def _write_rows(folder: Path, about: About, batches: Iterable[pa.RecordBatch]) -> int:
    """Rows, what is told of them and their vectors to their files; gives how many there are."""
    row_ids: list[NDArray[np.uint64]] = []
    lengths: list[NDArray[np.int64]] = []
    sample_ids: list[pa.Array] = []
    with ExitStack() as open_files:
        vectors = open_files.enter_context((folder / "vectors").open("wb"))
        told = open_files.enter_context((folder / "told").open("wb"))
        rows = open_files.enter_context(pa.OSFile(str(folder / "rows.arrow"), "wb"))
        writer: Any = None
        for batch in _in_batches_of(_BATCH, batches):
            vectors.write(batch["vector"].flatten().to_numpy().astype(about.dtype, copy=False).tobytes())
            row_ids.append(batch["_rowid"].to_numpy())
            sample_ids.append(batch["sample_id"])
            texts = [text.encode() for text in batch["told"].fill_null("").to_pylist()]
            told.write(b"".join(texts))
            lengths.append(np.array(list(map(len, texts)), dtype=np.int64))
            kept = batch.drop_columns(["vector", "_rowid", "told"])
            writer = writer or open_files.enter_context(pa.ipc.new_file(rows, kept.schema))
            writer.write_batch(kept)
    np.save(folder / "row_ids.npy", np.concatenate(row_ids))
    np.save(folder / "told_ends.npy", np.cumsum(np.concatenate(lengths)))
    by_sample = pc.sort_indices(pa.chunked_array(sample_ids)).to_numpy()
    np.save(folder / "by_sample.npy", by_sample.astype(np.int32))
    return len(by_sample)


def _in_batches_of(n: int, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, n at a time, the last batch with the rest."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        while sum(map(len, held)) >= n:
            whole = pa.Table.from_batches(held).combine_chunks().to_batches()[0]
            yield whole.slice(0, n)
            held = [whole.slice(n)]
    if sum(map(len, held)):
        yield pa.Table.from_batches(held).combine_chunks().to_batches()[0]


def _best(places: Places, scores: Vector, limit: int) -> tuple[Places, Vector]:
    if len(places) > limit:
        kept = np.argpartition(-scores, limit - 1)[:limit]
        places, scores = places[kept], scores[kept]
    order = np.argsort(-scores, kind="stable")
    return places[order], scores[order]
