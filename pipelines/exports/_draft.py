"""A data set while it is written: a hidden folder beside the frozen ones, and the sha256 of each file."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from filelock import FileLock, Timeout

from lake import Lake
from lake.errors import BadExport, LakeBusy

_NAME = re.compile(r"\w[\w.+-]{0,99}")
_DRAFT = re.compile(r"\.(?P<name>.+)\.draft")
_BLOCK_BYTES = 2**20


class HashedFile:
    """A file open for writing that keeps the sha256 of what went in.

    It is written by the megabyte and summed in a thread of its own: either takes longer than all the rest.
    """

    closed = False    # with flush() below: what pyarrow asks of a file

    def __init__(self, file: BinaryIO, summing: ThreadPoolExecutor) -> None:
        self._file = file
        self._summing = summing
        self._hash = hashlib.sha256()
        self._summed: Future[None] | None = None
        self._waiting: list[bytes] = []
        self._n_waiting = 0
        self._n_bytes = 0

    def write(self, content: bytes) -> int:
        """Append bytes."""
        self._waiting.append(bytes(content))
        self._n_waiting += len(content)
        self._n_bytes += len(content)
        if self._n_waiting >= _BLOCK_BYTES:
            self._write_block()
        return len(content)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._n_bytes

    def flush(self) -> None:
        """Nothing: the last block goes out when the sum is asked for."""

    def finish(self) -> str:
        """Write what is left; the sum of all that was written."""
        self._write_block()
        if self._summed is not None:
            self._summed.result()
        return self._hash.hexdigest()

    def _write_block(self) -> None:
        block, self._waiting, self._n_waiting = self._waiting, [], 0
        if self._summed is not None:
            self._summed.result()
        self._summed = self._summing.submit(self._add_to_sum, block)
        self._file.writelines(block)    # joined first, they would all be copied once more

    def _add_to_sum(self, block: list[bytes]) -> None:
        for part in block:
            self._hash.update(part)


class Draft(AbstractContextManager["Draft"]):
    """The folder of an export in the making: `files` has the sha256 of each path, `shards` its samples."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self.shards: dict[str, int] = {}
        self._summing = ThreadPoolExecutor(1, thread_name_prefix="export-sums")

    @contextmanager
    def open(self, path: str) -> Iterator[HashedFile]:
        """A new file at a path relative to the export."""
        with self._new(path) as raw:
            file = HashedFile(raw, self._summing)
            yield file
            self.files[path] = file.finish()

    def put(self, path: str, content: bytes, sha256: str | None = None) -> None:
        """A whole new file; the sum of the content, where it is known, is not computed again."""
        with self._new(path) as raw:
            raw.write(content)
        self.files[path] = sha256 or hashlib.sha256(content).hexdigest()

    def _new(self, path: str) -> BinaryIO:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._summing.shutdown()


def check_name(name: str) -> None:
    """Raises BadExport for a name that is not one plain, visible folder name."""
    if not _NAME.fullmatch(name):
        raise BadExport(
            f"{name!r} cannot name an export: take up to 100 letters, digits and '_', after the first "
            f"of them also '.', '+' and '-'"
        )


@contextmanager
def export_lock(lake: Lake, name: str) -> Iterator[None]:
    """Hold an export's name; the system lets go of it however this process ends. Raises LakeBusy."""
    lake.locks.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(lake.locks / f"export-{name}.lock").acquire(timeout=0)
    except Timeout as e:
        raise LakeBusy(f"another process is making the export {name!r} of {lake.root}; wait for it") from e
    with lock:
        yield


@contextmanager
def draft_folder(lake: Lake, name: str) -> Iterator[Path]:
    """An empty hidden folder for this export; gone afterwards unless it was renamed."""
    folder = lake.exports / f".{name}.draft"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(lake: Lake) -> None:
    """Remove the drafts of killed runs: those whose name no process holds."""
    for folder in sorted(lake.exports.glob(".*.draft")):
        left = _DRAFT.fullmatch(folder.name)
        if left is None:
            continue
        try:
            with export_lock(lake, left["name"]):
                shutil.rmtree(folder, ignore_errors=True)
        except LakeBusy:
            continue   # that export is being made right now
