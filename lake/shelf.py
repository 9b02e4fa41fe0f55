"""A table to look single rows up in, again and again: sorted by its key, in a file mapped into memory.

A Parquet file is made to be read whole: one row out of half a million costs a large part of a second. Here it
costs a binary search in pages that the operating system keeps, and next to nothing of this process's memory.
"""

import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from lake.catalog import Connection, ask_in_batches

_ROWS = 4096
_PART = 32    # rows whose keys are read at a time

Row = dict[str, Any]


class Shelf:
    """Rows by their key. Immutable, so thread-safe; its file has no name any more and goes with it."""

    def __init__(self, mapped: Any, key: str) -> None:
        self._batches = [mapped.get_batch(i) for i in range(mapped.num_record_batches)]
        self._keys = [batch.column(key) for batch in self._batches]
        self._parts = [(at, row) for at, keys in enumerate(self._keys) for row in range(0, len(keys), _PART)]
        self._first_keys = [self._keys[at][row].as_py() for at, row in self._parts]

    def rows(self, key: str) -> list[Row]:
        """All rows with this key, in their order."""
        found: list[Row] = []
        for at, start, n in self._runs(key):
            found += self._batches[at].slice(start, n).to_pylist()
        return found

    def cell(self, key: str, column: str) -> Any:
        """What one column has in the first row with this key; None where there is none."""
        for at, start, _ in self._runs(key):
            return self._batches[at].column(column)[start].as_py()
        return None

    def _runs(self, key: str) -> Iterator[tuple[int, int, int]]:
        """Batch, first row and number of rows, for all rows with this key."""
        for part in range(max(bisect_left(self._first_keys, key) - 1, 0), len(self._parts)):
            at, row = self._parts[part]
            keys = self._keys[at].slice(row, _PART).to_pylist()
            start, end = bisect_left(keys, key), bisect_right(keys, key)
            if start < end:
                yield at, row + start, end - start
            if end < len(keys):
                return


def open_shelf(con: Connection, sql: str, key: str) -> Shelf:
    """The rows of a statement on a shelf of their own; a row without a key is left out."""
    sorted_sql = f"select * from ({sql}) where {key} is not null order by {key}"
    with tempfile.TemporaryDirectory(prefix="glamlake-") as folder:
        path = Path(folder) / "shelf.arrow"
        reader = ask_in_batches(con, sorted_sql, _ROWS)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, reader.schema) as writer:
            for batch in reader:
                if batch.num_rows:
                    writer.write_batch(batch)
        mapped = pa.ipc.open_file(pa.memory_map(str(path)))
        shelf = Shelf(mapped, key)
        with suppress(OSError):    # where a mapped file cannot lose its name, it keeps it
            path.unlink()
    return shelf
