-- One row per object that is not to be a record: the first rule that says so, and what it saw.
{{ config(materialized='table') }}

with

objects as (
    select
        archive,
        native_id,
        not newest.is_object as is_malformed,
    from {{ ref('base_hits__newest') }}
),

cleaned as (
    select archive, native_id, record_id, image_url, titles from {{ ref('int_records__cleaned') }}
),

judged as (
    select
        objects.archive,
        objects.native_id,
        case
            when not list_contains({{ archives() }}, objects.archive) then 'unknown_archive'
            when objects.is_malformed then 'malformed_json'
            when cleaned.native_id is null then 'not_an_item'
            when cleaned.image_url is null then 'no_image'
            when not is_web_url(cleaned.image_url) then 'bad_image_url'
            when excluded.found is not null then excluded.found.rule
            when objects.archive = 'ww_vehicles' and is_icon_or_flag(cleaned.image_url, cleaned.titles) then 'icon_or_flag'
            else {{ date_rule('dates') }}
        end as rule,
        case
            when not list_contains({{ archives() }}, objects.archive)
                then 'this version has no staging model for ' || objects.archive
            when objects.is_malformed then 'the payload is no JSON object'
            when cleaned.native_id is null then 'a collection, a web page or the like: the archive''s staging model leaves it out'
            when cleaned.image_url is null then 'the item names no picture'
            when is_web_url(cleaned.image_url) and excluded.found is not null then excluded.found.detail
            when {{ date_rule('dates') }} is not null then coalesce(dates.date_raw, 'the archive gives no date')
            else left(cleaned.image_url, 200)
        end as detail,
    from objects
    left join cleaned using (archive, native_id)
    left join {{ ref('int_records__excluded') }} as excluded using (archive, native_id)
    left join {{ ref('int_records__dated') }} as dates using (record_id)
)

select * from judged where rule is not null
