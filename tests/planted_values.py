"""More faults to plant in the good lake: values that cannot be, counts that do not agree."""

import json
from dataclasses import replace
from datetime import date

from lake import Lake
from lake.tables import (
    DUPLICATES,
    LABELS,
    PLACEHOLDERS,
    RAW_HARVESTS,
    RAW_HITS,
    RAW_IMAGES,
    RAW_PAGES,
    RECORD_LABELS,
    RECORDS,
    SAMPLES,
)
from lake.vectors import VectorStore
from tests.good_lake import EXPORT, MODEL, Row, change_rows, row_of, sha256
from tests.planted_faults import (
    IN_COPYRIGHT,
    LEDGER_SAMPLES,
    ON_DISK,
    A,
    B,
    C,
    Fault,
    change,
    change_all,
    drop,
    export_with,
    failed,
)

PLACEHOLDER: Row = {
    "sha256": sha256("c"), "archive": "demo", "evidence": "plain", "n_urls": 4, "n_titles": 4, "entropy": 1.0,
}


def add_placeholder(lake: Lake, **values: object) -> None:
    change_rows(lake, PLACEHOLDERS, lambda rows: rows.append(PLACEHOLDER | values))


def count_wrong(lake: Lake) -> None:
    """The export's manifest counts samples that are not there."""
    path = lake.exports / EXPORT / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"counts": {"samples": 9}}))


def add_record_of_no_hit(lake: Lake) -> None:
    change_rows(lake, RECORDS, lambda rows: rows.append(
        row_of(rows, native_id="5") | {"record_id": "demo:9", "native_id": "9", "image_url": None}))


VALUES: tuple[dict[str, Fault], ...] = (
    {
        "a class freer than its statement": (
            change_all(RECORDS, {"native_id": "4"}, rights_uri=IN_COPYRIGHT, rights_class="noncommercial"),
            failed(("records", "rights_class is that of its statement")),
        ),
        "a language that is none": (
            change(RECORDS, "language", "zz", native_id="4"),
            failed(("records", "language is an ISO 639-1 code")),
        ),
        "a date without its end": (
            change(RECORDS, "date_end", None, native_id="4"),
            failed(("records", "a date has a beginning and an end")),
        ),
        "an empty caption": (
            change(SAMPLES, "caption", "", sample_id=A), failed(("samples", "unknown text is NULL")),
        ),
        "a credit left out": (
            change(SAMPLES, "attribution", None, sample_id=B),
            failed(("samples", "a picture whose licence asks for credit names whom to credit"),
                   ("samples", "attribution is known often enough")),
        ),
        "a negative width": (
            change(RAW_IMAGES, "width", -5, sha256=sha256("c")),
            failed(("images", "ok images have all their facts")),
        ),
        "a sample without a cluster": (
            change(SAMPLES, "cluster_id", None, sample_id=C),
            failed(("samples", "cluster_id is never NULL")),
        ),
        "half a hash": (
            change(RAW_IMAGES, "phash", "abc", sha256=sha256("b")),
            failed(("images", "phash is 16 hex digits")),
        ),
        "a copy further away than hashes are long": (
            change(DUPLICATES, "distance", 70, sample_id=A),
            failed(("duplicates", "distance lies between 0 and 64"),
                   ("duplicates", "what is the same has no distance")),
        ),
        "a page that was counted and is not there": (
            drop(RAW_PAGES, query="ship"), failed(("harvests", "a slice has the pages it counted")),
        ),
        "more announced than came": (
            change(RAW_HARVESTS, "announced", 99, query="tram"),
            failed(("harvests", "a complete slice received what was announced")),
        ),
        "more than certain": (
            change(RECORD_LABELS, "confidence", 1.5, record_id="demo:5"),
            failed(("record_labels", "confidence lies between 0 and 1")),
        ),
        "evidence about a file nobody fetched": (
            lambda lake: add_placeholder(lake, sha256="9" * 64, evidence="a hunch", n_urls=1),
            failed(("placeholders", "evidence is one of the known values"),
                   ("placeholders", "n_urls lies between 2 and 1e+12"),
                   ("placeholders", "every placeholder was fetched")),
        ),
        "an export that says more than it holds": (
            count_wrong, failed(("exports", "an export holds as many samples as it says")),
        ),
    },
    {
        "a class stricter than its statement": (
            change(RECORDS, "rights_class", "restricted", native_id="4"),
            failed(("records", "rights_class is that of its statement")),
        ),
        "a hit without an id": (
            change(RAW_HITS, "hit_id", None, native_id="2"),
            failed(("hits", "hit_id is never NULL"),
                   ("harvests", "the hits that a slice received are in the lake")),
        ),
        "a label from nowhere": (
            change(RECORD_LABELS, "source", "guess", record_id="demo:5"),
            failed(("record_labels", "source is one of the known values")),
        ),
        "a record of no hit": (
            add_record_of_no_hit,
            failed(("ledger", "searches of records = hits in records"),
                   ("record_labels", "a record's labels are those of its rows here")),
        ),
        "a date in the future": (
            change_all(RECORDS, {"native_id": "4"}, date_start=date(2999, 1, 1), date_end=date(2999, 12, 31),
                       year=2999),
            failed(("records", "no date is in the future")),
        ),
        "a link that runs a script": (
            change(RECORDS, "landing_url", "javascript:alert(1)", native_id="4"),
            failed(("records", "landing_url can be followed")),
        ),
        "a size below zero": (
            change(RAW_IMAGES, "bytes", -1, sha256=sha256("b")),
            failed(("images", "ok images have all their facts"), ("images", ON_DISK)),
        ),
        "one colour of three": (
            change(RAW_IMAGES, "rgb_mean", [0.1], sha256=sha256("b")),
            failed(("images", "mean and deviation of colour lie between 0 and 1")),
        ),
        "a placeholder among the samples": (
            add_placeholder,
            {LEDGER_SAMPLES} | failed(("placeholders", "no placeholder is a sample"),
                                      ("images", "no host fails for too many of its images"),
                                      ("samples", "every sample's picture is an ok image")),
        ),
        "a sample of no record": (
            change(SAMPLES, "record_ids", [], sample_id=C), failed(("samples", "every sample has a record")),
        ),
        "a year that no record says": (
            change(SAMPLES, "year", 1700, sample_id=B),
            failed(("samples", "a sample's year is that of one of its records")),
        ),
        "a tier nobody knows": (
            change(LABELS, "tier", "middle", label="ship"),
            failed(("labels", "tier is one of the known values")),
        ),
        "vectors of another length than their model's": (
            lambda lake: VectorStore(lake).register(replace(MODEL, dim=5)),
            failed(("vectors", "vectors have as many numbers as their model gives")),
        ),
        "an exported picture that the lake has no more": (
            export_with(sha256=[sha256("a"), sha256("b"), "f" * 64]),
            failed(("exports", "what an export let out may still leave")),
        ),
        "a file slipped into an export": (
            lambda lake: (lake.exports / EXPORT / "extra.txt").write_text("x") and None,
            failed(("exports", "every export is whole")),
        ),
    },
)
