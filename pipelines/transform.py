"""Hits become records (`normalise`), records and images become samples (`curate`).

The SQL lives in `sql/`; everything dbt writes goes into `<lake>/.dbt`, and what its tests let pass is then
moved into `<lake>/marts`, each file with one rename.
"""

import csv
import json
import logging
import re
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from lake import Lake, catalog
from lake.drafts import lacks_room
from lake.errors import EmptyLake, LakeBusy, TransformError, UsageError
from lake.tables import RAW_IMAGES
from pipelines.dbt_project import PROJECT, run_dbt
from pipelines.splits_page import splits_page

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

_SHOWN = 400              # characters of what dbt says
_NORMALISED = ("records", "rejections", "record_labels")
_REFUSED = re.compile(r".*? Invalid Input Error: (--[a-z-]+: .*)")     # what a model raises of an option
_CURATED = ("samples", "duplicates", "labels", "placeholders", "record_labels")


@dataclass(frozen=True)
class CurateOptions:
    """How samples are found, divided and ranked: shares, seed, the providers kept apart (how many, or their
    names), how many of 64 bits hashes may be apart, how far embeddings may be (None: they are not asked),
    tiers by `pareto` or by `counts`."""

    val_split: float = 0.35
    test_split: float = 0.0
    seed: int = 42
    ood_providers: int | tuple[str, ...] = 0
    near_distance: int = 4             # calibrated on published pairs: see dbt_project.yml
    near_by_embedding: float | None = None
    tiers: str = "pareto"
    head_from: int = 100
    tail_below: int = 20
    with_annotations: bool = False     # labels of models that a cataloguer accepted, in the train split


@dataclass(frozen=True)
class NormaliseOptions:
    """Which dates a record may have: its interval must overlap the range; what has none stays by choice."""

    start_date: date | None = None
    end_date: date | None = None
    undated: str = "keep"    # or "drop"

    def variables(self) -> dict[str, str]:
        """As the SQL has them: '' for an open end."""
        ends = {"start_date": self.start_date, "end_date": self.end_date}
        return {name: str(day or "") for name, day in ends.items()} | {"undated": self.undated}


def normalise(
    lake: Lake, archives: Sequence[str], options: NormaliseOptions = NormaliseOptions(),
) -> dict[str, int]:
    """Make records, rejections and record_labels of all hits; rows per mart.

    Where a range of dates is asked for, also the records without a date (`undated`) that were kept.
    Raises EmptyLake before anything was harvested, LakeBusy beside another transform of the same lake,
    TransformError where a model or one of its tests fails; the marts then stay as they were.
    """
    catalog.require_hits(lake)
    counts = _transform(lake, "normalise", _NORMALISED, CurateOptions(), archives, options)
    if options.start_date or options.end_date:
        undated = "select count(*) as n from records where date_start is null and date_end is null"
        counts["undated, kept"] = int(str(catalog.rows(lake, undated)[0]["n"]))
    return counts


def curate(lake: Lake, options: CurateOptions, archives: Sequence[str]) -> dict[str, int]:
    """Make samples, duplicates and labels of the records and the fetched pictures; rows per mart.

    Also writes `reports/splits.json`: pairs of near pictures on two sides (none), and each label's share.
    Raises as `normalise` does, EmptyLake where nothing was normalised or fetched yet, UsageError where the
    providers named leave a label with nothing to train on.
    """
    for table in _NORMALISED:
        catalog.require_mart(lake, table, "normalise")
    if not catalog.has_rows(lake, RAW_IMAGES):
        raise EmptyLake(f"no picture was fetched yet in {lake.root}; run `glamlake fetch` first")
    _check_options(lake, options)
    if options.near_by_embedding is not None:
        from pipelines.near_vectors import write_near_pairs  # numpy and LanceDB, for those who ask

        write_near_pairs(lake, options.near_by_embedding)
    counts = _transform(lake, "curate", _CURATED, options, archives)
    _tell_who_is_held_out(lake, options.ood_providers)
    # a view's helper, and what only the labels of models change
    return {table: counts[table] for table in _CURATED if table not in ("placeholders", "record_labels")}


def _check_options(lake: Lake, options: CurateOptions) -> None:
    if round(options.val_split + options.test_split, 9) > 0.9:
        raise UsageError("--val-split and --test-split leave under a tenth to train on; make them smaller")
    if options.tail_below > options.head_from:
        raise UsageError("--tail-below must not be above --head-from: what is between them is the torso")
    if isinstance(options.ood_providers, tuple):
        held = catalog.rows(lake, "select distinct coalesce(provider, archive) as provider from records")
        strangers = sorted(set(options.ood_providers) - {str(row["provider"]) for row in held})
        if strangers:
            named = ", ".join(f"'{name}'" for name in strangers)
            raise UsageError(f"no record is held by {named}; `glamlake sql \"select distinct "
                             "provider from records\"` names who there is")


def _tell_who_is_held_out(lake: Lake, asked: int | tuple[str, ...]) -> None:
    audit = json.loads((lake.reports / "splits.json").read_text("utf-8"))
    held = audit["ood_providers"]
    if isinstance(asked, int) and len(held) < asked:
        log.warning(
            "test_ood: asked for %d providers, held out %d; any other would leave a label nothing to train"
            " on, or shows more than a fifth of the pictures (such a one can be held out by name)",
            asked, len(held),
        )
    if isinstance(asked, tuple) and (pictureless := sorted(set(asked) - set(held))):
        log.warning("test_ood: no picture of %s came, so none is held out", ", ".join(pictureless))


