"""csv: the folder that users of HistoryCLIP know, with relative paths and lists as JSON.

    images/<sample_id>.<ext>       the picture as the archive served it
    metadata_multi_label.csv       one row per picture, all its labels; _train, _val and test splits beside it
    metadata_single_label.csv      one row per picture that has a primary label; the same variants
    metadata_…_label_raw.csv       one row per record of those pictures, before they were merged by picture
    img_rgb_mean.json, img_rgb_std.json    three numbers each, 0..1, every picture with the same weight
    outputs/                       plots of this data set (PNG) and the numbers behind them (CSV)

With `by_archive` there is such a folder for each archive (EUROPEANA/…), with its own records, and one of
all N merged, HISTORY_XN/, whose tables point at the pictures in the archives' folders. A picture that two
archives hold lies in both their folders, and once in the merged tables.

Unknown is an empty field. Values are written as they are, also those that begin with = + - @: a prefix would
change titles for every program that reads the file, to protect the one that runs them. Whoever opens it in a
spreadsheet imports it as text; the manifest says so. Pictures are copied, not linked: people resize those of
such a folder, and a hard link would carry that into the lake's store.
"""

import csv
import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake import Lake
from lake.catalog import query
from pipelines.exports._croissant import (
    Description,
    file_set,
    picture_fields,
    picture_media_type,
    record_set,
)
from pipelines.exports._csv import ROW_END, CsvFile
from pipelines.exports._draft import Draft
from pipelines.exports._picture import Picture
from pipelines.exports._reading import with_files
from pipelines.exports._samples import SAMPLES_FILE
from pipelines.exports._selection import ExportOptions

FORMAT = "csv"
NOTES = (
    "pandas: read_csv(path, keep_default_na=False, na_values=['']) keeps titles such as 'NA' and 'None'",
    "columns user_query, multi_labels, archives and record_ids are JSON lists: json.loads",
    "spreadsheets: import the CSV files as text; values are exact, also those that begin with = + - @",
    "images/ holds each picture as the archive served it: apply its EXIF orientation, convert to RGB",
    "img_path is relative to the folder of its table; outputs/ holds plots of the data set and their numbers",
)
MERGED = "HISTORY_X"
_COLUMNS = (
    "id", "doc_id", "title", "description", "enriched_document_description", "user_query", "label",
    "multi_labels", "raw_doc_date", "doc_date", "doc_year", "country", "dataset", "doc_url", "img_url",
    "img_path", "split", "rights_class", "attribution", "archives", "record_ids", "cluster_id", "sha256",
)
_ONLY_MULTI = ("user_query", "multi_labels")
_ALWAYS = ("", "_train", "_val", "_raw")
_OF_RECORD = {
    "doc_id": "record_id", "raw_doc_date": "date_raw", "doc_date": "date_start", "country": "country",
    "dataset": "archive", "doc_url": "landing_url", "img_url": "image_url",
}
"""Columns that only one archive's record can fill, by the names HistoryCLIP gives them."""

Row = dict[str, Any]


