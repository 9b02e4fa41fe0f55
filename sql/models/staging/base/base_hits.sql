-- One row per object of an archive: its newest payload that is a JSON object, and every query that found it.
-- A payload that is none is NULL here (the raw layer keeps its text).
with

raw_hits as (
    select * from {{ raw_table(source('raw', 'hits'), {
        'hit_id': 'varchar', 'archive': 'varchar', 'native_id': 'varchar', 'query': 'varchar', 'base_url': 'varchar',
        'fetched_at': 'timestamptz', 'payload': 'varchar',
    }) }}
),

named_hits as (
    select
        archive,
        hit_id,
        trim(native_id) as native_id,
        query,
        base_url,
        fetched_at,
        case when json_valid(payload) and json_type(payload) = 'OBJECT' then payload end as payload,
    from raw_hits
    where trim(native_id) <> ''
),

newest_hits as (
    select * from named_hits
    qualify row_number() over (
        partition by archive, native_id
        order by payload is null, fetched_at desc, hit_id, hash(payload)
    ) = 1
),

found_by as (
    select
        archive,
        native_id,
        list_sort(list(distinct query)) as queries,
        count(distinct hit_id) as n_hits,
    from named_hits
    group by archive, native_id
)

select
    archive,
    native_id,
    found_by.queries,
    found_by.n_hits,
    newest_hits.base_url,
    newest_hits.fetched_at at time zone 'UTC' as harvested_at,
    newest_hits.payload,
from newest_hits
inner join found_by using (archive, native_id)
