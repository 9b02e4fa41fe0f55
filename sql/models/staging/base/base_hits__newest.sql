-- One row per object of an archive: where its newest payload lies that is a JSON object, and every query that found it.
-- Payloads are looked at here and read where they are needed, so that they never pile up in memory.
{{ config(materialized='table') }}

with

raw_hits as (
    select
        archive,
        hit_id,
        trim(native_id) as native_id,
        query,
        fetched_at,
        hash(payload) as payload_hash,
        filename,
        file_row_number,
        coalesce(try(json_type(payload)) = 'OBJECT', false) as is_object,
    from {{ raw_table(source('raw', 'hits'), {
        'hit_id': 'varchar', 'archive': 'varchar', 'native_id': 'varchar', 'query': 'varchar',
        'fetched_at': 'timestamptz', 'payload': 'varchar', 'filename': 'varchar', 'file_row_number': 'bigint',
    }) }}
    where trim(native_id) <> ''
)

select
    archive,
    native_id,
    list_sort(list(distinct query)) as queries,
    count(distinct hit_id) as n_hits,
    arg_min(
        {'fetched_at': fetched_at, 'is_object': is_object, 'filename': filename, 'file_row_number': file_row_number},
        (not is_object, -epoch_us(fetched_at), hit_id, payload_hash)
    ) as newest,
from raw_hits
group by archive, native_id
