"""A model's table of vectors, open at one version: rows by id, nearest rows, rows with these words."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.errors import LakeError


class VectorTable:
    """One version of a table; what others commit later does not show. Thread-safe for reading.

    `lance` is the table itself, for what writes. A condition (`where`) is in LanceDB's SQL.
    """

    def __init__(self, lance: Any) -> None:
        self.lance = lance
        self.schema: pa.Schema = lance.schema

    def count(self) -> int:
        """How many rows there are."""
        return int(self.lance.count_rows())

    def columns(self, names: Sequence[str], where: str | None = None) -> pa.Table:
        """These columns of every row, or of those that meet a condition; `_rowid` may be one of them."""
        asked = self.lance.search().select([name for name in names if name != "_rowid"])
        asked = asked.where(where) if where is not None else asked
        return self._rows_of(asked.with_row_id("_rowid" in names))

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """These columns and `_rowid` of every row, some at a time."""
        return iter(self.lance.search().select(list(names)).with_row_id(True).to_batches())

    def taken(self, row_ids: Sequence[int], names: Sequence[str]) -> pa.Table:
        """These columns of these rows, in their order."""
        if not row_ids:
            return pa.schema([self.schema.field(name) for name in names]).empty_table()
        found = self._rows_of(self.lance.take_row_ids(list(row_ids)).select(list(names)).with_row_id())
        place = {row_id: i for i, row_id in enumerate(found["_rowid"].to_pylist())}
        return found.take([place[row_id] for row_id in row_ids]).drop_columns("_rowid")

    def nearest(
        self, vector: NDArray[np.float32], limit: int, names: Sequence[str], where: str | None = None,
    ) -> pa.Table:
        """The rows nearest to a vector, of all: `names`, `_rowid` and `score` (the cosine), best first."""
        wanted = self.lance.search(vector, vector_column_name="vector").distance_type("cosine")
        wanted = wanted.limit(limit).select([*names, "_distance"]).with_row_id(True)
        found = self._rows_of((wanted if where is None else wanted.where(where)).bypass_vector_index())
        scores = 1.0 - found["_distance"].to_numpy()
        return found.drop_columns("_distance").append_column("score", pa.array(scores))

    def with_words(
        self, text: str, names: Sequence[str], limit: int, where: str | None = None,
    ) -> pa.Table:
        """Rows with words of a text in these indexed columns, best first; `score` is BM25."""
        from lancedb.query import MultiMatchQuery

        wanted = self.lance.search(MultiMatchQuery(text, list(names)), query_type="fts")
        told = ["sample_id", "cluster_id", "facts_hash", "_score"]
        wanted = wanted.limit(limit).select(told).with_row_id(True)
        found = self._rows_of(wanted if where is None else wanted.where(where))
        return found.rename_columns({"_score": "score"})

    def _rows_of(self, asked: Any) -> pa.Table:
        """What a query gives; raises LakeError where files of the table are gone or broken."""
        try:
            return asked.to_arrow()
        except (RuntimeError, OSError) as e:
            name = self.lance.name
            raise LakeError(
                f"the vectors of {name} cannot be read ({' '.join(str(e).split())[:60]}…); remove "
                f"vectors/{name}* and run `glamlake embed` again"
            ) from e


def one_of(sample_ids: Collection[str]) -> str:
    """A condition on sample_id; ids are quoted, since they may come from a page's URL."""
    if not sample_ids:
        return "false"
    quoted = ("'" + sample_id.replace("'", "''") + "'" for sample_id in sorted(set(sample_ids)))
    return f"sample_id in ({', '.join(quoted)})"


def matrix_of(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """A column of vectors as one float32 row each."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    matrix: NDArray[np.float32] = flat.astype(np.float32, copy=False)
    return matrix.reshape(len(column), column.type.list_size)
