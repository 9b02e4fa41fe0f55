"""A data set while it is written: a hidden folder beside the frozen ones, and the sha256 of each file."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from lake import Lake
from lake.errors import ExportError, LakeBusy

_NAME = re.compile(r"\w[\w.+-]{0,99}")
_DRAFT = re.compile(r"\.(?P<name>.+)\.draft")


class HashedFile:
    """A file open for writing that keeps the sha256 of what went in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._n_bytes = 0

    def write(self, content: bytes) -> int:
        """Append bytes."""
        self._file.write(content)
        self._hash.update(content)
        self._n_bytes += len(content)
        return len(content)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._n_bytes

    @property
    def sha256(self) -> str:
        """The sum of all that was written so far."""
        return self._hash.hexdigest()


class Draft:
    """The folder of an export in the making: `files` has the sha256 of each path, `shards` its samples."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self.shards: dict[str, int] = {}

    @contextmanager
    def open(self, path: str) -> Iterator[HashedFile]:
        """A new file at a path relative to the export."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as raw:
            file = HashedFile(raw)
            yield file
        self.files[path] = file.sha256

    def put(self, path: str, content: bytes) -> None:
        """A whole new file."""
        with self.open(path) as file:
            file.write(content)


def check_name(name: str) -> None:
    """Raises ExportError for a name that is not one plain, visible folder name."""
    if not _NAME.fullmatch(name):
        raise ExportError(
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
