"""How a lake is: the ledger, how complete each archive is, what failed, how old it all is, what it weighs."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lake.catalog import NEWEST_SLICES, Connection, ask, connect
from lake.equations import behind
from lake.layout import Lake
from lake.ledger import Ledger, ledger

_STAGES = (
    ("normalise", "records", ("raw/hits/*/*.parquet",)),
    ("curate", "samples", ("raw/images/*.parquet", "marts/records.parquet")),
)
_PLACES = ("raw", "images", "marts", "vectors", "models", "exports", "reports", "checks")


@dataclass(frozen=True)
class ArchiveStatus:
    """How far one archive came. `completeness` is received / announced, where the service announces numbers.

    `n_announced` counts only slices that announce; a slice cut into pieces counts once.
    """

    archive: str
    n_slices: int
    n_complete: int
    n_announced: int | None
    n_received: int
    completeness: float | None
    n_hits: int
    n_rejected: int
    n_records: int
    n_image_urls: int
    n_fetched: int
    n_failed: int
    n_samples: int
    newest_hit_at: datetime | None
    age_days: int | None


@dataclass(frozen=True)
class Failure:
    """How many pictures failed for one reason."""

    status: str
    http_status: int | None
    n: int
    example: str


@dataclass(frozen=True)
class StageStatus:
    """When a stage last wrote its table; `advice` says what to run where it is behind or has not run."""

    stage: str
    made_at: datetime | None
    advice: str


@dataclass(frozen=True)
class DiskUse:
    """What one place of the lake weighs."""

    place: str
    n_files: int
    n_bytes: int


@dataclass(frozen=True)
class ModelCoverage:
    """How many samples have a vector of a model, made from the picture as it is now."""

    model_id: str
    n_samples: int
    n_missing: int
    coverage: float | None
    embedded_at: str


@dataclass(frozen=True)
class Status:
    """A lake at one moment."""

    ledger: Ledger
    archives: tuple[ArchiveStatus, ...]
    failures: tuple[Failure, ...]
    stages: tuple[StageStatus, ...]
    disk: tuple[DiskUse, ...]
    models: tuple[ModelCoverage, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON; the ledger's own keys stand at the top."""
        parts = {name: getattr(self, name) for name in ("archives", "failures", "stages", "disk", "models")}
        return self.ledger.as_dict() | {name: [asdict(row) for row in rows] for name, rows in parts.items()}

    def text(self) -> str:
        """The ledger, then a table for each of the other parts that has rows."""
        tables = [f"{title}\n{_table(rows)}" for title, rows in self.tables()]
        return "\n\n".join([self.ledger.text(), *tables])

    def tables(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """Each part that has rows, for people: its title and its rows as text."""
        parts: tuple[tuple[str, Sequence[dict[str, str]]], ...] = (
            ("completeness per archive", [_archive_row(archive) for archive in self.archives]),
            ("failures by reason", [_failure_row(failure) for failure in self.failures]),
            ("freshness", [_stage_row(stage) for stage in self.stages]),
            ("models", [_model_row(model) for model in self.models]),
            ("disk use", [_disk_row(use) for use in self.disk]),
        )
        yield from ((title, list(rows)) for title, rows in parts if rows)


def status(lake: Lake, now: datetime | None = None) -> Status:
    """The state of a lake at whatever stage it is; raises EmptyLake where nothing was harvested."""
    numbers = ledger(lake)
    with connect(lake) as con:
        archives = _archives(con, now or datetime.now(UTC))
        failures = tuple(Failure(**row) for row in ask(con, _FAILURES_SQL).to_pylist())
    stages = tuple(_stage(lake, *stage) for stage in _STAGES)
    return Status(numbers, archives, failures, stages, tuple(_disk(lake)), tuple(_models(lake, numbers)))


def _archives(con: Connection, now: datetime) -> tuple[ArchiveStatus, ...]:
    found = []
    for row in ask(con, _ARCHIVES_SQL).to_pylist():
        newest = row["newest_hit_at"]
        age = None if newest is None else max((now.replace(tzinfo=None) - newest).days, 0)
        announced, came = row["n_announced"], row.pop("n_came")
        completeness = came / announced if announced else None
        found.append(ArchiveStatus(**row, completeness=completeness, age_days=age))
    return tuple(found)


def _stage(lake: Lake, stage: str, mart: str, sources: tuple[str, ...]) -> StageStatus:
    path = lake.mart(mart)
    made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
    advice = next((advice for source in sources if (advice := behind(lake, source, mart, stage))), "")
    return StageStatus(stage, made_at and made_at.replace(microsecond=0, tzinfo=None), advice)


def _disk(lake: Lake) -> Iterator[DiskUse]:
    known = {lake.locks.name}    # empty files
    for place in _PLACES:
        known.add(place)
        if (lake.root / place).is_dir():
            yield DiskUse(place, *_weight(lake.root / place))
    rest = [entry for entry in os.scandir(lake.root) if entry.name not in known]
    weights = [_weight(Path(e)) if e.is_dir(follow_symlinks=False) else (1, e.stat().st_size) for e in rest]
    yield DiskUse("everything else", sum(n for n, _ in weights), sum(size for _, size in weights))


def _weight(folder: Path) -> tuple[int, int]:
    """Files and bytes below a folder; what vanishes meanwhile does not count."""
    n_files = n_bytes = 0
    waiting = [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            try:
                n_bytes += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
            n_files += 1
    return n_files, n_bytes


def _models(lake: Lake, numbers: Ledger) -> Iterator[ModelCoverage]:
    if not lake.vectors.is_dir():
        return
    from lake.vectors import VectorStore  # numpy; only where there are any

    n_samples = numbers.count("samples")
    for info in VectorStore(lake).models():
        n = numbers.count("vectors", info.model_id)
        coverage = n / n_samples if n_samples else None
        yield ModelCoverage(info.model_id, n, n_samples - n, coverage, info.embedded_at)


def _archive_row(a: ArchiveStatus) -> dict[str, str]:
    return {
        "archive": a.archive, "slices": f"{a.n_complete:,}/{a.n_slices:,}", "announced": _n(a.n_announced),
        "received": _n(a.n_received), "complete": _share(a.completeness), "hits": _n(a.n_hits),
        "rejected": _n(a.n_rejected), "records": _n(a.n_records), "image URLs": _n(a.n_image_urls),
        "fetched": _n(a.n_fetched), "failed": _n(a.n_failed), "samples": _n(a.n_samples),
        "newest hit": "?" if a.newest_hit_at is None else f"{a.newest_hit_at:%Y-%m-%d}",
        "days old": _n(a.age_days),
    }


def _failure_row(f: Failure) -> dict[str, str]:
    code = "" if f.http_status is None else str(f.http_status)
    return {"status": f.status, "http": code, "pictures": _n(f.n), "for example": f.example}


def _stage_row(s: StageStatus) -> dict[str, str]:
    made = "never" if s.made_at is None else f"{s.made_at:%Y-%m-%d %H:%M} UTC"
    return {"stage": s.stage, "last run": made, "state": s.advice or "up to date"}


def _model_row(m: ModelCoverage) -> dict[str, str]:
    return {
        "model": m.model_id, "samples": _n(m.n_samples), "missing": _n(m.n_missing),
        "coverage": _share(m.coverage), "embedded": m.embedded_at[:16].replace("T", " "),
    }


def _disk_row(use: DiskUse) -> dict[str, str]:
    return {"place": use.place, "files": _n(use.n_files), "size": readable_size(use.n_bytes)}


def readable_size(n_bytes: float) -> str:
    """Bytes as people say them: '812 B', '1.4 GB'."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "B" or n_bytes >= 100 else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} TB"


def _n(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    """Never 100% for what is not whole."""
    if value is None:
        return "?"
    return f"{min(100 * value, 99.9):.1f}%" if value < 1 else f"{100 * value:.0f}%"


def _table(rows: list[dict[str, str]]) -> str:
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    numeric = [all(row[name][:1].isdigit() or row[name] in ("?", "") for row in rows) for name in names]
    lines = []
    for cells in [names, *([row[name] for name in names] for row in rows)]:
        aligned = zip(cells, widths, numeric, strict=True)
        shown = [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in aligned]
        lines.append("  " + "  ".join(shown).rstrip())
    return "\n".join(lines)


# the pieces of a slice that was cut are named after its run: what the whole announced is theirs together
_ARCHIVES_SQL = f"""
    with

    asked as (
        select
            archive, count(*) as n_slices, count(*) filter (status = 'complete') as n_complete,
            sum(announced) as n_announced, coalesce(sum(received), 0) as n_received,
            coalesce(sum(received) filter (announced is not null), 0) as n_came
        from {NEWEST_SLICES} where not contains(coalesce(run_id, ''), '.') group by archive
    ),

    hits as (
        select archive, count(distinct hit_id) as n, max(fetched_at) at time zone 'UTC' as newest
        from raw_hits group by archive
    ),

    rejected as (
        select archive, count(*) as n from rejections group by archive
    ),

    urls as (
        select archive, image_url, count(*) as n from records group by all
    ),

    made as (
        select
            urls.archive, sum(urls.n) as n, count(urls.image_url) as n_urls,
            count(*) filter (images.status = 'ok') as n_ok,
            count(*) filter (images.status <> 'ok') as n_failed
        from urls left join images using (image_url) group by urls.archive
    ),

    shown as (
        select archive, count(*) as n from (select unnest(archives) as archive from samples) group by archive
    ),

    every as (
        select archive from asked union select archive from hits union select archive from made
    )

    select
        archive, coalesce(n_slices, 0) as n_slices, coalesce(n_complete, 0) as n_complete,
        n_announced::bigint as n_announced, coalesce(n_received, 0)::bigint as n_received,
        coalesce(n_came, 0)::bigint as n_came, coalesce(hits.n, 0) as n_hits,
        coalesce(rejected.n, 0) as n_rejected, coalesce(made.n, 0)::bigint as n_records,
        coalesce(n_urls, 0) as n_image_urls, coalesce(n_ok, 0) as n_fetched,
        coalesce(made.n_failed, 0) as n_failed, coalesce(shown.n, 0) as n_samples,
        hits.newest as newest_hit_at
    from every
    left join asked using (archive)
    left join hits using (archive)
    left join rejected using (archive)
    left join made using (archive)
    left join shown using (archive)
    order by archive
"""
_FAILURES_SQL = """
    select coalesce(status, 'no status') as status, http_status, count(*) as n, min(image_url) as example
    from images where status is distinct from 'ok' group by all order by n desc, status, http_status
"""
