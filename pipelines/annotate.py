"""Labels that models predict, and what cataloguers say to them: raw tables of their own.

A run of `annotate` is one file of `raw/annotations`, a review one of `raw/annotation_reviews`; neither
is ever changed. `curate --with-annotations` takes in what was accepted.
"""

import csv
import hashlib
import io
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake import Lake, catalog
from lake.drafts import in_place_of, whole_file
from lake.errors import BadReview, EmptyLake, UnknownThing, UsageError
from lake.tables import RAW_ANNOTATIONS, RAW_REVIEWS, SPLITS, Table
from models.collection import Collection, read_collection
from models.encoder import embedded_model
from models.ensemble import Annotator
from models.head_files import read_annotators
from models.label_truth import read_facets
from models.metrics import blocks
from pipelines import review_sheet
from pipelines.load import stage_lock

log = logging.getLogger(__name__)

Row = dict[str, Any]

DECISIONS = {
    **dict.fromkeys(("accept", "accepted", "yes", "y", "1", "ok", "true"), "accepted"),
    **dict.fromkeys(("refuse", "refused", "reject", "rejected", "no", "n", "0", "false"), "refused"),
}


@dataclass(frozen=True)
class AnnotateOptions:
    """What is written down: of each picture and facet at most so many labels, each at least so sure.

    `method` is one of those that `glamlake heads` compares; None takes the best of each facet.
    """

    facets: tuple[str, ...] = ()
    method: str | None = None
    min_confidence: float = 0.5
    most: int = 5
    splits: tuple[str, ...] = SPLITS
    sheet_pictures: int = 500


@dataclass(frozen=True)
class Annotated:
    """What a run wrote; `folder` has the review sheet, None where there was nothing to write."""

    run_id: str
    n_pictures: int
    n_annotations: int
    by_facet: Mapping[str, int]
    folder: Path | None


def annotate(lake: Lake, options: AnnotateOptions, model_id: str | None = None) -> Annotated:
    """Predict labels with the heads on a model's vectors and write them, with a sheet to review them.

    Left out is what the catalogue says already, what stands above that, and what a cataloguer decided
    on. Raises EmptyLake where no head was trained or no sample has a vector, UnknownThing for a facet
    or method there is not, LakeError where there is no room: neither rows nor a sheet are there then.
    """
    if not 0 <= options.min_confidence <= 1 or options.most < 1:
        raise UsageError("--min-confidence is between 0 and 1, and --most at least 1")
    model = embedded_model(lake, model_id)
    chosen = _chosen(read_annotators(lake, model.model_id), options)
    pictures = read_collection(lake, model.model_id, options.splits)
    if not pictures.rows:
        names = ", ".join(options.splits)
        raise EmptyLake(f"no {names} sample has a vector; run `glamlake embed`, or give another --split")
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    told = {"run_id": run_id, "model_id": model.model_id, "annotated_at": now}
    rows = [told | row for annotator, method, card in chosen
            for row in _predictions(lake, annotator, method, card, pictures, options)]
    rows = [_with_id(row) for row in rows]
    folder = None
    if rows:
        folder = lake.reports / "annotations" / run_id
        by_id = {str(row["sample_id"]): row for row in pictures.rows}
        with in_place_of(folder) as draft:
            review_sheet.write_sheet(lake, draft, rows, by_id, options.sheet_pictures)
            _append(lake, RAW_ANNOTATIONS, run_id, rows)
    facets = [annotator.facet for annotator, _, _ in chosen]
    by_facet = {facet: sum(row["facet"] == facet for row in rows) for facet in facets}
    log.info("annotated model=%s pictures=%d labels=%d", model.model_id, len(pictures.rows), len(rows))
    return Annotated(run_id, len(pictures.rows), len(rows), by_facet, folder)


def review(lake: Lake, path: Path, reviewer: str | None = None) -> dict[str, int]:
    """Take a reviewed sheet in: how many labels were accepted, refused and left undecided.

    Raises BadReview, and takes nothing in, for a file of another shape, a decision that is none, or an
    annotation that is not in the lake.
    """
    decided = _read_review(path)
    if not catalog.has_rows(lake, RAW_ANNOTATIONS):
        raise EmptyLake(f"nothing was annotated yet in {lake.root}; run `glamlake annotate` first")
    there = catalog.rows(lake, "select annotation_id from raw_annotations")
    known = {str(row["annotation_id"]) for row in there}
    if strangers := [name for name in decided if name not in known]:
        raise BadReview(
            f"{path}: annotation {strangers[0]!r} is not in this lake ({len(strangers)} such rows); "
            "take each review back to the lake it came from"
        )
    now = datetime.now(UTC)
    rows = [
        {"annotation_id": name, "decision": decision, "note": note or None, "reviewer": reviewer,
         "reviewed_at": now}
        for name, (decision, note) in decided.items() if decision
    ]
    if rows:
        _append(lake, RAW_REVIEWS, f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}", rows)
    counts = {kind: sum(row["decision"] == kind for row in rows) for kind in ("accepted", "refused")}
    return counts | {"undecided": len(decided) - len(rows)}


