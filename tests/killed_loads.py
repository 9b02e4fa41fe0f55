"""`python -m tests.killed_loads FOLDER N_BEFORE [N,N…]…`: loads killed before changes of files, and resumed.

The lake holds N_BEFORE pages; the load of one more is killed, and the next run does what a resumed harvest
does: it lets the loader settle, and appends the page unless it is there. Prints a JSON list of what was found
then, one entry a kill: [event, path, pages, hits, distinct hits], or the error. With numbers, each list of
them is one load, killed before its N-th change, again before the next run's N-th, and so on: [numbers, …].

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
from functools import partial
from importlib import import_module
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

for _name in ("pandas", "requests"):    # dlt imports them while it loads: here once, and not in every child
    import_module(_name)


class Watch:
    """Counts the changes of files, and ends the process before one of them."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.is_on, self.fatal = False, 0
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_on or event not in _CHANGES or (event == "open" and not _is_for_writing(args[2])):
            return
        if "__pycache__" in str(args[0]):    # an import by a Python that keeps what it compiled
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


class Trial:
    """A lake with some pages, as often as it is asked for, and a load of one more."""

    def __init__(self, folder: Path, n_before: int) -> None:
        self._lake, self._before, self._watch = Lake(folder / "lake"), folder / "before", Watch()
        self._n_before = n_before
        for page in range(n_before):
            assert in_child(partial(_append, self._lake, page))[0] == 0
        self._lake.open()
        shutil.copytree(self._lake.root, self._before)

    def load(self, fatal: int = 0) -> list[tuple[str, str]]:
        """Load the page; the process ends before the `fatal`-th change. All changes there were."""
        self._watch.fatal, self._watch.is_on = fatal, True
        _append(self._lake, self._n_before)
        return self._watch.seen

    def killed(self, moments: list[int]) -> list[Any]:
        """What there is after a load that was killed at each moment in turn, then resumed; or the error."""
        shutil.rmtree(self._lake.root)
        shutil.copytree(self._before, self._lake.root)
        for moment in moments:
            status, said = in_child(partial(self.load, moment))
            if status not in (0, KILLED):    # 0: fewer changes than that
                return [said]
        status, said = in_child(self._resume)
        return list(json.loads(said)) if status == 0 else [said]

    def _resume(self) -> list[int]:
        _append(self._lake, self._n_before)
        return _found(self._lake)


def main(folder: Path, n_before: int, sequences: list[list[int]]) -> None:
    """Print what each kill led to."""
    trial = Trial(folder, n_before)
    if sequences:
        print(json.dumps([[moments, *trial.killed(moments)] for moments in sequences]))
        return
    events = json.loads(in_child(trial.load)[1])
    print(json.dumps([
        [event, path.removeprefix(str(folder)), *trial.killed([number])]
        for number, (event, path) in enumerate(events, 1) if _is_delicate(event, path)
    ]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [[int(n) for n in arg.split(",")] for arg in sys.argv[3:]])
