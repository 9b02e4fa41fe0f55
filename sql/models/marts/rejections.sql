-- One row per hit that did not become part of a record, with the rule that rejected it.
{{ config(meta={'key': ['hit_id']}) }}

with

hits as (
    select * from {{ ref('base_hits__by_query') }}
),

screened as (
    select * from {{ ref('int_records__screened') }}
),

rejections as (
    select
        hits.hit_id,
        hits.archive,
        hits.native_id,
        hits.query,
        case when hits.native_id is null then 'missing_id' else screened.rule end as rule,
        case when hits.native_id is null then 'the item has no identifier' else screened.detail end as detail,
    from hits
    left join screened using (archive, native_id)
    where hits.native_id is null or screened.rule is not null
)

select * from rejections
