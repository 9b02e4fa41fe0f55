-- One row per hit: what one archive answered to one query. The same hit received twice is one row.
with

raw_hits as (
    select * from {{ raw_table(source('raw', 'hits'), {
        'hit_id': 'varchar', 'archive': 'varchar', 'native_id': 'varchar', 'query': 'varchar',
    }) }}
),

hits as (
    select
        hit_id,
        min(archive) as archive,
        min(nullif(trim(native_id), '')) as native_id,
        min(query) as query,
    from raw_hits
    group by hit_id
)

select * from hits