def _chosen(
    annotators: Mapping[str, tuple[Annotator, Row]], options: AnnotateOptions,
) -> list[tuple[Annotator, str, Row]]:
    """The annotators asked for, each with its method and card."""
    if strangers := [name for name in options.facets if name not in annotators]:
        there = ", ".join(annotators)
        raise UnknownThing(f"no head was trained for facet {strangers[0]!r}; there are heads for: {there}")
    found = []
    for name in options.facets or tuple(annotators):
        annotator, card = annotators[name]
        method = options.method or annotator.best
        if method not in annotator.methods:
            there = ", ".join(annotator.methods)
            raise UnknownThing(f"no method {method!r} for facet {name}; there are: {there}")
        found.append((annotator, method, card))
    return found


def _predictions(
    lake: Lake, annotator: Annotator, method: str, card: Row, pictures: Collection, options: AnnotateOptions,
) -> Iterator[Row]:
    """The labels of one facet that are sure enough and new, picture by picture, the surest first."""
    said = _already_said(lake, annotator, pictures)
    ways = {way[-1]: list(way) for way in sorted(annotator.ways, reverse=True)}
    told = {"facet": annotator.facet, "method": method, "data_version": card.get("data", {}).get("version")}
    for part in blocks(len(pictures.rows), len(annotator.labels)):
        sure = annotator.confidences(method, pictures.vectors[part])
        best = np.argsort(-sure, axis=1, kind="stable")
        for picture, order in zip(range(part.start, part.stop), best, strict=True):
            row, own = pictures.rows[picture], sure[picture - part.start]
            about = told | {name: row[name] for name in ("sample_id", "sha256", "split")}
            fresh = [
                place for place in order.tolist()
                if own[place] >= options.min_confidence and (picture, place) not in said
            ]
            for place in fresh[:options.most]:
                label = annotator.labels[place]
                yield about | {"label": label, "path": ways[label], "confidence": float(own[place])}


def _already_said(lake: Lake, annotator: Annotator, pictures: Collection) -> set[tuple[int, int]]:
    """Pictures and labels (by place) that need no prediction: told by the catalogue or decided on."""
    place = {label: i for i, label in enumerate(annotator.labels)}
    facet = read_facets(lake, pictures.ids, (annotator.facet,))[annotator.facet]
    rows, columns = (facet.learned + facet.credit()).nonzero()
    said = {
        (row, place[facet.labels[column]])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if facet.labels[column] in place
    }
    picture_of = {row["sha256"]: i for i, row in enumerate(pictures.rows)}
    decided = catalog.rows(lake, _DECIDED_SQL, [annotator.facet])
    return said | {
        (picture_of[row["sha256"]], place[str(row["label"])])
        for row in decided if row["sha256"] in picture_of and row["label"] in place
    }


_DECIDED_SQL = """
    select distinct sha256, label from raw_annotations
    where facet = ? and annotation_id in (select annotation_id from raw_annotation_reviews)
"""


def _with_id(row: Row) -> Row:
    named = "\0".join(str(row[name]) for name in ("run_id", "sha256", "facet", "label"))
    return {"annotation_id": hashlib.sha256(named.encode()).hexdigest()[:16]} | row


def _append(lake: Lake, table: Table, name: str, rows: Sequence[Row]) -> None:
    """One more file of a raw table, which appears whole."""
    path = lake.raw / table.name / f"{name}.parquet"
    with stage_lock(lake, "annotations"), whole_file(path) as draft:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=table.schema), draft, compression="zstd")
    catalog.refresh_catalog(lake)


def _read_review(path: Path) -> dict[str, tuple[str, str]]:
    """Annotation → decision ('' for none yet) and note; raises BadReview where the file says else."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as e:
        raise BadReview(f"cannot read {path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise BadReview(f"{path} is not UTF-8; save it as 'CSV UTF-8'") from e
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)     # spreadsheets of some countries save semicolons
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    fields = reader.fieldnames or ()
    if missing := [name for name in ("annotation_id", "decision") if name not in fields]:
        raise BadReview(f"{path} has no column {missing[0]!r}; it should be a review.csv, filled in")
    found: dict[str, tuple[str, str]] = {}
    try:
        for row in reader:
            _take(found, row, f"{path}, line {reader.line_num}")
    except csv.Error as e:
        raise BadReview(f"{path}, line {reader.line_num}: {e}") from e
    return found


def _take(found: dict[str, tuple[str, str]], row: Row, place: str) -> None:
    name = (row["annotation_id"] or "").strip()
    said = (row["decision"] or "").strip()
    if not name and not said:
        return
    if said and said.lower() not in DECISIONS:
        raise BadReview(f"{place}: the decision {said!r} is neither accept nor refuse, nor empty for later")
    decision = DECISIONS.get(said.lower(), "")
    if found.get(name, (decision, ""))[0] != decision:
        raise BadReview(f"{place}: annotation {name!r} is decided on twice, in two ways; leave one")
    found[name] = (decision, (row.get("note") or "").strip())
