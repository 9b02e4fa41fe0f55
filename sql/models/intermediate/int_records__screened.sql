-- One row per object that cannot be used as a record: the first rule that says so, and what it saw.
{{ config(materialized='table') }}

with

objects as (
    select
        archive,
        native_id,
        payload is null as is_malformed,
    from {{ ref('base_hits') }}
),

cleaned as (
    select archive, native_id, image_url from {{ ref('int_records__cleaned') }}
),

judged as (
    select
        objects.archive,
        objects.native_id,
        case
            when not list_contains({{ archives() }}, objects.archive) then 'unknown_archive'
            when objects.is_malformed then 'malformed_json'
            when cleaned.image_url is null then 'no_image'
            when not is_web_url(cleaned.image_url) then 'bad_image_url'
        end as rule,
        case
            when not list_contains({{ archives() }}, objects.archive)
                then 'this version has no staging model for ' || objects.archive
            when objects.is_malformed then 'the payload is no JSON object'
            when cleaned.image_url is null then 'the item names no picture'
            else left(cleaned.image_url, 200)
        end as detail,
    from objects
    left join cleaned using (archive, native_id)
)

select * from judged where rule is not null
