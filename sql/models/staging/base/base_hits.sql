-- One row per object of an archive: its newest payload that is a JSON object, and every query that found it.
-- A payload that is none is NULL here (the raw layer keeps its text).
with

raw_hits as (
    select * from {{ raw_table(source('raw', 'hits'), {
        'archive': 'varchar', 'base_url': 'varchar', 'payload': 'varchar', 'filename': 'varchar', 'file_row_number': 'bigint',
    }) }}
),

newest_hits as (
    select * from {{ ref('base_hits__newest') }}
)

select
    newest_hits.archive,
    newest_hits.native_id,
    newest_hits.queries,
    newest_hits.n_hits,
    raw_hits.base_url,
    newest_hits.newest.fetched_at at time zone 'UTC' as harvested_at,
    case when newest_hits.newest.is_object then raw_hits.payload end as payload,
from newest_hits
inner join raw_hits
    on raw_hits.archive = newest_hits.archive
    and raw_hits.filename = newest_hits.newest.filename
    and raw_hits.file_row_number = newest_hits.newest.file_row_number
