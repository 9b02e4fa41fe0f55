-- One row per file and archive that answers with it where it has no picture: the same pixels at many addresses under other
-- titles. Of a plain picture a few titles are enough; a photograph that shows several objects is catalogued under many, too.
{{ config(materialized='table', tags=['curate']) }}

with

pictures as (
    select
        *,
        coalesce(pixel_hash, sha256) as pixels,
    from {{ ref('base_images') }}
    where status = 'ok' and sha256 is not null
),

records as (
    select
        archive,
        image_url,
        coalesce(lower(trim(title)), record_id) as title,
    from {{ ref('records') }}
    where image_url is not null
),

counted as (
    select
        pictures.pixels,
        records.archive,
        count(distinct image_url) as n_urls,
        count(distinct records.title) as n_titles,
        max(pictures.entropy) as entropy,
    from pictures
    inner join records using (image_url)
    group by pictures.pixels, records.archive
    having n_urls >= {{ var('plain_placeholder_urls') }} and n_titles >= {{ var('plain_placeholder_urls') }}
),

judged as (
    select
        *,
        case
            when least(n_urls, n_titles) >= {{ var('placeholder_urls') }} then 'many_urls'
            when entropy < {{ var('placeholder_entropy') }} then 'plain'
        end as evidence,
    from counted
),

files as (
    select distinct
        pictures.sha256,
        judged.archive,
        judged.evidence,
        judged.n_urls,
        judged.n_titles,
        judged.entropy,
    from judged
    inner join pictures using (pixels)
    where judged.evidence is not null
)

select * from files