def write(lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:
    """Write the pictures, the tables, the mean colours and the plots."""
    archives = _archives(draft) if options.by_archive else []
    with ExitStack() as stack:
        merged = _Folder(draft, stack, f"{MERGED}{len(archives)}/" if archives else "")
        folders = {name: _Folder(draft, stack, f"{name.upper()}/", name) for name in archives}
        for picture, file in with_files(lake, pictures, options.max_side):
            image = f"images/{picture.sample_id}.{file.extension}"
            held = [folders[name] for name in picture.sample["archives"] or [] if name in folders]
            for place in held or [merged]:
                draft.put(place.prefix + image, file.content, file.sha256)
            for place in held:
                place.add(place.own_part(picture), image)
            merged.add(picture, f"../{held[0].prefix}{image}" if held else image)
    for folder in (merged, *folders.values()):
        folder.finish(lake)


def describe(draft: Draft) -> Description:
    """The pictures by their sample, a set for each kind of file, and the tables as files."""
    pictures = [path for path in draft.files if "images" in path.split("/")[:-1]]
    extensions = sorted({path.rsplit(".", 1)[-1] for path in pictures})
    where = "images" if any(path.startswith("images/") for path in pictures) else "*/images"
    return Description(
        files=tuple(sorted(path for path in draft.files if path.endswith(".csv") and "outputs/" not in path)),
        file_sets=tuple(
            file_set(f"{kind}_files", f"{where}/*.{kind}", picture_media_type(kind)) for kind in extensions
        ),
        record_sets=tuple(
            record_set(f"{kind}_pictures", f"One picture per sample, as {kind}.",
                       picture_fields(f"{kind}_pictures", f"{kind}_files"))
            for kind in extensions
        ),
    )


def sample_row(picture: Picture, path: str) -> Row:
    """One picture. Date, country and addresses are those of the record that gave the sample its title."""
    sample, records = picture.sample, picture.records
    leading: Row = min(records, key=lambda r: (r["title"] != sample["title"], r["record_id"]), default={})
    return {
        **{column: leading.get(field) for column, field in _OF_RECORD.items()},
        **{column: sample[column] for column in _COLUMNS if column in sample},
        "id": sample["sample_id"],
        "enriched_document_description": sample["caption"],
        "user_query": sorted({query for record in records for query in record["queries"] or []}),
        "multi_labels": sample["labels"] or [],
        "doc_year": sample["year"],
        "img_path": path,
    }


def record_row(picture: Picture, record: Row, path: str) -> Row:
    """One record in the words of its own archive; `id`, `img_path` and `split` are those of its picture."""
    labels = record["labels"] or []
    primary = picture.sample["label"]
    return sample_row(picture, path) | {
        **{column: record[field] for column, field in _OF_RECORD.items()},
        **{column: record[column] for column in ("title", "description", "rights_class")},
        "enriched_document_description": record["caption"],
        "user_query": record["queries"] or [],
        "label": primary if primary in labels else next(iter(labels), None),
        "multi_labels": labels,
        "doc_year": record["year"],
        "attribution": record["provider"],
        "archives": [record["archive"]],
        "record_ids": [record["record_id"]],
    }


def mean_colour(lake: Lake, digests: list[str]) -> tuple[list[float] | None, list[float] | None]:
    """Mean and standard deviation per channel over pictures, from the facts taken when each was fetched.

    Null where no picture has such facts. The deviation is over all pixels: within pictures and between them.
    """
    facts = query(lake, """
        select any_value(rgb_mean) as mean, any_value(rgb_std) as std from images
        where sha256 in (select unnest(?)) and len(rgb_mean) = 3 and len(rgb_std) = 3
        group by sha256 order by sha256
    """, [digests])
    if not len(facts):
        return None, None
    means, stds = np.array(facts.column("mean").to_pylist()), np.array(facts.column("std").to_pylist())
    mean = means.mean(axis=0)
    std = np.sqrt(np.maximum((stds**2 + means**2).mean(axis=0) - mean**2, 0))
    return np.round(mean, 6).tolist(), np.round(std, 6).tolist()


def _archives(draft: Draft) -> list[str]:
    """The archives of the samples of this export, sorted."""
    lists = pq.read_table(draft.folder / SAMPLES_FILE, columns=["archives"])["archives"]
    return sorted(pc.unique(pc.list_flatten(lists)).to_pylist())


class _Folder:
    """A folder as HistoryCLIP's users know it: of the whole export, or of what one archive gave to it."""

    def __init__(self, draft: Draft, stack: ExitStack, prefix: str, archive: str | None = None) -> None:
        self.prefix = prefix
        self._archive = archive
        self._draft = draft
        self._sheets = _Sheets(draft, stack, prefix)
        self._digests: list[str] = []

    def own_part(self, picture: Picture) -> Picture:
        """A picture with only those of its records that are this archive's."""
        records = [record for record in picture.records if record["archive"] == self._archive]
        return replace(picture, records=records)

    def add(self, picture: Picture, image: str) -> None:
        """The rows of one picture, which lies at this path relative to the folder."""
        self._digests.append(picture.sample["sha256"])
        row = sample_row(picture, image)
        self._sheets.add("", row)
        self._sheets.add(f"_{row['split']}", row)
        for record in picture.records:
            self._sheets.add("_raw", record_row(picture, record, image))

    def finish(self, lake: Lake) -> None:
        """Write what is made from all pictures together."""
        from pipelines.plots import files_of, plots_of_export  # matplotlib; only this format draws

        mean, std = mean_colour(lake, self._digests)
        self._draft.put(f"{self.prefix}img_rgb_mean.json", _json_line(mean))
        self._draft.put(f"{self.prefix}img_rgb_std.json", _json_line(std))
        for plot in plots_of_export(lake, self._draft.folder / SAMPLES_FILE, self._archive):
            for name, content in files_of(plot, with_svg=False):
                self._draft.put(f"{self.prefix}outputs/{name}", content)


class _Sheets:
    """Both families of CSV files; the usual ones open at once, those of other splits with their first row."""

    def __init__(self, draft: Draft, stack: ExitStack, prefix: str) -> None:
        self._draft = draft
        self._stack = stack
        self._prefix = prefix
        self._writers: dict[str, csv.DictWriter[str]] = {}
        for variant in _ALWAYS:
            self._multi(variant)
            self._single(variant)

    def add(self, variant: str, row: Row) -> None:
        """A row of one variant, to the single-label file only if it has a primary label."""
        cells = {name: _cell(value) for name, value in row.items()}
        self._multi(variant).writerow(cells)
        single = self._single(variant)
        if row["label"] is not None:
            single.writerow(cells)

    def _multi(self, variant: str) -> "csv.DictWriter[str]":
        return self._writer(f"{self._prefix}metadata_multi_label{variant}.csv", _COLUMNS)

    def _single(self, variant: str) -> "csv.DictWriter[str]":
        columns = tuple(column for column in _COLUMNS if column not in _ONLY_MULTI)
        return self._writer(f"{self._prefix}metadata_single_label{variant}.csv", columns)

    def _writer(self, path: str, columns: tuple[str, ...]) -> "csv.DictWriter[str]":
        if path not in self._writers:
            file = CsvFile(self._stack.enter_context(self._draft.open(path)))
            self._writers[path] = csv.DictWriter(
                file, columns, extrasaction="ignore", lineterminator=ROW_END,
            )
            self._writers[path].writeheader()
        return self._writers[path]


def _cell(value: object) -> object:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date) else value


def _json_line(value: object) -> bytes:
    return (json.dumps(value) + "\n").encode()

