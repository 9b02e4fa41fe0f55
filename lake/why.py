"""Why a thing is what it is: its way from the archive's answer to its side of the split, told from the lake.

Ask with a hit's key, a record's or sample's id, an image's address or its sha256; all it belongs to is told.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lake.catalog import Connection, ask, connect, require_hits
from lake.errors import UnknownThing
from lake.layout import Lake

Row = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """The hits, records, images and samples that one thing belongs to, in the order of the flow."""

    asked: str
    kind: str
    hits: tuple[Row, ...]
    records: tuple[Row, ...]
    labels: tuple[Row, ...]
    images: tuple[Row, ...]
    samples: tuple[Row, ...]
    waiting: tuple[str, ...]     # stages that have yet to run

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return asdict(self)

    def text(self) -> str:
        """The story as lines for a terminal."""
        return "\n".join(_lines(self))


def why(lake: Lake, thing: str) -> Story:
    """The story of a hit, record, image or sample; raises UnknownThing where the lake holds no such thing."""
    require_hits(lake)
    with connect(lake) as con:
        kind, record_ids, hit_ids, image_urls = _found(con, thing.strip())
        records = _rows(con, _RECORDS_SQL, [record_ids])
        image_urls += [row["image_url"] for row in records if row["image_url"]]
        images = _rows(con, _IMAGES_SQL, [image_urls])
        sample_ids = sorted({row["sample_id"] for row in images if row["sample_id"]} | {thing.strip()})
        return Story(
            asked=thing, kind=kind, hits=_rows(con, _HITS_SQL, [record_ids, hit_ids]), records=records,
            labels=_rows(con, _LABELS_SQL, [record_ids]), images=images,
            samples=_rows(con, _SAMPLES_SQL, [sample_ids]), waiting=_waiting(lake),
        )


def victims(lake: Lake, size: int = 20, seed: int = 42, rule: str | None = None) -> list[Row]:
    """Up to `size` random hits that each rule rejected, with what the rule saw; another seed, other hits."""
    require_hits(lake)
    with connect(lake) as con:
        return list(_rows(con, _VICTIMS_SQL, [size, str(seed), rule]))


def _found(con: Connection, thing: str) -> tuple[str, list[str], list[str], list[str]]:
    """What kind of thing it is; then the records, hits and images to begin from."""
    for kind, sql in _KINDS.items():
        if rows := _rows(con, sql, [thing]):
            return kind, _texts(rows, "record_id"), _texts(rows, "hit_id"), _texts(rows, "image_url")
    raise UnknownThing(
        f"the lake knows no hit, record, image or sample {thing!r}; a record is <archive>:<its own id>, "
        "an image its address"
    )


def _texts(rows: tuple[Row, ...], column: str) -> list[str]:
    return sorted({row[column] for row in rows if row[column]})


def _waiting(lake: Lake) -> tuple[str, ...]:
    marts = {"normalise": "records", "curate": "samples"}
    return tuple(stage for stage, mart in marts.items() if not lake.mart(mart).exists())


def _rows(con: Connection, sql: str, parameters: list[object]) -> tuple[Row, ...]:
    return tuple(ask(con, sql, parameters).to_pylist())


def _lines(story: Story) -> Iterator[str]:
    yield f"{story.asked} is a {story.kind}" if story.kind != "image" else f"{story.asked} is an image"
    for hit in story.hits:
        yield from _hit_lines(hit)
    for record in story.records:
        yield from _record_lines(record)
        yield from _label_lines([row for row in story.labels if row["record_id"] == record["record_id"]])
    for image in story.images:
        yield from _image_lines(image)
    for sample in story.samples:
        yield from _sample_lines(sample)
    for stage in story.waiting:
        yield f"\n`glamlake {stage}` has yet to run"


def _hit_lines(hit: Row) -> Iterator[str]:
    yield f"\nhit {hit['hit_id']}"
    yield _line("found by", f"the search {hit['query']!r} of {hit['archive']}, slice {hit['slice']}")
    yield _line("where", f"page {hit['page']}, place {hit['position']}, {_instant(hit['fetched_at'])}")
    if hit["n_times"] > 1:
        yield _line("received", f"{hit['n_times']} times; the newest answer counts")
    if hit["rule"]:
        yield _line("rejected", f"by the rule {hit['rule']}: {hit['detail']}")
    else:
        yield _line("became", f"part of {hit['record_id']}" if hit["is_record"] else "nothing yet")


def _record_lines(record: Row) -> Iterator[str]:
    yield f"\nrecord {record['record_id']}"
    yield _line("title", record["title"] or "none")
    yield _line("holder", record["provider"] or "not stated")
    if record["date_start"] or record["date_end"]:
        rule = record.get("date_rule") or record.get("date_precision")
        read_by = f", read as {rule}" if rule else ""
        interval = f"{record['date_start'] or 'any day'} to {record['date_end'] or 'any day'}"
        yield _line("dated", f"{interval}, from {record['date_raw']!r}{read_by}")
    else:
        raw = record["date_raw"]
        yield _line("undated", f"no rule reads {raw!r}" if raw else "no date is given")
    stated = record.get("rights_raw") or record["rights_uri"]
    origin = f"from {stated!r}" if stated else "nothing is stated"
    yield _line("rights", f"{record['rights_class']} ({record['rights_uri'] or 'no URI'}), {origin}")


def _label_lines(labels: list[Row]) -> Iterator[str]:
    for row in labels:
        path = f", under {' > '.join(row['path'][:-1])}" if row["path"][1:] else ""
        yield _line("label", f"{row['label']}: {row['source']} {row['source_value']!r}, "
                             f"confidence {row['confidence']:.2f}{path}")


def _image_lines(image: Row) -> Iterator[str]:
    yield f"\nimage {image['image_url']}"
    if not image["status"]:
        yield _line("status", "not fetched yet")
        return
    reason = f": {image['error']}" if image["error"] else ""
    times = "once" if image["attempts"] == 1 else f"{image['attempts']} times"
    yield _line("status", f"{image['status']}{reason}, asked {times}, {_instant(image['fetched_at'])}")
    if image["sha256"]:
        facts = f"{image['format']} {image['mode']}, {image['width']} x {image['height']}"
        yield _line("file", f"{facts}, {image['bytes']:,} bytes, {image['path']}")
        yield _line("hashes", f"sha256 {image['sha256'][:16]}…, perceptual {image['phash']}")
    if image["relation"]:
        evidence = f"{image['relation']}, {image['distance']} bits apart"
        yield _line("copy", f"of sample {image['sample_id']}: {evidence}")
    elif image["sample_id"]:
        yield _line("stands for", f"sample {image['sample_id']}")


def _sample_lines(sample: Row) -> Iterator[str]:
    yield f"\nsample {sample['sample_id']}"
    yield _line("shown by", ", ".join(sample["record_ids"]))
    among = ", ".join(sample["labels"])
    yield _line("label", f"{sample['label']}, the rarest of {among}" if sample["label"] else "none")
    yield _line("rights", f"{sample['rights_class']}, the strictest of its records")
    yield _line("copies", f"{sample['n_copies']}")
    yield _line("split", f"{sample['split']}, as its whole cluster {sample['cluster_id']}")


def _line(name: str, text: str) -> str:
    return f"  {name:<12}{' '.join(text.split())}"


def _instant(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "at an unknown time"


_KINDS = {
    "sample": """
        select unnest(record_ids) as record_id, null as hit_id, null as image_url
        from samples where sample_id = $1
    """,
    "record": """
        select record_id, null as hit_id, image_url from records where record_id = $1
    """,
    "image": """
        select records.record_id, null as hit_id, images.image_url
        from (
            select image_url from images where image_url = $1 or sha256 = $1
            union select image_url from records where image_url = $1
        ) as images
        left join records using (image_url)
    """,
    "hit": """
        select archive || ':' || trim(native_id) as record_id, hit_id, null as image_url
        from raw_hits where hit_id = $1 or archive || ':' || trim(native_id) = $1
    """,
}
_HITS_SQL = """
    with

    hits as (
        select
            hit_id, archive, archive || ':' || trim(native_id) as record_id, query, slice, page, position,
            fetched_at, count(*) over (partition by hit_id) as n_times,
        from raw_hits
        where hit_id in (select unnest($2::varchar[]))
            or archive || ':' || trim(native_id) in (select unnest($1::varchar[]))
        qualify row_number() over (partition by hit_id order by raw_hits.fetched_at desc, page) = 1
    )

    select
        hits.*,
        rejections.* exclude (hit_id, archive, native_id, query),
        records.record_id is not null as is_record,
    from hits
    left join rejections using (hit_id)
    left join records using (record_id)
    order by hits.archive, hits.record_id, hits.query, hits.hit_id