def document(lake: Lake, archives: Sequence[str]) -> Path:
    """Write what the SQL means as one page, `<lake>/reports/sql.html`: models, columns, seeds, lineage.

    No network is used and no table is read; raises as `normalise` does.
    """
    variables = {"archives": sorted(archives)} | asdict(CurateOptions())
    with _locked(lake):
        _invoke(lake, "docs", ["docs", "generate", "--static", "--empty-catalog"], variables)
        lake.reports.mkdir(exist_ok=True)
        page = lake.reports / "sql.html"
        (lake.dbt / "target" / "static_index.html").replace(page)
    return page


def vocabulary(language: str | None = None) -> list[str]:
    """The searches made when nobody names any, in the order of the seed; all languages by default."""
    with (PROJECT / "seeds" / "vocabulary.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["use"] == "search"]
    return [row["query"] for row in rows if language in (None, row["language"])]


def _transform(
    lake: Lake, stage: str, tables: tuple[str, ...], options: CurateOptions, archives: Sequence[str],
    normalising: NormaliseOptions = NormaliseOptions(),
) -> dict[str, int]:
    # both stages pass all variables: dbt parses its project anew whenever one differs from the last run
    variables = {"archives": sorted(archives)} | asdict(options)
    variables |= normalising.variables()
    with _locked(lake):
        drafts = _empty_folder(lake.dbt / "marts")
        _run_dbt(lake, stage, variables)
        counts = _publish(lake, drafts, tables)
        _publish_audit(lake, drafts)
        _keep(lake, drafts)
        catalog.refresh_catalog(lake)
    log.info("%sd %s", stage, " ".join(f"{table}={n}" for table, n in counts.items()))
    return counts


@contextmanager
def _locked(lake: Lake) -> "Iterator[None]":
    lake.open().locks.mkdir(exist_ok=True)
    try:
        with FileLock(lake.locks / "transform.lock", timeout=0):
            yield
    except Timeout as e:
        raise LakeBusy(f"another process is normalising or curating {lake.root}; wait for it to end") from e


def _empty_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _publish(lake: Lake, drafts: Path, tables: tuple[str, ...]) -> dict[str, int]:
    """Move each draft into place; rows per table."""
    lake.marts.mkdir(exist_ok=True)
    counts = {}
    for table in tables:
        draft = drafts / f"{table}.parquet"
        counts[table] = pq.read_metadata(draft).num_rows
        draft.replace(lake.mart(table))
    return counts


def _publish_audit(lake: Lake, drafts: Path) -> None:
    """Move the split's audit into the reports, and beside it a page for people."""
    if not (draft := drafts / "splits.json").exists():
        return
    lake.reports.mkdir(exist_ok=True)
    page = drafts / "splits.html"
    page.write_text(splits_page(json.loads(draft.read_text("utf-8"))), "utf-8")
    for path in (draft, page):
        path.replace(lake.reports / path.name)


def _keep(lake: Lake, drafts: Path) -> None:
    """Put what comparing pictures found where the next run looks for it: all of it, or nothing."""
    if not (found := sorted(drafts.glob("kept-*.parquet"))):
        return
    fresh, kept = drafts / "kept", lake.dbt / "kept"
    fresh.mkdir()
    for path in found:
        path.replace(fresh / path.name)
    if kept.exists():
        kept.replace(drafts / "kept before")
    fresh.replace(kept)


def _run_dbt(lake: Lake, stage: str, variables: dict[str, Any]) -> None:
    """Build what the selector named `stage` holds, in a database in memory that ends with the run."""
    _invoke(lake, stage, ["build", "--selector", stage, "--no-write-json"], variables)


def _invoke(lake: Lake, stage: str, words: list[str], variables: dict[str, Any]) -> None:
    answer = run_dbt(lake, words, variables)
    if not answer.success:
        said = _said(answer)
        if refused := _REFUSED.match(said[0]):
            raise UsageError(refused[1])
        raise TransformError(_explain(lake, stage, said))


def _said(answer: Any) -> list[str]:
    """What dbt says of each model and test that failed, one at least."""
    results = getattr(answer.result, "results", None) or []
    failed = [r for r in results if r.status in ("error", "fail", "runtime error")]
    said = [f"{r.node.name}: {_one_line(r.message or r.status)}" for r in failed]
    return said or [_one_line(str(answer.exception))]


def _explain(lake: Lake, stage: str, said: list[str]) -> str:
    """One line: what failed, what dbt said, where to read on; where room lacks, nothing else matters."""
    if lacks_room(TransformError(*said)):
        return f"{stage} stopped for want of room, the marts are as before; make room, then run it again"
    more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
    where = lake.dbt / "logs" / "dbt.log"
    first = f"{said[0][:_SHOWN]}{more}"
    return f"{stage} stopped, the marts are as before: {first}; read {where}, then run it again"


def _one_line(text: str) -> str:
    return " ".join(text.split())
