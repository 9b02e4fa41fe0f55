"""Faults to plant in the good lake, and the expectations that must tell them."""

from collections.abc import Callable

from lake import Lake
from lake.tables import (
    DUPLICATES,
    LABELS,
    RAW_HARVESTS,
    RAW_HITS,
    RAW_IMAGES,
    RECORD_LABELS,
    RECORDS,
    REJECTIONS,
    SAMPLES,
    Table,
)
from tests.good_lake import change_rows, hit_id, row_of, sha256

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


def failed(*pairs: tuple[str, str]) -> Told:
    return {(table, expectation, "failed") for table, expectation in pairs}


A, B = "a" * 16, "b" * 16
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
            failed(("records", "year is the year of date_start")),
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
            failed(("records", "no licence with NC or ND, and no InC statement, is open")),
        ),
        "an open sample of a restricted record": (
            change(RECORDS, "rights_class", "restricted", native_id="3"),
            failed(("samples", "an open sample has only open records")),
        ),
        "an ok image that became nothing": (drop(DUPLICATES, sample_id=A), {LEDGER_SAMPLES}),
        "a label without samples": (
            lambda lake: change_rows(lake, LABELS, lambda rows: rows.append(
                row_of(rows, label="ship") | {"label": "tank", "n_samples": 0, "n_train": 0, "n_val": 0})),
            failed(("labels", "every label has samples")),
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
                   ("ledger", "samples = train + val + test_id + test_ood")),
        ),
        "a duplicate of no sample": (
            change(DUPLICATES, "sample_id", "d" * 16, sample_id=A),
            failed(("duplicates", "every duplicate belongs to a sample")),
        ),
    },
)
