"""What came of each picture asked for, on its way into the raw layer.

A load costs the same for one row as for a thousand, so rows are loaded in batches; until then each lies as
one line in a journal, and a run that was killed loses the pictures in flight and nothing else.
"""

import errno
import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from lake import Lake, catalog
from lake.errors import LakeError
from lake.tables import RAW_IMAGES
from pipelines.load import append_images

Row = dict[str, Any]


class Outcomes(AbstractContextManager["Outcomes"]):
    """Adds rows to RAW_IMAGES; one writer a lake, which the stage's lock sees to."""

    def __init__(self, lake: Lake, rows_per_load: int = 500, seconds_per_load: float = 30.0) -> None:
        self._lake = lake
        self._rows_per_load = rows_per_load
        self._seconds_per_load = seconds_per_load
        self._waiting: list[Row] = []
        self._loaded_at = time.monotonic()

    def settle(self) -> int:
        """Load what a killed run left behind, each row once; how many rows."""
        append_images(self._lake, _table([]))     # a load it was killed in is finished first
        left = _unloaded(self._lake, _journalled(self._lake))
        self._load(left)
        return len(left)

    def add(self, row: Row) -> None:
        """Keep one outcome; `fetched_at` must be set. Raises LakeError when there is no room."""
        self._waiting.append(row)
        _journal(self._lake, row)
        overdue = time.monotonic() - self._loaded_at >= self._seconds_per_load
        if overdue or len(self._waiting) >= self._rows_per_load:
            self.load()

    def load(self) -> None:
        """Load what is waiting."""
        self._load(self._waiting)
        self._waiting = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(e, LakeError):     # the lake that just refused a row takes no load either
            self.load()

    def _load(self, rows: list[Row]) -> None:
        if rows:
            append_images(self._lake, _table(rows))
        self._lake.outcomes.unlink(missing_ok=True)
        self._loaded_at = time.monotonic()


def _table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=RAW_IMAGES.schema)


def _journal(lake: Lake, row: Mapping[str, Any]) -> None:
    line = json.dumps(dict(row), default=datetime.isoformat).encode() + b"\n"
    try:
        lake.outcomes.parent.mkdir(parents=True, exist_ok=True)
        with lake.outcomes.open("ab") as journal:
            journal.write(line)
    except OSError as e:
        full = e.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "no room left" if full else str(e.strerror)
        raise LakeError(f"cannot write to the lake {lake.root}: {why}; make room, then run again") from e


def _journalled(lake: Lake) -> list[Row]:
    if not lake.outcomes.exists():
        return []
    lines = lake.outcomes.read_bytes().split(b"\n")[:-1]    # no line end: the last was cut short
    rows: list[Row] = [json.loads(line) for line in lines]
    return [row | {"fetched_at": datetime.fromisoformat(row["fetched_at"])} for row in rows]


def _unloaded(lake: Lake, rows: list[Row]) -> list[Row]:
    """The rows not in the raw layer yet: a run may be killed between a load and the end of its journal."""
    if not rows:
        return []
    urls = [row["image_url"] for row in rows]
    sql = "select image_url, fetched_at from raw_images where list_contains(?, image_url)"
    loaded = {(row["image_url"], row["fetched_at"]) for row in catalog.rows(lake, sql, [urls])}
    return [row for row in rows if (row["image_url"], row["fetched_at"]) not in loaded]
