-- One row per file (sha256) that a record's picture came as: its facts, and the addresses that gave it.
{{ config(materialized='table', tags=['curate']) }}

with

images as (
    select * from {{ ref('int_images__judged') }}
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
        coalesce(min(pixel_hash), sha256) as pixel_hash,
        min(phash) as phash,
        try_cast('0x' || min(phash) as ubigint) as hash_bits,
        list_transform(
            coalesce(min(phash_orientations), [min(phash)]), lambda digits: try_cast('0x' || digits as ubigint)
        ) as turned_bits,
        cast(min(thumbnail) as utinyint[]) as thumbnail,
        list_transform(min(phash_inside), lambda digits: try_cast('0x' || digits as ubigint)) as inside_bits,
        cast(min(thumbnail_inside) as utinyint[]) as inside_thumbnail,
        list_transform(min(phash_crops), lambda digits: try_cast('0x' || digits as ubigint)) as crop_bits,
        -- two halves each, since no number holds 112 bits
        list_transform(
            flatten(list_transform(
                list_prepend(min(dhash), min(dhash_crops)), lambda digits: [digits[1:14], digits[15:28]]
            )),
            lambda digits: try_cast('0x' || digits as ubigint)
        ) as difference_bits,
        max(width) as width,
        max(height) as height,
        max(bytes) as bytes,
        max(entropy) as entropy,
    from used_images
    group by sha256
)

select * from files
