"""eufcc: tables in the columns and separators of EUFCC-340K, for code that was written for that data set.

    <split>.csv                one row per record: an object of an archive whose picture is in the export
    label_trees/<facet>.json   every label of a facet below its parents, as nested objects; leaves are empty

Between the labels of a cell stands ` $ `, between the levels of one label ` | `, broadest first. Labels come
from `record_labels` with their facet; a label that holds a separator itself gets ` / ` in its place. Topics
and subjects share a column. Pictures are named by their address, as in EUFCC-340K: none are inside.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from typing import Any

import pyarrow as pa

from lake import Lake
from lake.catalog import Connection, ask, connect
from pipelines.exports._croissant import Description, column_field, record_set
from pipelines.exports._csv import ROW_END, CsvFile
from pipelines.exports._draft import Draft, HashedFile
from pipelines.exports._picture import Picture
from pipelines.exports._selection import ExportOptions

FORMAT = "eufcc"
NOTES = (
    "cells: ` $ ` between labels, ` | ` between levels, broadest first; unknown is an empty field",
    "idInSource is the archive's own id, unique with `database`; samples.parquet maps records to pictures",
    "spreadsheets: import the CSV files as text; values are exact, also those that begin with = + - @",
    "label_trees/<facet>.json nests every label of a facet below its parents",
)
COLUMNS = (
    "idInSource", "objectTypes.hierarchy", "subjects.hierarchy", "materials.hierarchy",
    "#portraitMedia.original", "database", "repository.keeper", "classifications.hierarchy",
)
_COLUMN_OF_FACET = {
    "object_type": "objectTypes.hierarchy", "topic": "subjects.hierarchy", "subject": "subjects.hierarchy",
    "material": "materials.hierarchy", "discipline": "classifications.hierarchy",
}
_BETWEEN_LABELS, _BETWEEN_LEVELS = " $ ", " | "
_ROWS_A_PAGE = 2000

Tree = dict[str, Any]
Paths = dict[str, dict[str, set[tuple[str, ...]]]]
"""Of each record, the paths of its labels by column."""


def prepare(lake: Lake, pictures: Iterable[Picture]) -> Iterator[Picture]:
    """Each picture with the labels of its records, which the tables are made of."""
    waiting = iter(pictures)
    with connect(lake) as con:
        while page := list(islice(waiting, _ROWS_A_PAGE)):
            labels = _labels(con, page)
            for picture in page:
                yield replace(picture, extra=[row for r in picture.records for row in labels[r["record_id"]]])


def write(lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:  # noqa: ARG001
    """Write a table per split and a tree per facet."""
    trees: dict[str, Tree] = {column: {} for column in _COLUMN_OF_FACET.values()}
    with ExitStack() as stack:
        sheets: dict[str, _Sheet] = {}
        for picture in pictures:
            split, paths = str(picture.sample["split"]), _paths(picture.extra)
            for record in picture.records:
                if split not in sheets:
                    sheets[split] = _Sheet(stack.enter_context(draft.open(f"{split}.csv")))
                labels = paths.get(record["record_id"], {})
                sheets[split].add(record, labels)
                _grow(trees, labels)
    for column, tree in sorted(trees.items()):
        path = f"label_trees/{column.removesuffix('.hierarchy')}.json"
        draft.put(path, (json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())


def describe(draft: Draft) -> Description:
    """Each split's table as rows of its own."""
    tables = sorted(path for path in draft.files if path.endswith(".csv"))
    sets = []
    for path in tables:
        name = f"records_{path.removesuffix('.csv')}"
        source = {"fileObject": {"@id": path}}
        fields = [column_field(name, source, column, pa.string()) for column in COLUMNS]
        sets.append(record_set(name, f"One row per record of {path}.", fields))
    trees = sorted(path for path in draft.files if path.startswith("label_trees/"))
    return Description(files=(*tables, *trees), record_sets=tuple(sets))


class _Sheet:
    """One split's table."""

    def __init__(self, file: HashedFile) -> None:
        self._writer = csv.writer(CsvFile(file), lineterminator=ROW_END)
        self._writer.writerow(COLUMNS)

    def add(self, record: dict[str, Any], labels: dict[str, set[tuple[str, ...]]]) -> None:
        """One record."""
        plain = {
            "idInSource": record["native_id"], "#portraitMedia.original": record["image_url"],
            "database": record["archive"].upper(), "repository.keeper": record["provider"],
        }
        cells = {column: _cell(paths) for column, paths in labels.items()} | plain
        self._writer.writerow([cells.get(column) for column in COLUMNS])


def _cell(paths: set[tuple[str, ...]]) -> str:
    return _BETWEEN_LABELS.join(_BETWEEN_LEVELS.join(path) for path in sorted(paths))


def _labels(con: Connection, page: Iterable[Picture]) -> defaultdict[str, list[dict[str, Any]]]:
    """Of each record, its labels that have a facet."""
    ids = [record["record_id"] for picture in page for record in picture.records]
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in ask(con, _LABELS, [ids]).to_pylist():
        found[row["record_id"]].append(row)
    return found


def _paths(labels: Iterable[dict[str, Any]]) -> Paths:
    found: Paths = defaultdict(lambda: defaultdict(set))
    for row in labels:
        if row["facet"] in _COLUMN_OF_FACET:
            found[row["record_id"]][_COLUMN_OF_FACET[row["facet"]]].add(_path(row["path"], row["label"]))
    return found


def _path(path: list[str] | None, label: str) -> tuple[str, ...]:
    """The levels from the broadest to the label itself."""
    levels = list(path or [])
    if levels[-1:] != [label]:
        levels.append(label)
    return tuple(_without_separators(level) for level in levels)


def _without_separators(label: str) -> str:
    return label.replace(_BETWEEN_LABELS, " / ").replace(_BETWEEN_LEVELS, " / ")


def _grow(trees: dict[str, Tree], labels: dict[str, set[tuple[str, ...]]]) -> None:
    for column, paths in labels.items():
        for path in paths:
            tree = trees[column]
            for level in path:
                tree = tree.setdefault(level, {})


_LABELS = """
    select distinct record_id, facet, path, label
    from record_labels
    where record_id in (select unnest(?)) and facet is not null
    order by record_id, facet, path, label
"""
