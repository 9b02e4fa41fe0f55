"""The one door to LanceDB: one table of vectors per model, and beside it what loads the model again.

A table holds sample_id, the sha256 of the picture the vector was made from, and the vector; nothing of what
may change while the picture stays (labels, split, rights). Filters therefore run in DuckDB, on the samples as
they are now, and vectors do not go stale when the lake is curated anew.
"""

import json
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.errors import EmptyLake
from lake.layout import Lake

KEEP_OLD_VERSIONS = timedelta(hours=1)   # longer than any reader holds on to one


@dataclass(frozen=True)
class ModelInfo:
    """A model with vectors in the lake, and how to load its encoder again.

    `checkpoint` is relative to the lake where it lies inside; `source` tells whether it is still the same.
    `fingerprint` is the sha256 of weights, structure and preprocessing; vectors compare where it is equal.
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
    """A lake's vectors."""

    def __init__(self, lake: Lake) -> None:
        self._root = lake.vectors
        self._connection: Any = None

    def models(self) -> list[ModelInfo]:
        """Models that have vectors here, the one embedded with last first."""
        files = [path for path in sorted(self._root.glob("*.json")) if self._table_folder(path.stem).exists()]
        return sorted(map(_read_info, files), key=lambda info: info.embedded_at, reverse=True)

    def register(self, info: ModelInfo) -> None:
        """Make a model's table if it is missing, and make it the newest model."""
        self._root.mkdir(parents=True, exist_ok=True)
        self._db().create_table(info.model_id, schema=_schema(info.dim), exist_ok=True)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        _write_json(self._root / f"{info.model_id}.json", asdict(replace(info, embedded_at=now)))

    def add(self, model_id: str, rows: Sequence[VectorRow]) -> None:
        """Write vectors in one commit: all of them or none; a sample that has one gets the new one."""
        if rows:
            table = self._open(model_id)
            merge = table.merge_insert("sample_id").when_matched_update_all().when_not_matched_insert_all()
            merge.execute(_table_of(rows, table.schema))

    def missing(self, model_id: str, pictures: Mapping[str, str]) -> list[str]:
        """Those samples (sample_id → sha256) that have no vector made from that picture, in their order."""
        if not self._table_folder(model_id).exists():
            return list(pictures)
        held = self._open(model_id).search().select(["sample_id", "sha256"]).to_arrow()
        done = dict(zip(held["sample_id"].to_pylist(), held["sha256"].to_pylist(), strict=True))
        return [sample_id for sample_id, sha256 in pictures.items() if done.get(sample_id) != sha256]

    def count(self, model_id: str) -> int:
        """How many samples have a vector of this model."""
        return int(self._open(model_id).count_rows())

    def vectors(self, model_id: str, sample_ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Those of these samples that have a vector, in the order given, and the vectors, one row each."""
        table = self._open(model_id)
        found = table.search().where(_one_of(sample_ids)).select(["sample_id", "vector"]).to_arrow()
        place = {sample_id: i for i, sample_id in enumerate(found["sample_id"].to_pylist())}
        held = [sample_id for sample_id in sample_ids if sample_id in place]
        return held, _matrix(found["vector"])[[place[sample_id] for sample_id in held]]

    def nearest(
        self, model_id: str, vector: NDArray[np.float32], limit: int, among: Collection[str] | None = None,
    ) -> list[Neighbour]:
        """The samples (among those given, if any are) nearest to a vector of length 1, best first; exact."""
        if among is not None:
            return self._nearest_of(model_id, vector, limit, sorted(set(among)))
        wanted = self._open(model_id).search(vector, vector_column_name="vector").distance_type("dot")
        found = wanted.bypass_vector_index().limit(limit).select(["sample_id", "_distance"]).to_arrow()
        scores = 1.0 - found["_distance"].to_numpy()   # LanceDB's dot distance is 1 - dot
        ids = found["sample_id"].to_pylist()
        return [Neighbour(*pair) for pair in zip(ids, scores.tolist(), strict=True)]

    def _nearest_of(
        self, model_id: str, vector: NDArray[np.float32], limit: int, sample_ids: list[str],
    ) -> list[Neighbour]:
        """Reads these vectors and multiplies: a tenth of LanceDB's time for a search under such a filter."""
        held, matrix = self.vectors(model_id, sample_ids)
        scores = matrix @ vector
        best = np.argsort(-scores, kind="stable")[:limit]
        return [Neighbour(held[i], float(scores[i])) for i in best]

    def compact(self, model_id: str) -> None:
        """Merge the many small files that batches leave, and drop versions nobody reads any more."""
        self._open(model_id).optimize(cleanup_older_than=KEEP_OLD_VERSIONS)

    def _open(self, model_id: str) -> Any:
        if not self._table_folder(model_id).exists():
            raise EmptyLake(f"no vectors of {model_id!r} in {self._root}; run `glamlake embed` first")
        return self._db().open_table(model_id)

    def _db(self) -> Any:
        if self._connection is None:
            import lancedb  # over a second; `models` and `glamlake status` do without

            self._connection = lancedb.connect(str(self._root))
        return self._connection

    def _table_folder(self, model_id: str) -> Path:
        return self._root / f"{model_id}.lance"


def _schema(dim: int) -> pa.Schema:
    vector = pa.list_(pa.float32(), dim)
    return pa.schema([("sample_id", pa.string()), ("sha256", pa.string()), ("vector", vector)])


def _table_of(rows: Sequence[VectorRow], schema: pa.Schema) -> pa.Table:
    """The rows as Arrow; of two rows of one sample the last counts: LanceDB refuses ambiguous merges."""
    distinct = list({row.sample_id: row for row in rows}.values())
    values = np.stack([row.vector for row in distinct]).astype(np.float32)
    columns = [
        pa.array([row.sample_id for row in distinct]), pa.array([row.sha256 for row in distinct]),
        pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1]),
    ]
    return pa.table(columns, schema=schema)


def _matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    flat: NDArray[np.float32] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), column.type.list_size)


def _one_of(sample_ids: Collection[str]) -> str:
    """A LanceDB condition; ids are quoted, since they may come from a page's URL."""
    if not sample_ids:
        return "false"
    quoted = ("'" + sample_id.replace("'", "''") + "'" for sample_id in sorted(set(sample_ids)))
    return f"sample_id in ({', '.join(quoted)})"


def _read_info(path: Path) -> ModelInfo:
    return ModelInfo(**json.loads(path.read_text(encoding="utf-8")))


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        draft = Path(folder) / path.name
        draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
