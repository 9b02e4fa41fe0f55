"""EUFCC-340K: 346,324 pictures of European museums, labelled in four facets of hierarchies (in Catalan).

Documentation: https://github.com/cesc47/EUFCC-340K and Net et al., "EUFCC-340K: A Faceted Hierarchical
Dataset for Metadata Annotation in GLAM Collections" (arXiv 2406.02380), as of autumn 2026. No service:
`--base-url` names one of its CSV files or the folder that holds them (`train.csv`, `val.csv`, `test_id.csv`,
`test_ood.csv`, or parts such as `test_id_part1.csv`), whose name is the split its rows belong to. Cells of
the facets hold label paths: `$` between labels, `|` between levels. Rights: none are given.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.archives._archive import Archive, Page, Query, Request, refuse, text_of_id
from pipelines.archives._csv import Row, csv_files, csv_rows


class Eufcc(Archive):
    """The published CSV files, row by row."""

    name = "eufcc"
    title = "EUFCC-340K (CSV files)"
    holds = "346,324 pictures from 358 European institutions with faceted, hierarchical labels"
    docs_url = "https://github.com/cesc47/EUFCC-340K"
    base_url = ""
    paging = "rows of local CSV files, 1,000 a page, no ceiling"
    rights_field = "none"
    languages = ("ca",)
    queries = ("*",)
    reads_files = True
    page_size = 1000
    delay_s = 0.0
    first_token = "start"

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """Never asked: there is no service."""
        raise refuse(self.name, "it has no service, only files")

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Never asked: there is no service."""
        raise refuse(self.name, "it has no service, only files")

    def native_id(self, item: Mapping[str, Any]) -> str | None:
        """The row's identifier."""
        return text_of_id(item.get("idInSource"))

    def read_local(self, query: Query, location: str, token: str, page_size: int) -> Page:
        """The next rows that hold every word of the query; a page never goes beyond the end of a file.

        `token` is "byte row file name": where the last page ended.
        """
        files = csv_files(location, self.name)
        at, start, number = self._place(files, token)
        items: list[str] = []
        ids: list[str | None] = []
        following = f"0 0 {files[at + 1].name}" if at + 1 < len(files) else None
        for row in csv_rows(files[at], start, number):
            if len(items) == page_size:
                following = f"{start} {number} {files[at].name}"
                break
            start, number = row.end, row.number
            if _holds(row, _words(query)):
                items.append(_payload(files[at], row))
                ids.append(_native_id(row))
        stamps = tuple((file, file.stat().st_mtime_ns) for file in files)
        return Page(items, ids, _n_hits(stamps, _words(query)), following)

    def _place(self, files: list[Path], token: str) -> tuple[int, int, int]:
        """Position of the file, the byte to go on at, and the row that ends there."""
        if token == self.first_token:
            return 0, 0, 0
        start, number, name = token.split(" ", 2)
        at = next((n for n, file in enumerate(files) if file.name == name), None)
        if at is None or int(start) > files[at].stat().st_size:
            raise refuse(self.name, f"{name} is gone or has become shorter")
        return at, int(start), int(number)


@functools.lru_cache(maxsize=8)
def _n_hits(stamps: tuple[tuple[Path, int], ...], words: tuple[str, ...]) -> int:
    """Rows of all files that hold the words, an identifier given twice counted once.

    `stamps` are the files and when each was changed, so that a changed file is counted anew.
    """
    seen: set[str] = set()
    without_id = 0
    for path, _ in stamps:
        for row in csv_rows(path):
            if _holds(row, words):
                native_id = _native_id(row)
                seen.add(native_id or "")
                without_id += native_id is None
    return len(seen - {""}) + without_id


def _words(query: Query) -> tuple[str, ...]:
    return tuple(word for word in query.text.casefold().split() if word != "*")


def _holds(row: Row, words: tuple[str, ...]) -> bool:
    if not words:
        return True
    text = "\n".join(row.cells.values()).casefold()
    return all(word in text for word in words)


def _native_id(row: Row) -> str | None:
    return text_of_id(row.cells.get("idInSource"))


def _payload(path: Path, row: Row) -> str:
    """The cells as they stand in the file, by column, and where they stand."""
    return json.dumps(row.cells | {"csv_file": path.name, "csv_row": row.number}, ensure_ascii=False)


ARCHIVE = Eufcc()
