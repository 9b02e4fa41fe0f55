"""How glamlake talks: plain lines on the terminal, everything in the lake's log, tables for people."""

import atexit
import csv
import errno
import gc
import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake import Lake
from lake.drafts import way_out
from lake.errors import EmptyLake, NotALake

if TYPE_CHECKING:
    import pyarrow as pa

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_OURS = ("lake", "models", "pipelines", "checks", "web")


def open_lake(lake: Lake, create: bool, verbose: bool) -> Lake:
    """The lake, with its log file open; made when missing if `create`.

    Raises NotALake for a file or an unwritable folder, EmptyLake for one that is only to be read and has
    nothing to read.
    """
    if not create and not lake.root.exists():
        raise EmptyLake(
            f"there is no lake at {lake.root}; `glamlake harvest` makes one; or name another with --lake"
        )
    lake.open()
    set_up_logging(lake.logs, verbose)
    if not create:
        from lake import catalog

        catalog.require_hits(lake)
    return lake


def hush_exit() -> None:
    """Close stderr behind everybody else at exit, and let the system take the memory.

    DuckDB 2.0's bindings (nanobind) print pages about leaked objects when the interpreter ends, after every
    message of ours; until that is mended there, they are printed to nobody. And the interpreter would go
    through all that torch and others defined, looking for garbage, which takes seconds.
    """
    def close() -> None:
        gc.freeze()
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    atexit.register(close)


def set_up_logging(folder: Path, verbose: bool) -> None:
    """Our INFO lines to the terminal and a log file of the day; libraries' warnings to the file only."""
    logging.raiseExceptions = False     # a full disk must not print a traceback for each line not written
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.DEBUG if verbose else logging.INFO)
    terminal.setFormatter(logging.Formatter("%(message)s"))
    file = _log_file(folder)
    file.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logging.root.handlers = [file]
    logging.root.setLevel(logging.WARNING)
    for name in _OURS:
        ours = logging.getLogger(name)
        ours.setLevel(logging.DEBUG)
        ours.handlers = [terminal]


def _log_file(folder: Path) -> logging.Handler:
    """The log of the day; nothing where one may only read: who writes into such a lake is told there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(folder / f"glamlake-{datetime.now(UTC):%Y-%m-%d}.log", encoding="utf-8")
    except OSError as e:
        if e.errno in _READ_ONLY:
            return logging.NullHandler()
        raise NotALake(f"cannot write the log in {folder}: {e.strerror}; {way_out(e)}, then run again") from e


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as an aligned table; '' for none."""
    from tabulate import tabulate

    return tabulate([{name: _cell(value) for name, value in row.items()} for row in rows], headers="keys")


def formatted(answer: "pa.Table", format_: str) -> bytes:
    """An Arrow table as bytes: 'table', 'csv' (lists as JSON), 'json' (one list of objects) or 'parquet'."""
    import pyarrow.parquet as pq

    if format_ == "parquet":
        out = io.BytesIO()
        pq.write_table(answer, out)
        return out.getvalue()
    rows = answer.to_pylist()
    if format_ == "json":
        return f"{json.dumps(rows, indent=2, default=str, ensure_ascii=False)}\n".encode()
    if format_ == "table":
        return f"{table(rows) if rows else '  '.join(answer.schema.names)}\n({len(rows)} rows)\n".encode()
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(answer.schema.names)
    writer.writerows([_plain(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


def one_line(text: str) -> str:
    """The text on one line, without what a terminal would obey: control characters and marks of direction."""
    return " ".join(_OBEYED.sub(" ", text).split())


def _plain(value: Any) -> Any:
    """A CSV cell: nested values as JSON."""
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return one_line(", ".join(map(str, value)))
    text = one_line(str(value))
    return text if len(text) <= 60 else f"{text[:59]}…"
