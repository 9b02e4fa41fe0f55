"""The one door to LanceDB: one table per model, and beside it what loads the model again.

A row is a sample: its vector, the sha256 of the picture it was made from, and what the catalogue says of the
sample (lake/facts.py), so that a filter works inside of the search and a result is told from the row it was
found in. Vectors are written by `embed`; the rest is a copy of the marts, kept fresh by lake/freshness.py.
"""

import json
import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock
from numpy.typing import NDArray

from lake import vector_indices
from lake.collector import no_collection
from lake.drafts import whole_file
from lake.errors import EmptyLake, LakeError
from lake.layout import Lake
from lake.near_index import About, drop_others, newest_index, write_near_index
from lake.near_rows import NearRows
from lake.vector_indices import Kept
from lake.vector_table import VectorTable, matrix_of, one_of

log = logging.getLogger(__name__)

_DTYPES = {"float32": pa.float32(), "float16": pa.float16()}
KEEP_OLD_VERSIONS = timedelta(hours=1)   # longer than any reader holds on to one
_INDEX_CACHE, _METADATA_CACHE = 96 * 2**20, 48 * 2**20   # bytes

_A_MERGE = 40 * 2**20    # bytes; LanceDB's join has room for 300 MB and needs three times its input
_OWN_COLUMNS = ("sample_id", "sha256", "vector")
_LARGEST = 2**64 - 1
_TICK_NS = 10**9
_BEHIND = 20    # the index of vectors is made anew when more than this part of the rows is not in it


@dataclass(frozen=True)
class ModelInfo:
    """A model with vectors in the lake, and how to load its encoder again.

    `checkpoint` is relative to the lake where it lies inside; `source` tells whether it is still the same.
    `fingerprint` is the sha256 of weights, structure and preprocessing; vectors compare where it is equal.
    `dtype` is what a vector's numbers are kept as: 'float32' or 'float16'.
    """

    model_id: str
    dim: int
    model: str
    pretrained: str
    checkpoint: str | None
    source: str
    embedded_at: str = ""
    fingerprint: str = ""
    preprocessing: Mapping[str, object] | None = None
    dtype: str = "float32"


