"""Faults to plant in the good lake, and the expectations that must tell them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake import Lake
from lake.tables import (
    DUPLICATES,
    LABELS,
    RAW_HARVESTS,
    RAW_HITS,
    RAW_IMAGES,
    RAW_PAGES,
    RECORD_LABELS,
    RECORDS,
    REJECTIONS,
    SAMPLES,
    Table,
)
from lake.vectors import VectorRow, VectorStore
from tests.good_lake import EXPORT, MODEL, change_rows, hit_id, row_of, sha256, sign_export

Told = set[tuple[str, str, str]]
LEDGER_HITS = ("ledger", "hits = hits in records + rejections", "failed")
LEDGER_SAMPLES = ("ledger", "ok images of records = samples + duplicates", "failed")


def change(table: Table, name: str, value: object, **where: object) -> Callable[[Lake], None]:
    """A fault: one value of one row."""

    def plant(lake: Lake) -> None:
        change_rows(lake, table, lambda rows: row_of(rows, **where).update({name: value}))

    return plant


def drop(table: Table, **where: object) -> Callable[[Lake], None]:
    """A fault: one row is lost."""
    return lambda lake: change_rows(lake, table, lambda rows: rows.remove(row_of(rows, **where)))


def double(table: Table, **where: object) -> Callable[[Lake], None]:
    """A fault: one row is there twice."""
    return lambda lake: change_rows(lake, table, lambda rows: rows.append(row_of(rows, **where)))


def change_all(table: Table, where: dict[str, object], **values: object) -> Callable[[Lake], None]:
    """A fault: several values of one row."""
    return lambda lake: change_rows(lake, table, lambda rows: row_of(rows, **where).update(values))


def overwrite(letter: str, content: bytes) -> Callable[[Lake], None]:
    """A fault: other bytes in the file of a picture."""
    return lambda lake: next(lake.images.glob(f"*/*/{sha256(letter)}.jpg")).write_bytes(content) and None


def embed(*vectors: tuple[str, str, list[float]]) -> Callable[[Lake], None]:
    """A fault: vectors of samples (id, letter of the picture) written anew."""
    rows = [VectorRow(i, sha256(letter), np.array(v, np.float32)) for i, letter, v in vectors]
    return lambda lake: VectorStore(lake).add(MODEL.model_id, rows)


def export_with(**columns: Any) -> Callable[[Lake], None]:
    """A fault: columns of the export's samples, as if it had been frozen with them."""

    def plant(lake: Lake) -> None:
        path = lake.exports / EXPORT / "samples.parquet"
        table = pq.read_table(path)
        for name, values in columns.items():
            table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
        pq.write_table(table, path)
        sign_export(path.parent)

    return plant


def failed(*pairs: tuple[str, str]) -> Told:
    return {(table, expectation, "failed") for table, expectation in pairs}


