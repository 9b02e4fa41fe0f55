"""`python -m tests.killed_loads FOLDER N_BEFORE`: loads killed before chosen changes of a file, then resumed.

The lake holds N_BEFORE pages; the load of one more is killed, and the next run does what a resumed harvest
does: it lets the loader settle, and appends the page unless it is there. Prints a JSON list of what was found
then, one entry a kill: [event, path, pages, hits, distinct hits], or the error.

Children are forked before DuckDB or dlt have started a thread, and die by `os._exit`, which loses what Python
had not yet written, as a kill does.
"""

import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lake import Lake, catalog
from lake.errors import LakeError
from lake.tables import RAW_HITS, RAW_PAGES, Table
from pipelines.load import archive_loader

KILLED = 99
_CHANGES = frozenset({
    "open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "shutil.rmtree", "shutil.copyfile",
})
_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Watch:
    """Counts the changes of files, and ends the process before one of them."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.is_on, self.fatal = False, 0
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_on or event not in _CHANGES or (event == "open" and not _is_for_writing(args[2])):
            return
        self.seen.append((event, str(args[0])))
        if len(self.seen) == self.fatal:
            os._exit(KILLED)


def _is_for_writing(flags: Any) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _rows(table: Table, page: int, n: int) -> pa.Table:
    values = {"hit_id": [f"h{page}-{i}" for i in range(n)], "page": [page] * n}
    dated = {field.name: [_AT] * n for field in table.schema if pa.types.is_timestamp(field.type)}
    held = values | dated
    columns = [pa.array(held.get(field.name, [None] * n), field.type) for field in table.schema]
    return pa.table(columns, schema=table.schema)


def _append(lake: Lake, page: int) -> None:
    with archive_loader(lake.open(), "window") as loader:
        held = catalog.has_rows(lake, RAW_PAGES) and catalog.rows(
            lake, "select 1 from raw_pages where page = ?", [page],
        )
        if not held:
            loader.append({table.name: _rows(table, page, n) for table, n in ((RAW_HITS, 5), (RAW_PAGES, 1))})


def _found(lake: Lake) -> list[int]:
    [row] = catalog.rows(lake, """
        select (select count(*) from raw_pages) as pages, count(*) as n, count(distinct hit_id) as n_hits
        from raw_hits
    """)
    return [int(str(value)) for value in row.values()]


def in_child(work: Callable[[], object]) -> tuple[int, str]:
    """Exit status of a fork that does the work, and what it returned or raised, as text."""
    with tempfile.TemporaryFile("w+") as out:
        pid = os.fork()
        if pid == 0:
            status, said = 1, "crashed"
            try:
                said, status = json.dumps(work()), 0
            except LakeError as e:
                said = str(e)
            finally:
                if said == "crashed":
                    traceback.print_exc()
                out.write(said)
                out.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        out.seek(0)
        return status, out.read()


def _is_delicate(event: str, path: str) -> bool:
    """Whether a package changes its place or is taken apart there, or data arrives in the lake."""
    moves = event in ("os.rename", "shutil.rmtree") and Path(path).name.replace(".", "").isdigit()
    return moves or path.endswith(("schema.json", "package_completed.json")) or "/raw/hits/" in path


def main(folder: Path, n_before: int) -> None:
    """Print what each kill led to."""
    lake, before, watch = Lake(folder / "lake"), folder / "before", Watch()
    for page in range(n_before):
        assert in_child(lambda page=page: _append(lake, page))[0] == 0
    lake.open()
    shutil.copytree(lake.root, before)

    def load(fatal: int = 0) -> list[tuple[str, str]]:
        watch.fatal, watch.is_on = fatal, True
        _append(lake, n_before)
        return watch.seen

    events = json.loads(in_child(load)[1])
    found = []
    for number, (event, path) in enumerate(events, 1):
        if not _is_delicate(event, path):
            continue
        shutil.rmtree(lake.root)
        shutil.copytree(before, lake.root)
        assert in_child(lambda number=number: load(number))[0] in (0, KILLED)   # 0: one change less today
        status, said = in_child(lambda: (_append(lake, n_before), _found(lake))[1])
        found.append([event, path.removeprefix(str(folder)), *(json.loads(said) if status == 0 else [said])])
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
