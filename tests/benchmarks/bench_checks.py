"""The data-quality checks on 1,000,000 records and 500,000 images: seconds, and the most memory.

`python -m tests.benchmarks.bench_checks [--quick]`. The lake is made by a process of its own, so that its
memory does not count; it has a hit for each record, two labels each, a sample for each image but the copies.
The pictures themselves are not on the disk, which the checks rightly say.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from checks.report import run_checks
from checks.results import OUTCOMES
from lake import Lake
from tests.benchmarks._table import measured, peak_gb, show

_COPIES = """
    copy (
        select
            format('{{:016x}}', i) as hit_id, 'run-1' as run_id, i::varchar as native_id, 'tram' as query,
            'all' as slice, i // 100 + 1 as page, i % 100 as position, 'https://a.invalid' as base_url,
            timestamptz '2026-01-02 12:00:00+00' as fetched_at,
            '{{"id": ' || i || ', "title": "Picture ' || i || '", "text": "' || repeat('words ', 60)
                || '"}}' as payload
        from range({n}) as t(i)
    ) to '{root}/raw/hits/archive=demo/0.parquet' (format parquet, compression zstd);
    copy (
        select
            'run-1' as run_id, 'tram' as query, 'all' as slice, i + 1 as page, 100::bigint as page_size,
            null::varchar as token, null::varchar as next_token, {n}::bigint as announced,
            100::bigint as n_items, 'https://a.invalid' as base_url,
            timestamptz '2026-01-02 12:00:00+00' as fetched_at
        from range({n} // 100) as t(i)
    ) to '{root}/raw/pages/archive=demo/0.parquet' (format parquet);
    copy (
        select
            'run-1' as run_id, 'https://a.invalid' as base_url, 'tram' as query, 'all' as slice,
            'complete' as status, {n}::bigint as announced, {n}::bigint as received,
            ({n} // 100)::bigint as pages, null::varchar as cap,
            now() as started_at, now() as finished_at, null::varchar as error,
            now() as recorded_at
    ) to '{root}/raw/harvests/archive=demo/0.parquet' (format parquet);
    create table records as select
        'demo:' || i as record_id, 'demo' as archive, i::varchar as native_id,
        'Picture ' || i || ' of a tram in the street' as title,
        'By the harbour, number ' || i || ', ' || repeat('some more words ', 8) as description,
        'en' as language, 'Picture ' || i || '. By the harbour, number ' || i as caption,
        ['tram'] as queries, list_sort(['label ' || i % 300, 'thing ' || i % 7]) as labels,
        (1900 + i % 60)::varchar as date_raw, make_date((1900 + i % 60)::integer, 1, 1) as date_start,
        make_date((1900 + i % 60)::integer, 12, 31) as date_end, (1900 + i % 60)::integer as year,
        'Finland' as country, 'Museum ' || i % 500 as provider, ['Lindqvist, Aino'] as creators,
        ['subject ' || i % 1000] as subjects, []::varchar[] as concept_uris,
        'https://creativecommons.org/licenses/by/4.0/' as rights_uri, 'open' as rights_class,
        'https://a.invalid/' || i as landing_url,
        'https://p' || i % 50 || '.invalid/' || i % {m} || '.jpg' as image_url,
        null::varchar as iiif_service_url, timestamp '2026-01-02 12:00:00' as harvested_at
    from range({n}) as t(i);
    copy records to '{root}/marts/records.parquet' (format parquet);
    copy (
        select
            record_id, unnest(labels) as label, 'query' as source, 'tram' as source_value, 'topic' as facet,
            [unnest(labels)] as path, 0.9::double as confidence
        from records
    ) to '{root}/marts/record_labels.parquet' (format parquet);
    copy (
        select null::varchar as hit_id, null::varchar as archive, null::varchar as native_id,
            null::varchar as query, null::varchar as rule, null::varchar as detail where false
    ) to '{root}/marts/rejections.parquet' (format parquet);
    create table images as select
        'https://p' || i % 50 || '.invalid/' || i || '.jpg' as image_url, 'ok' as status,
        200::integer as http_status, null::varchar as error,
        timestamptz '2026-01-02 12:00:00+00' as fetched_at, 'image/jpeg' as content_type,
        100000::bigint as bytes, sha256((i - i % 20 // 19)::varchar) as sha256,
        sha256(i::varchar) as pixel_hash,
        'JPEG' as format, 'RGB' as mode, 800::integer as width, 600::integer as height,
        format('{{:016x}}', i) as phash,
        list_transform(range(8), lambda o: format('{{:016x}}', i + o)) as phash_orientations,
        list_transform(range(64), lambda k: (i + k) % 256 / 256) as thumbnail, 5.0::double as entropy,
        [0.5, 0.4, 0.3]::double[] as rgb_mean, [0.1, 0.2, 0.3]::double[] as rgb_std,
        'images/00/' || sha256((i - i % 20 // 19)::varchar) || '.jpg' as path,
        null::varchar as source_sha256, null::bigint as source_bytes
    from range({m}) as t(i);
    copy images to '{root}/raw/images/0.parquet' (format parquet, compression zstd);
    create table shown as
    select
        images.sha256, min(path) as path, left(images.sha256, 16) as sample_id,
        list_sort(list(record_id)) as record_ids, list_sort(list_distinct(flatten(list(labels)))) as labels,
        min(title) as title, min(description) as description, min(caption) as caption, min(year) as year
    from images join records using (image_url) group by images.sha256;
    copy (
        select
            sample_id, sha256, path, record_ids, ['demo'] as archives, labels, labels[1] as label, caption,
            title, description, year, 'open' as rights_class, title || '. Museum' as attribution,
            sample_id as cluster_id,
            if(hash(sample_id) % 100 < 35, 'val', 'train') as split
        from shown
    ) to '{root}/marts/samples.parquet' (format parquet);
    copy (
        select
            sha256, left(sha256, 16) as sample_id, left(sha256, 16) as cluster_id, 'same_bytes' as relation,
            0::integer as distance, image_url
        from images qualify row_number() over (partition by sha256 order by image_url) > 1
    ) to '{root}/marts/duplicates.parquet' (format parquet);
    copy (
        select
            label, count(*) as n_samples, count(*) filter (split = 'train') as n_train,
            count(*) filter (split = 'val') as n_val, 'head' as tier, ['tram'] as queries,
            []::varchar[] as parents
        from (select split, unnest(labels) as label from '{root}/marts/samples.parquet') group by label
    ) to '{root}/marts/labels.parquet' (format parquet);
"""


def make(root: Path, n: int) -> None:
    """Write the lake."""
    tables = [f"raw/{table}/archive=demo" for table in ("hits", "pages", "harvests")]
    for folder in (*tables, "raw/images", "marts"):
        (root / folder).mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute(_COPIES.format(n=n, m=n // 2, root=root))


def main(quick: bool) -> None:
    """Measure and print."""
    n = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="bench-checks-") as folder:
        root = Path(folder) / "lake"
        command = [sys.executable, "-m", "tests.benchmarks.bench_checks", "--make", str(root), str(n)]
        subprocess.run(command, check=True)
        before = peak_gb()
        began = time.perf_counter()
        report = run_checks(Lake(root))
        seconds = time.perf_counter() - began
    counts = {outcome: len(report.with_outcome(outcome)) for outcome in OUTCOMES}
    show(f"checks of {n:,} records and {n // 2:,} images (imports alone: {before:.2f} GB)", [
        {"seconds": seconds, "peak GB": peak_gb(), **counts},
    ])
    for row in (*report.with_outcome("failed"), *report.with_outcome("error")):
        print(f"  {row.outcome} {row.table}: {row.expectation} {row.observed} {row.detail[:150]}")
    measured("checks", f"GB of memory for {n:,} records", peak_gb(), at_most=4)
    measured("checks", f"seconds for {n:,} records", seconds)


if __name__ == "__main__":
    if "--make" in sys.argv:
        make(Path(sys.argv[-2]), int(sys.argv[-1]))
    else:
        main("--quick" in sys.argv)
