-- One row per two pictures that may show the same, with the evidence; of files with the same pixels one stands for all.
-- Hashes are compared first, each once, however many files have it: all within `near_distance` in any of the eight orientations
-- are found. Then the files' thumbnails, turned alike, are the second witness. Plain pictures are never compared.
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
        1 as orientation,
        1.0 as correlation,
        true as is_same,
    from files
    inner join pictures using (pixel_sha256)
    where files.sha256 <> pictures.sha256
),

-- a plain picture's hash is chance
telling as materialized (
    select
        sha256,
        hash_bits,
        turned_bits,
        thumbnail,
        row_number() over (partition by hash_bits order by sha256) as place,
    from pictures
    where hash_bits is not null and entropy >= {{ var('min_entropy') }}
),

hashes as materialized (
    select distinct hash_bits from telling
),

turned as materialized (
    select distinct
        hash_bits,
        generate_subscripts(turned_bits, 1) as orientation,
        unnest(turned_bits) as turned_bits,
    from telling
),

near_hashes as (
    {%- for mask in hash_masks(var('near_distance')).strip().split(',') %}
    select
        turned.hash_bits as hash_a,
        hashes.hash_bits as hash_b,
        turned.orientation,
        bit_count(xor(turned.turned_bits, hashes.hash_bits)) as distance,
    from turned
    inner join hashes
        on (turned.turned_bits & {{ mask }}::ubigint) = (hashes.hash_bits & {{ mask }}::ubigint)
        and bit_count(xor(turned.turned_bits, hashes.hash_bits)) <= {{ var('near_distance') }}
        and (turned.orientation > 1 or turned.hash_bits < hashes.hash_bits)
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

-- the speakers of a hash with all its files, and with the speakers of the hashes near it
candidates as materialized (
    select
        a.sha256 as sha256_a,
        b.sha256 as sha256_b,
        1 as orientation,
        0 as distance,
    from telling as a
    inner join telling as b on a.hash_bits = b.hash_bits and a.place < b.place
    where a.place <= {{ var('hash_speakers') }}
    union
    select
        a.sha256,
        b.sha256,
        near_hashes.orientation,
        near_hashes.distance,
    from near_hashes
    inner join telling as a on a.hash_bits = near_hashes.hash_a and a.place <= {{ var('hash_speakers') }}
    inner join telling as b on b.hash_bits = near_hashes.hash_b and b.place <= {{ var('hash_speakers') }}
    where a.sha256 <> b.sha256
),

-- where each tone of a thumbnail stands in the picture before it was turned, for the orientations of EXIF
sources as (
    select
        orientation,
        list_transform(range(256), lambda i: 1 + case orientation
            when 1 then i
            when 2 then i // 16 * 16 + 15 - i % 16
            when 3 then 255 - i
            when 4 then (15 - i // 16) * 16 + i % 16
            when 5 then i % 16 * 16 + i // 16
            when 6 then (15 - i % 16) * 16 + i // 16
            when 7 then (15 - i % 16) * 16 + 15 - i // 16
            else i % 16 * 16 + 15 - i // 16
        end) as places,
    from generate_series(1, 8) as of_orientations(orientation)
),

tones as materialized (
    select
        sha256,
        thumbnail,
        list_avg(thumbnail) as mean,
        list_stddev_pop(thumbnail) as deviation,
    from telling
    where len(thumbnail) = 256
        and sha256 in (select sha256_a from candidates union all select sha256_b from candidates)
),

turned_tones as (
    select
        asked.sha256_a,
        asked.orientation,
        list_select(tones.thumbnail, sources.places) as thumbnail,
        tones.mean,
        tones.deviation,
    from (select distinct sha256_a, orientation from candidates) as asked
    inner join tones on tones.sha256 = asked.sha256_a
    inner join sources using (orientation)
),

witnessed as (
    select
        candidates.*,
        coalesce(
            (
                array_inner_product(turned_tones.thumbnail::float[256], tones.thumbnail::float[256]) / 256
                - turned_tones.mean * tones.mean
            ) / nullif(turned_tones.deviation * tones.deviation, 0),
            0
        ) as correlation,
    from candidates
    left join turned_tones using (sha256_a, orientation)
    left join tones on tones.sha256 = candidates.sha256_b
),

near as (
    select
        least(sha256_a, sha256_b) as sha256_a,
        greatest(sha256_a, sha256_b) as sha256_b,
        'near' as relation,
        arg_max(distance, correlation)::integer as distance,
        arg_max(orientation, correlation)::integer as orientation,
        round(max(correlation), 4) as correlation,
        max(correlation) >= {{ var('near_correlation') }} as is_same,
    from witnessed
    group by all
)

select * from same_pixels
union all by name
select * from near
