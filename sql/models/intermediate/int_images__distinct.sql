-- One row per file (sha256) that a record's picture came as: its facts, and the addresses that gave it.
{{ config(materialized='table', tags=['curate']) }}

with

images as (
    select * from {{ ref('base_images') }}
    where status = 'ok' and sha256 is not null
),

used_images as (
    select * from images
    semi join {{ ref('records') }} as records using (image_url)
),

files as (
    select
        sha256,
        list_sort(list(image_url)) as image_urls,
        min(path) as path,
        coalesce(min(pixel_sha256), sha256) as pixel_sha256,
        min(phash) as phash,
        try_cast('0x' || min(phash) as ubigint) as hash_bits,
        list_transform(
            coalesce(min(phash_orientations), [min(phash)]), lambda digits: try_cast('0x' || digits as ubigint)
        ) as turned_bits,
        cast(min(thumbnail) as utinyint[]) as thumbnail,
        max(width) as width,
        max(height) as height,
        max(bytes) as bytes,
        max(entropy) as entropy,
    from used_images
    group by sha256
)

select * from files