@dataclass(frozen=True)
class VectorRow:
    """A sample's vector (length 1) and the picture it was made from."""

    sample_id: str
    sha256: str
    vector: NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A sample and the cosine between its vector and the one asked for."""

    sample_id: str
    score: float


class VectorStore:
    """A lake's vectors. Thread-safe."""

    def __init__(self, lake: Lake) -> None:
        self._root, self._locks = lake.vectors, lake.locks
        self._lock = threading.RLock()
        self._connection: Any = None
        self._tables: dict[str, tuple[str, VectorTable]] = {}
        self._generations: dict[str, tuple[int, str]] = {}    # when a table's folder changed, and what it was

    def models(self) -> list[ModelInfo]:
        """Models that have vectors here, the one embedded with last first; LakeError for a broken file."""
        files = [path for path in sorted(self._root.glob("*.json")) if self._has_table(path.stem)]
        found = [info for path in files if (info := _read_info(path)) is not None]
        return sorted(found, key=lambda info: info.embedded_at, reverse=True)

    def prepare(self, info: ModelInfo) -> None:
        """Make a model's table if it is missing; others stay newer until it is registered."""
        self._root.mkdir(parents=True, exist_ok=True)
        if not self._has_table(info.model_id):   # one that is there has more columns by now
            self._db().create_table(info.model_id, schema=_schema(info.dim, info.dtype), exist_ok=True)
        if not (path := self._root / f"{info.model_id}.json").exists():
            _write_json(path, asdict(replace(info, embedded_at="")))

    def register(self, info: ModelInfo) -> None:
        """Make a model's table if it is missing, and make it the newest model, which is searched with."""
        self.prepare(info)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        _write_json(self._root / f"{info.model_id}.json", asdict(replace(info, embedded_at=now)))

    def add(self, model_id: str, rows: Sequence[VectorRow]) -> None:
        """Write vectors in one commit: all of them or none; a sample that has one gets the new one.

        One process after the other: of two that add a sample at once, neither finds it there.
        """
        if not rows:
            return
        self._locks.mkdir(parents=True, exist_ok=True)
        with FileLock(self._locks / f"add-{model_id}.lock"):
            table = self._open(model_id)
            merge = table.lance.merge_insert("sample_id").when_matched_update_all()
            merge.when_not_matched_insert_all().execute(_table_of(rows, table.schema))

    def missing(self, model_id: str, pictures: Mapping[str, str]) -> list[str]:
        """Those samples (sample_id → sha256) that have no vector made from that picture, in their order."""
        if not self._has_table(model_id):
            return list(pictures)
        held = self._open(model_id).columns(["sample_id", "sha256"])
        done = dict(zip(held["sample_id"].to_pylist(), held["sha256"].to_pylist(), strict=True))
        return [sample_id for sample_id, sha256 in pictures.items() if done.get(sample_id) != sha256]

    def count(self, model_id: str) -> int:
        """How many samples have a vector of this model."""
        return self._open(model_id).count()

    def open(self, model_id: str, generation: str | None = None) -> VectorTable:
        """A model's table as it is now, or was then; what is committed later does not show in it."""
        if not self._has_table(model_id):
            raise EmptyLake(f"no vectors of {model_id!r} in {self._root}; run `glamlake embed` first")
        table = self._db().open_table(model_id)
        if generation is not None:
            table.checkout(int(generation.split(".")[1]))
        return VectorTable(table)

    def near_name(self, model_id: str) -> str:
        """Which index of vectors there is; nothing where there is none."""
        try:
            names = [path.name for path in self._near_folder(model_id).iterdir()]
        except FileNotFoundError:
            return ""
        return " ".join(sorted(name for name in names if name[0].isdigit()))

    def near(self, model_id: str, generation: str) -> NearRows | None:
        """A large table's rows by nearness, as they are at a generation; None where they have no index."""
        index = newest_index(self._near_folder(model_id))
        if index is None:
            return None
        if index.about.generation != generation and self._data_files(model_id).isdisjoint(index.about.files):
            return None     # of a table that was deleted and made anew, or rewritten as a whole
        return NearRows(index, lambda: self.open(model_id, generation), generation)

    def vectors(self, model_id: str, sample_ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Those of these samples that have a vector, in the order given, and the vectors, one row each."""
        found = self._open(model_id).columns(["sample_id", "vector"], one_of(sample_ids))
        place = {sample_id: i for i, sample_id in enumerate(found["sample_id"].to_pylist())}
        held = [sample_id for sample_id in sample_ids if sample_id in place]
        return held, matrix_of(found["vector"])[[place[sample_id] for sample_id in held]]

    def nearest(
        self, model_id: str, vector: NDArray[np.float32], limit: int, among: Collection[str] | None = None,
    ) -> list[Neighbour]:
        """The samples (among those given, if any are) nearest to a vector of length 1, best first; exact."""
        where = None if among is None else one_of(among)
        found = self._open(model_id).nearest(vector, limit, ["sample_id"], where)
        pairs = zip(found["sample_id"].to_pylist(), found["score"].to_pylist(), strict=True)
        return [Neighbour(*pair) for pair in pairs]

    def write_facts(self, model_id: str, facts: pa.Table) -> None:
        """Set the columns of `facts` in the rows that its sample_ids have; vectors stay as they are."""
        table = self._with_columns(model_id, facts.schema)
        if not len(facts):
            return
        held = table.columns(["sample_id", "sha256", "vector"], one_of(facts["sample_id"].to_pylist()))
        rows = _with_facts(held, facts)
        step = max(1, int(len(rows) * _A_MERGE / max(rows.nbytes, 1)))
        for start in range(0, len(rows), step):
            merge = self._open(model_id).lance.merge_insert("sample_id")
            # a vector that `embed` writes meanwhile is newer than the one read here
            merge = merge.when_matched_update_all(where="target.sha256 = source.sha256")
            merge.execute(rows.slice(start, step))

    def _with_columns(self, model_id: str, schema: pa.Schema) -> VectorTable:
        """The table with the columns of facts that there are now; an older version's others are dropped."""
        table = self._open(model_id)
        if others := set(table.schema.names) - {*_OWN_COLUMNS, *schema.names}:
            table.lance.drop_columns(sorted(others))
        if missing := [field for field in schema if field.name not in table.schema.names]:
            table.lance.add_columns(pa.schema(missing))
        return self._open(model_id)

    def keep_indices(self, model_id: str) -> Kept:
        """Build the indices the table lacks, bring new rows into the others."""
        kept = vector_indices.keep_indices(self._open(model_id).lance, KEEP_OLD_VERSIONS)
        return self._keep_near(model_id, kept)

    def _keep_near(self, model_id: str, kept: Kept) -> Kept:
        """Make the index of vectors where the table is large, and anew where much is not in it."""
        generation, table = self.generation(model_id), self._open(model_id)
        n_rows, folder = table.count(), self._near_folder(model_id)
        if n_rows < vector_indices.VECTOR_INDEX_FROM or "facts_hash" not in table.schema.names:
            drop_others(folder, None)
            return kept
        held = self.near(model_id, generation)
        behind = held.n_newer + held.n_gone if held else n_rows
        if behind <= (max(vector_indices.MOST_BEHIND, n_rows // _BEHIND) if held else 0):
            return kept
        vector = table.schema.field("vector").type
        dtype = np.dtype(vector.value_type.to_pandas_dtype()).name
        about = About(generation, vector.list_size, dtype, sorted(self._data_files(model_id)))
        names = [name for name in table.schema.names if not vector_indices.is_text_column(name)]
        made = folder / generation
        write_near_index(made, about, table.batches([name for name in names if name != "sha256"]))
        drop_others(folder, made)
        log.info("indexed vectors model=%s rows=%d behind=%d", model_id, n_rows, behind)
        return Kept(kept.built + (held is None), kept.folded_in + (held.n_newer if held else 0))

    def compact(self, model_id: str) -> None:
        """Merge the many small files that batches leave, and drop versions nobody reads any more."""
        self._open(model_id).lance.optimize(cleanup_older_than=KEEP_OLD_VERSIONS)

    def generation(self, model_id: str) -> str:
        """Another text after every commit to the model's table, by whatever process; a look at file names."""
        folder = self._table_folder(model_id) / "_versions"
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError as e:
            raise EmptyLake(f"no vectors of {model_id!r} in {self._root}; run `glamlake embed` first") from e
        known = self._generations.get(model_id, (0, ""))
        if known[0] != changed:
            known = (changed, _newest_version(folder))
            if time.time_ns() - changed > _TICK_NS:     # else more may come that the clock cannot tell apart
                self._generations[model_id] = known
        return known[1]

    def _open(self, model_id: str) -> VectorTable:
        """As `open`, opening anew only where something was committed."""
        newest = self.generation(model_id)
        with self._lock:
            known, table = self._tables.get(model_id, (None, None))
            if table is None or known != newest:
                table = self.open(model_id)
                self._tables[model_id] = (newest, table)
            return table

    def _db(self) -> Any:
        with self._lock:
            if self._connection is None:
                with no_collection():
                    import lancedb  # over a second; who asks for no row does without

                session = lancedb.Session(_INDEX_CACHE, _METADATA_CACHE)
                self._connection = lancedb.connect(str(self._root), session=session)
            return self._connection

    def _data_files(self, model_id: str) -> set[str]:
        """Names of what the table's rows lie in; no name comes twice."""
        return {path.name for path in (self._table_folder(model_id) / "data").glob("*.lance")}

    def _near_folder(self, model_id: str) -> Path:
        return self._root / f"{model_id}.near"

    def _has_table(self, model_id: str) -> bool:
        """Whether a version was committed; a full disk, or a kill, leaves a folder without one."""
        return any((self._table_folder(model_id) / "_versions").glob("*.manifest"))

    def _table_folder(self, model_id: str) -> Path:
        return self._root / f"{model_id}.lance"


def is_conflict(e: RuntimeError) -> bool:
    """Whether another process committed first: what was not done may be tried again."""
    return "commit conflict" in str(e)


def _newest_version(folder: Path) -> str:
    """When it was written, and its number: a table that was deleted and made anew begins at 1 again."""
    files = {int(path.stem): path for path in folder.glob("*.manifest") if path.stem.isdigit()}
    # a version's file is named by its number, in newer tables by what is left to the largest there is
    versions = {_LARGEST - n if n > _LARGEST // 2 else n: path for n, path in files.items()}
    newest = max(versions, default=0)
    return f"{versions[newest].stat().st_mtime_ns}.{newest}" if newest else "0.0"


def _schema(dim: int, dtype: str) -> pa.Schema:
    vector = pa.list_(_DTYPES[dtype], dim)
    return pa.schema([("sample_id", pa.string()), ("sha256", pa.string()), ("vector", vector)])


def _table_of(rows: Sequence[VectorRow], schema: pa.Schema) -> pa.Table:
    """The rows as Arrow; of two rows of one sample the last counts: LanceDB refuses ambiguous merges."""
    distinct = list({row.sample_id: row for row in rows}.values())
    vector = schema.field("vector")
    values = np.stack([row.vector for row in distinct]).astype(vector.type.value_type.to_pandas_dtype())
    columns = {
        "sample_id": pa.array([row.sample_id for row in distinct]),
        "sha256": pa.array([row.sha256 for row in distinct]),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1]),
    }
    return pa.table(columns)


def _with_facts(held: pa.Table, facts: pa.Table) -> pa.Table:
    """The rows held, with the columns of `facts` beside them."""
    place = {sample_id: i for i, sample_id in enumerate(facts["sample_id"].to_pylist())}
    beside = facts.take([place[sample_id] for sample_id in held["sample_id"].to_pylist()])
    for name in beside.column_names:
        if name not in held.column_names:
            held = held.append_column(beside.schema.field(name), beside[name])
    return held


def _read_info(path: Path) -> ModelInfo | None:
    """What the file tells; None where it is gone by now."""
    try:
        return ModelInfo(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as e:
        raise LakeError(f"{path} is broken; remove it and run `glamlake embed` again") from e


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    with whole_file(path) as draft:
        draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