"""
_RECORDS_SQL = """
    select * exclude (labels) from records
    where record_id in (select unnest($1::varchar[]))
    order by record_id
"""
_LABELS_SQL = """
    select * from record_labels where record_id in (select unnest($1::varchar[]))
    order by record_id, label, source, source_value, path
"""
_IMAGES_SQL = """
    with

    asked as (
        select distinct unnest($1::varchar[]) as image_url
    ),

    found as (
        select asked.image_url, images.* exclude (image_url) from asked left join images using (image_url)
    )

    select
        found.*,
        coalesce(copies.sample_id, samples.sample_id, twins.sample_id) as sample_id,
        coalesce(copies.relation, case when samples.sample_id is null then twins.relation end) as relation,
        coalesce(copies.distance, case when samples.sample_id is null then twins.distance end) as distance,
    from found
    left join duplicates as copies on copies.image_url = found.image_url
    left join samples on samples.sha256 = found.sha256
    left join (
        select sha256, min(sample_id) as sample_id, min(relation) as relation, min(distance) as distance
        from duplicates group by sha256
    ) as twins on twins.sha256 = found.sha256
    order by found.image_url
"""
_SAMPLES_SQL = """
    select
        samples.*,
        (select count(*) from duplicates where duplicates.sample_id = samples.sample_id) as n_copies,
    from samples
    where sample_id in (select unnest($1::varchar[]))
    order by sample_id
"""
_VICTIMS_SQL = """
    with

    rejected as (
        select
            *,
            count(*) over (partition by rule) as n_rejected,
            row_number() over (partition by rule order by md5($2 || hit_id), hit_id) as place,
        from rejections
        where $3 is null or rule = $3
    ),

    drawn as (
        select * from rejected where place <= $1
    ),

    payloads as (
        select hit_id, arg_max(payload, fetched_at) as payload from raw_hits
        semi join drawn using (hit_id)
        group by hit_id
    )

    select
        drawn.rule, drawn.n_rejected, drawn.detail, drawn.* exclude (rule, n_rejected, detail, place),
        left(payloads.payload, 200) as item,
    from drawn
    left join payloads using (hit_id)
    order by drawn.rule, drawn.place
"""