A, B, C, GONE = "a" * 16, "b" * 16, "c" * 16, "e" * 16
ON_DISK = "files of ok images are on the disk (up to 20,000 looked at)"
AS_FETCHED = "files hold the bytes that were fetched (up to 1 GiB read)"
IN_COPYRIGHT = "http://rightsstatements.org/vocab/InC/1.0/"
ITEMS_OF_PAGES = "every page has the items it was counted with"
Fault = tuple[Callable[[Lake], None], Told]
# Each group is planted in one lake; no two faults of a group are told by the same expectation.
FAULTS: tuple[dict[str, Fault], ...] = (
    {
        "a hit lost without a word": (drop(REJECTIONS, native_id="6"), {LEDGER_HITS}),
        "a payload that is no JSON": (
            change(RAW_HITS, "payload", "{", native_id="1", query="tram"),
            failed(("hits", "payload is JSON")),
        ),
        "a slice left running": (
            change(RAW_HARVESTS, "status", "running", query="ship"),
            failed(("harvests", "no slice was left unfinished")),
        ),
        "a record there twice": (double(RECORDS, native_id="4"), failed(("records", "record_id is unique"))),
        "a year that is not the date's": (
            change(RECORDS, "year", 1970, native_id="5"),
            failed(("records", "year is the year of date_start"),
                   ("samples", "a sample's year is that of one of its records")),
        ),
        "an image status nobody knows": (
            change(RAW_IMAGES, "status", "lost", status="http_error"),
            failed(("images", "status is one of the known values"),
                   ("ledger", "image URLs of records = images with a status + not yet fetched")),
        ),
        "a cluster in two splits": (
            change(SAMPLES, "cluster_id", A, sample_id=B),
            failed(("samples", "no cluster lies in two splits")),
        ),
        "a label counted wrong": (
            change(LABELS, "n_samples", 7, label="ship"),
            failed(("labels", "n_samples is the number of samples that bear the label")),
        ),
        "a page left out of the paging": (
            change(RAW_PAGES, "page", 2, query="tram"),
            failed(("harvests", "no page of a slice is missing"), ("harvests", ITEMS_OF_PAGES)),
        ),
        "a path that leads to another label": (
            change(RECORD_LABELS, "path", ["vehicle", "boat"], record_id="demo:4"),
            failed(("record_labels", "a path ends at its label")),
        ),
        "a picture edited on the disk": (overwrite("b", b"pictura b"), failed(("images", AS_FETCHED))),
        "a picture of one flat colour": (
            change(RAW_IMAGES, "rgb_std", [0.0, 0.0, 0.0], sha256=sha256("c")),
            failed(("images", "ok images are not one flat colour")),
        ),
        "labels out of order": (
            change(SAMPLES, "labels", ["tram", "ship"], sample_id=A),
            failed(("samples", "lists are sorted and distinct")),
        ),
        "a sample credited to another archive": (
            change(SAMPLES, "archives", ["europeana"], sample_id=C),
            failed(("samples", "a sample's archives are those of its records")),
        ),
        "the same bytes at a distance": (
            change(DUPLICATES, "distance", 7, sample_id=A),
            failed(("duplicates", "what is the same has no distance")),
        ),
        "a label that the table lacks": (
            drop(LABELS, label="tram"), failed(("labels", "every label of a sample is in the table")),
        ),
        "a vector of zeros": (
            embed((B, "b", [0, 0, 0, 0])), failed(("vectors", "every vector has length 1")),
        ),
        "rights unknown in an open export": (
            export_with(rights_class=["open", "open", "unknown"]),
            failed(("exports", "no export holds rights it was not made for")),
        ),
    },
    {
        "a hit both rejected and used": (
            change(REJECTIONS, "hit_id", hit_id("tram", "1"), native_id="6"), {LEDGER_HITS},
        ),
        "a payload with a key": (
            change(RAW_HITS, "payload", '{"link": "https://x.invalid/?wskey=s3cr3tkey"}', native_id="2"),
            failed(("hits", "no payload carries an API key")),
        ),
        "a slice cut short by the service": (
            change(RAW_HARVESTS, "status", "truncated", query="ship"),
            failed(("harvests", "no slice was left unfinished")),
        ),
        "open without a licence": (
            change(RECORDS, "rights_uri", None, native_id="4"),
            failed(("records", "open records name their licence")),
        ),
        "text that says None": (
            change(RECORDS, "country", "None", native_id="5"), failed(("records", "unknown text is NULL")),
        ),
        "an image row lost after its sample was made": (
            drop(RAW_IMAGES, sha256=sha256("b")),
            {LEDGER_SAMPLES} | failed(("samples", "every sample's picture is an ok image")),
        ),
        "a duplicate called near that has the same bytes": (
            change(DUPLICATES, "relation", "near", sample_id=A),
            failed(("duplicates", "the same bytes are called same_bytes")),
        ),
        "a search whose slice was never noted": (
            drop(RAW_HARVESTS, query="tram"), failed(("hits", "every hit belongs to a slice of a harvest")),
        ),
        "a slice that ended before it began": (
            change(RAW_HARVESTS, "finished_at", datetime(2020, 1, 1, tzinfo=UTC), query="ship"),
            failed(("harvests", "no slice ended before it began")),
        ),
        "a year of 1970": (
            change_all(RECORDS, {"native_id": "5"}, date_start=date(1970, 1, 1),
                       date_end=date(1970, 12, 31), year=1970),
            failed(("records", "1 January 1970 is what the archive wrote"),
                   ("samples", "a sample's year is that of one of its records")),
        ),
        "a title in the wrong encoding": (
            change(RECORDS, "title", "Die alte BrÃ¼cke", native_id="4"),
            failed(("records", "text is not garbled")),
        ),
        "a label of blanks": (
            change_all(RECORD_LABELS, {"record_id": "demo:5"}, label=" "),
            failed(("record_labels", "a label is a word"), ("record_labels", "a path ends at its label"),
                   ("record_labels", "a record's labels are those of its rows here")),
        ),
        "half a picture": (overwrite("c", b"pic"), failed(("images", ON_DISK), ("images", AS_FETCHED))),
        "an error page taken for a picture": (
            change(RAW_IMAGES, "http_status", 503, sha256=sha256("c")),
            failed(("images", "ok images were answered with success")),
        ),
        "a primary label that is none of the labels": (
            change(SAMPLES, "label", "tank", sample_id=C),
            failed(("samples", "the primary label is one of the labels")),
        ),
        "a copy in another cluster": (
            change(DUPLICATES, "cluster_id", GONE, sample_id=A),
            failed(("duplicates", "a duplicate is in the cluster of its sample")),
        ),
        "training samples counted wrong": (
            change(LABELS, "n_train", 0, label="ship"),
            failed(("labels", "n_train and n_val are the numbers of samples in these splits")),
        ),
        "an encoder that sees the same everywhere": (
            embed((A, "a", [1, 0, 0, 0]), (B, "b", [1, 0, 0, 0]), (C, "c", [1, 0, 0, 0])),
            failed(("vectors", "vectors differ from each other")),
        ),
        "a file of an export changed": (
            lambda lake: (lake.exports / EXPORT / "images/a.jpg").write_bytes(b"retouched") and None,
            failed(("exports", "every export is whole")),
        ),
    },
    {
        "a hit rejected twice": (
            double(REJECTIONS, native_id="6"), {LEDGER_HITS} | failed(("rejections", "hit_id is unique")),
        ),
        "a record without a hit": (
            change(RECORDS, "queries", ["ship", "tram"], native_id="2"),
            failed(("ledger", "searches of records = hits in records")),
        ),
        "hits that a slice received and the lake lost": (
            change(RAW_HARVESTS, "received", 5, query="tram"),
            failed(("harvests", "a complete slice received what was announced"),
                   ("harvests", "the hits that a slice received are in the lake")),
        ),
        "a non-commercial licence called open": (
            change(RECORDS, "rights_uri", "https://creativecommons.org/licenses/by-nc/4.0/", native_id="4"),
            failed(("records", "no licence with NC or ND, and no InC statement, is open"),
                   ("records", "rights_class is that of its statement")),
        ),
        "an open sample of a restricted record": (
            change_all(RECORDS, {"native_id": "3"}, rights_uri=IN_COPYRIGHT, rights_class="restricted"),
            failed(("samples", "no sample is freer than its records")),
        ),
        "an ok image that became nothing": (drop(DUPLICATES, sample_id=A), {LEDGER_SAMPLES}),
        "a label without samples": (
            lambda lake: change_rows(lake, LABELS, lambda rows: rows.append(
                row_of(rows, label="ship") | {"label": "tank", "n_samples": 0, "n_train": 0, "n_val": 0})),
            failed(("labels", "every label has samples enough")),
        ),
        "an answer from the future": (
            change(RAW_HITS, "fetched_at", datetime(2999, 1, 1, tzinfo=UTC), native_id="2"),
            failed(("hits", "fetched_at is not in the future")),
        ),
        "a date that ends before it begins": (
            change(RECORDS, "date_end", date(1900, 1, 1), native_id="4"),
            failed(("records", "date_end is not before date_start")),
        ),
        "a title in decomposed letters": (
            change(RECORDS, "title", "A\u0308hta\u0308ri", native_id="2"),
            failed(("records", "text is in Unicode's NFC")),
        ),
        "a broken path": (
            change(RAW_IMAGES, "path", "images/no/where.jpg", sha256=sha256("c")),
            failed(("images", ON_DISK), ("images", "the path of an image names its sha256"),
                   ("samples", "every sample's picture is an ok image")),
        ),
        "a sample of a record that is gone": (
            change(SAMPLES, "record_ids", ["demo:99"], sample_id=C),
            failed(("samples", "the records of every sample exist")),
        ),
        "a vector of no sample": (
            embed((GONE, "e", [0, 0, 0, 1])), failed(("vectors", "every vector is of a sample there is")),
        ),
        "an exported picture whose rights were withdrawn": (
            change(SAMPLES, "rights_class", "restricted", sample_id=C),
            failed(("exports", "what an export let out may still leave")),
        ),
    },
    {
        "a rejection without a rule": (
            change(REJECTIONS, "rule", None, native_id="6"), failed(("rejections", "rule is never NULL")),
        ),
        "a rights class nobody knows": (
            change(RECORDS, "rights_class", "free", native_id="4"),
            failed(("records", "rights_class is one of the known values")),
        ),
        "an entity in a title": (
            change(RECORDS, "title", "Train &amp; crew", native_id="5"),
            failed(("records", "text is free of HTML")),
        ),
        "a label of no record": (
            change(RECORD_LABELS, "record_id", "demo:9", record_id="demo:3"),
            failed(("record_labels", "every labelled record exists"),
                   ("record_labels", "a record's labels are those of its rows here")),
        ),
        "an ok image without its facts": (
            change(RAW_IMAGES, "phash", None, sha256=sha256("c")),
            failed(("images", "ok images have all their facts")),
        ),
        "a split nobody knows": (
            change(SAMPLES, "split", "test", sample_id=B),
            failed(("samples", "split is one of the known values"),
                   ("labels", "n_train and n_val are the numbers of samples in these splits"),
                   ("ledger", "samples = train + val + test_id + test_ood")),
        ),
        "a duplicate of no sample": (
            change(DUPLICATES, "sample_id", "d" * 16, sample_id=A),
            failed(("duplicates", "every duplicate belongs to a sample")),
        ),
        "a dropped page": (
            drop(RAW_HITS, native_id="4"),
            failed(("harvests", ITEMS_OF_PAGES),
                   ("harvests", "the hits that a slice received are in the lake"),
                   ("ledger", "searches of records = hits in records")),
        ),
        "a date long before photography": (
            change_all(RECORDS, {"native_id": "4"}, date_start=date(800, 1, 1), year=800),
            failed(("records", "no date is earlier than one believes")),
        ),
        "creators out of order": (
            change(RECORDS, "creators", ["b", "a"], native_id="4"),
            failed(("records", "lists are sorted and distinct")),
        ),
        "a colour beyond white": (
            change(RAW_IMAGES, "rgb_mean", [2.0, 0.1, 0.1], sha256=sha256("b")),
            failed(("images", "mean and deviation of colour lie between 0 and 1")),
        ),
        "tiers upside down": (
            change(LABELS, "tier", "tail", label="ship"),
            failed(("labels", "no tier has a label rarer than the next tier's")),
        ),
        "a vector of another picture": (
            embed((B, "z", [0, 0, 0, 1])),
            failed(("vectors", "every sample has a vector of the newest model")),
        ),
        "a cluster across the splits of an export": (
            export_with(cluster_id=[A, A, C]),
            failed(("exports", "no cluster lies in two splits of an export")),
        ),
    },
)
