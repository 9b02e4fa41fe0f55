-- One row per pair of pictures that show the same, with the evidence. Of files with the same pixels one stands for all.
-- Near pairs share at least one of four 16-bit bands of their hash: none within 3 bits can be missed, no other pair is compared.
{{ config(materialized='table', tags=['curate']) }}

with

files as (
    select * from {{ ref('int_images__distinct') }}
),

pictures as (
    select * from files
    qualify row_number() over (partition by pixel_sha256 order by sha256) = 1
),

same_pixels as (
    select
        pictures.sha256 as sha256_a,
        files.sha256 as sha256_b,
        'same_pixels' as relation,
        0 as distance,
    from files
    inner join pictures using (pixel_sha256)
    where files.sha256 <> pictures.sha256
),

-- a plain picture's hash is chance
telling as (
    select
        sha256,
        hash_bits,
        brightness,
    from pictures
    where hash_bits is not null and entropy >= {{ var('min_entropy') }}
),

banded as (
    select
        *,
        unnest([
            hash_bits & 65535::ubigint,
            65536::ubigint + ((hash_bits >> 16) & 65535::ubigint),
            131072::ubigint + ((hash_bits >> 32) & 65535::ubigint),
            196608::ubigint + (hash_bits >> 48),
        ]) as band,
    from telling
),

near as (
    select distinct
        a.sha256 as sha256_a,
        b.sha256 as sha256_b,
        'near' as relation,
        cast(bit_count(xor(a.hash_bits, b.hash_bits)) as integer) as distance,
    from banded as a
    inner join banded as b on a.band = b.band and a.sha256 < b.sha256
    where bit_count(xor(a.hash_bits, b.hash_bits)) <= {{ var('near_distance') }}
        and abs(a.brightness - b.brightness) <= {{ var('near_brightness') }}
)

select * from same_pixels
union all
select * from near
