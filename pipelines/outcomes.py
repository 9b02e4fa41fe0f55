"""What came of each picture asked for, on its way into the raw layer.

A load costs the same for one row as for a thousand, so rows are loaded in batches; until then each lies as
one line in a journal, and a run that was killed loses the pictures in flight and nothing else. A worker
writes its own line before it asks for the next picture, also while others are loaded.
"""

import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
import pyarrow as pa

from lake import Lake, catalog
from lake.drafts import cannot_write
from lake.errors import LakeError
from lake.tables import RAW_IMAGES
from pipelines.fetcher import UNCHANGED, Row
from pipelines.load import append_images
from pipelines.shard import WHOLE, Shard

log = logging.getLogger(__name__)


class Outcomes(AbstractContextManager["Outcomes"]):
    """Adds rows to RAW_IMAGES; one process a shard, which its lock sees to. Its threads may all add rows, one
    loads them."""

    def __init__(
        self, lake: Lake, shard: Shard = WHOLE, rows_per_load: int = 2000, seconds_per_load: float = 60.0,
    ) -> None:
        self._lake = lake
        self._journal, self._next = _journals_of(lake, shard)
        self._rows_per_load = rows_per_load
        self._seconds_per_load = seconds_per_load
        self._waiting: list[Row] = []
        self._lock = threading.Lock()
        self._loaded_at = time.monotonic()

    def add(self, row: Row) -> None:
        """Keep one outcome; `fetched_at` must be set. Raises LakeError where that cannot be done."""
        with self._lock:
            _write_line(self._journal, row)
            self._waiting.append(row)

    def load_if_due(self) -> None:
        """Load what is waiting, if that is much, or has waited long."""
        overdue = time.monotonic() - self._loaded_at >= self._seconds_per_load
        if overdue or len(self._waiting) >= self._rows_per_load:
            self.load()

    def load(self) -> None:
        """Load what is waiting."""
        with self._lock:
            rows, self._waiting = self._waiting, []
            self._journal, self._next = self._next, self._journal
        _append(self._lake, rows)
        self._next.unlink(missing_ok=True)
        self._loaded_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(e, LakeError):     # the lake that just refused a row takes no load either
            self.load()


def settle(lake: Lake, running: Sequence[Shard] = ()) -> int:
    """Load what killed runs left behind, each row once; how many rows. Leaves alone what others write now."""
    append_images(lake, _table([]))     # a load that one was killed in is finished first
    busy = {journal for shard in running for journal in _journals_of(lake, shard)}
    n = 0
    for journal in sorted(lake.outcomes.parent.glob(f"{lake.outcomes.stem}*{lake.outcomes.suffix}")):
        if journal not in busy:
            left = _unloaded(lake, _journalled(journal))
            _append(lake, left)
            journal.unlink()
            n += len(left)
    return n


def _journals_of(lake: Lake, shard: Shard) -> tuple[Path, Path]:
    """The two that are written in turns: one grows while the rows of the other are loaded."""
    whole = lake.outcomes
    journal = whole if shard == WHOLE else whole.with_stem(f"{whole.stem}.{shard.name}")
    return journal, journal.with_stem(f"{journal.stem}.next")


def _append(lake: Lake, rows: list[Row]) -> None:
    if rows:
        append_images(lake, _table(_with_facts(lake, rows)))


def _with_facts(lake: Lake, rows: list[Row]) -> list[Row]:
    """The rows, each that says only that nothing changed with the facts of the row before it."""
    urls = [row["image_url"] for row in rows if row["status"] == UNCHANGED]
    if not urls:
        return rows
    sql = """
        select * from raw_images where list_contains(?, image_url) and status <> ?
        qualify row_number() over (partition by image_url order by raw_images.fetched_at desc, status) = 1
    """
    before = {row["image_url"]: row for row in catalog.rows(lake, sql, [urls, UNCHANGED])}
    return [row if row["status"] != UNCHANGED else _repeated(before[row["image_url"]], row) for row in rows]


def _repeated(before: Row, row: Row) -> Row:
    return before | row | {"status": before["status"]}


def _table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=RAW_IMAGES.schema)


def _write_line(path: Path, row: Row) -> None:
    line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    whole = None
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as journal:
            whole = journal.tell()
            journal.write(line)
    except OSError as e:
        with suppress(OSError):
            if whole is not None:      # another thread may find room for its line, behind half of this one
                os.truncate(path, whole)
        raise cannot_write(path, e) from e


def _journalled(journal: Path) -> list[Row]:
    lines = journal.read_bytes().split(b"\n")[:-1]    # no line end: the last was cut short
    rows = [row for line in lines if (row := _read_line(line))]
    if damaged := len(lines) - len(rows):
        log.warning("damaged lines in %s: %d; their URLs are asked for again", journal, damaged)
    return rows


def _read_line(line: bytes) -> Row | None:
    """The row; None for a line that a disk that was full, or lost its power, has left damaged."""
    try:
        row: Row = orjson.loads(line)
        return row | {"image_url": row["image_url"], "fetched_at": datetime.fromisoformat(row["fetched_at"])}
    except (ValueError, TypeError, KeyError):
        return None


def _unloaded(lake: Lake, rows: list[Row]) -> list[Row]:
    """The rows not in the raw layer yet: a run may be killed between a load and the end of its journal."""
    if not rows:
        return []
    urls = [row["image_url"] for row in rows]
    sql = "select image_url, fetched_at from raw_images where list_contains(?, image_url)"
    loaded = {(row["image_url"], row["fetched_at"]) for row in catalog.rows(lake, sql, [urls])}
    return [row for row in rows if (row["image_url"], row["fetched_at"]) not in loaded]
