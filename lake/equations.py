"""The equations of the ledger: what must add up on the way from hit to sample.

An equation is judged thing by thing, not by its two sums alone: a hit that was lost does not make up for
another that was counted twice. What a later stage has yet to work on (its file is older than what it is made
from) is waiting, not lost.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lake.catalog import Connection, ask
from lake.layout import Lake
from lake.tables import IMAGE_STATUSES, SPLITS


@dataclass(frozen=True)
class Equation:
    """Two numbers that must agree; `holds` is None while the stage that settles it has yet to run."""

    name: str
    left: int
    right: int
    holds: bool | None
    detail: str = ""


def equations(lake: Lake, con: Connection) -> tuple[Equation, ...]:
    """Every equation, in the order of the flow."""
    settled = (_hits, _records, _image_urls, _samples, _splits)
    return tuple(settle(lake, con) for settle in settled)


def _hits(lake: Lake, con: Connection) -> Equation:
    """Every hit is part of a record or rejected, and never both."""
    row = _row(con, _HITS_SQL)
    faults = {
        "in neither": row["in_neither"], "in both": row["in_both"], "rejected twice": row["rejected_twice"],
        "rejected but no hit": row["rejected_unknown"],
    }
    right = row["in_records"] + row["rejections"]
    excuse = behind(lake, "raw/hits/*/*.parquet", "records", "normalise")
    return _judge("hits = hits in records + rejections", row["hits"], right, faults, excuse, {"in neither"})


def _records(lake: Lake, con: Connection) -> Equation:
    """Every search of every record is a hit: no record comes out of nothing."""
    row = _row(con, _RECORDS_SQL)
    faults = {"without a hit": row["without_hit"], "records without a search": row["without_query"]}
    name = "searches of records = hits in records"
    return _judge(name, row["searches"], row["hits"], faults, _missing(lake, "records", "normalise"))


def _image_urls(lake: Lake, con: Connection) -> Equation:
    """Every image URL of a record has one of the known statuses or is still to be fetched."""
    row = _row(con, _URLS_SQL, [list(IMAGE_STATUSES)])
    right = row["with_status"] + row["pending"]
    faults = {"of no known status": row["urls"] - right}
    name = "image URLs of records = images with a status + not yet fetched"
    return _judge(name, row["urls"], right, faults, _missing(lake, "records", "normalise"))


def _samples(lake: Lake, con: Connection) -> Equation:
    """Every ok image of a record is a sample or a duplicate of one, and each of these is such an image."""
    row = _row(con, _SAMPLES_SQL)
    faults = {"in neither": row["missing"], "without an ok image of a record": row["surplus"]}
    excuse = (
        behind(lake, "raw/images/*.parquet", "samples", "curate")
        or behind(lake, "marts/records.parquet", "samples", "curate")
    )
    name = "ok images of records = samples + duplicates"
    return _judge(name, row["images"], row["filed"], faults, excuse, set(faults))


def _splits(lake: Lake, con: Connection) -> Equation:
    """Every sample has one of the known splits."""
    sql = "select count(*) as n, count(*) filter (list_contains($1, split)) as known from samples"
    row = _row(con, sql, [list(SPLITS)])
    faults = {"of no known split": row["n"] - row["known"]}
    name = f"samples = {' + '.join(SPLITS)}"
    return _judge(name, row["n"], row["known"], faults, _missing(lake, "samples", "curate"))


def _judge(
    name: str, left: int, right: int, faults: Mapping[str, int], excuse: str | None,
    excused: Collection[str] = (),
) -> Equation:
    """Holds without a fault; not yet, when all there are may be excused by a stage that has yet to run."""
    found = {fault: n for fault, n in faults.items() if n}
    if excuse and set(found) <= set(excused) and (found or left == right == 0):
        waiting = sum(found.values())
        return Equation(name, left, right, None, f"{waiting:,} waiting: {excuse}" if waiting else excuse)
    detail = ", ".join(f"{n:,} {fault}" for fault, n in found.items())
    return Equation(name, left, right, left == right and not found, detail)


def _missing(lake: Lake, mart: str, stage: str) -> str | None:
    return None if lake.mart(mart).exists() else f"run `glamlake {stage}`"


def behind(lake: Lake, source: str, mart: str, stage: str) -> str | None:
    """What to run when a mart is missing or older than the newest file it is made from."""
    newest = max((path.stat().st_mtime_ns for path in lake.root.glob(source)), default=0)
    if not lake.mart(mart).exists() or newest > lake.mart(mart).stat().st_mtime_ns:
        return f"run `glamlake {stage}`"
    return None


def _row(con: Connection, sql: str, parameters: list[object] | None = None) -> dict[str, Any]:
    found: list[dict[str, Any]] = ask(con, sql, parameters).to_pylist()
    return found[0]


HITS_CTE = """
    hits as (
        select distinct hit_id, archive || ':' || trim(native_id) as record_id, query from raw_hits
    ),
    searches as (
        select distinct record_id, unnest(queries) as query from records
    )
"""
_HITS_SQL = f"""
    with {HITS_CTE},
    rejected as (
        select hit_id, count(*) as times from rejections group by hit_id
    ),
    placed as (
        select
            hits.hit_id,
            bool_or(searches.record_id is not null) as in_record,
            bool_or(rejected.hit_id is not null) as is_rejected
        from hits
        left join searches on searches.record_id = hits.record_id and searches.query = hits.query
        left join rejected on rejected.hit_id = hits.hit_id
        group by hits.hit_id
    )
    select
        count(*) as hits,
        count(*) filter (in_record) as in_records,
        count(*) filter (not in_record and not is_rejected) as in_neither,
        count(*) filter (in_record and is_rejected) as in_both,
        (select count(*) from rejections) as rejections,
        (select count(*) from rejected where times > 1) as rejected_twice,
        (select count(*) from rejected anti join hits on rejected.hit_id = hits.hit_id) as rejected_unknown
    from placed
"""
_RECORDS_SQL = f"""
    with {HITS_CTE},
    matched as (
        select distinct searches.record_id, searches.query from searches
        join hits on searches.record_id = hits.record_id and searches.query = hits.query
    )
    select
        (select count(*) from searches) as searches,
        (select count(*) from matched) as hits,
        (select count(*) from searches anti join matched using (record_id, query)) as without_hit,
        (select count(*) from records where coalesce(len(queries), 0) = 0) as without_query
"""
_URLS_SQL = """
    with urls as (
        select distinct image_url from records where image_url is not null
    )
    select
        count(*) as urls,
        count(*) filter (images.image_url is null) as pending,
        count(*) filter (list_contains($1, images.status)) as with_status
    from urls left join images on images.image_url = urls.image_url
"""
_SAMPLES_SQL = """
    with ok as (
        select sha256, count(*) as n from images
        where status = 'ok' and image_url in (select image_url from records) group by sha256
    ),
    filed as (
        select sha256, count(*) as n
        from (select sha256 from samples union all select sha256 from duplicates) group by sha256
    ),
    compared as (
        select coalesce(ok.n, 0) as images, coalesce(filed.n, 0) as filed
        from ok full join filed on ok.sha256 is not distinct from filed.sha256
    )
    select
        coalesce(sum(images), 0)::bigint as images,
        coalesce(sum(filed), 0)::bigint as filed,
        coalesce(sum(greatest(images - filed, 0)), 0)::bigint as missing,
        coalesce(sum(greatest(filed - images, 0)), 0)::bigint as surplus
    from compared
"""
