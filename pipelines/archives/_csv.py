"""Rows of CSV files on this machine, read as a stream and taken up again at any row.

A row's place is the byte at which it begins, so a page is read without reading what stands before it. Cells
are the characters that stand in the file: line ends inside quotes stay as they are.
"""

import csv
import functools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lake.errors import ServiceUnavailable, UnexpectedAnswer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """One row: its number after the header (from 1), its cells by column, and the byte after it."""

    number: int
    cells: dict[str, str]
    end: int


def csv_files(location: str, archive: str) -> list[Path]:
    """The file, or every .csv file of the folder by name; raises ServiceUnavailable where there is none."""
    path = Path(location)
    found = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not location or not found or not found[0].is_file():
        raise ServiceUnavailable(f"{archive} reads CSV files, and {location!r} is none and holds none; "
                                 "name a file or folder with --base-url")
    return found


def csv_rows(path: Path, start: int = 0, number: int = 0) -> Iterator[Row]:
    """The rows that follow the byte `start`, which is where row `number` ends (0: the header).

    Empty lines are no rows. A cell that is missing has no key; those beyond the header are one more, named
    by their position. Raises UnexpectedAnswer, naming the file and row, for what is no whole CSV.
    """
    header, first = _header((path, path.stat().st_mtime_ns))
    for cells, end in _raw_rows(path, max(start, first), number):
        if cells:
            number += 1
            extra = {f"column {n}": cell for n, cell in enumerate(cells, 1) if n > len(header)}
            yield Row(number, dict(zip(header, cells, strict=False)) | extra, end)


@functools.lru_cache(maxsize=64)
def _header(stamp: tuple[Path, int]) -> tuple[list[str], int]:
    """The column names, and the byte after them, of a file as it is since its last change."""
    path = stamp[0]
    for cells, end in _raw_rows(path, 0, 0):
        if cells:
            return [cells[0].removeprefix("\ufeff"), *cells[1:]], end
    raise UnexpectedAnswer(f"{path.name} is empty; its first line must name the columns")


def _raw_rows(path: Path, start: int, number: int) -> Iterator[tuple[list[str], int]]:
    with path.open("rb") as file:
        file.seek(start)
        lines = _Lines(file, path.name)
        reader = csv.reader(lines, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as e:
                raise UnexpectedAnswer(f"{path.name} is no whole CSV after its row {number}: {e}") from e
            if cells is None:
                return
            number += bool(cells)
            yield cells, lines.end


class _Lines:
    """Lines of a file as text, and the byte after the last one handed out."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self.end = file.tell()

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.end += len(line)
            yield self._text(line)

    def _text(self, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            log.warning("%s: bytes before %d are not UTF-8; they become U+FFFD", self._name, self.end)
            return line.decode("utf-8", "replace")
