-- One row per two pictures and way in which their hashes are near, with what the second witness says: for turned pictures the correlation
-- of their thumbnails, turned alike, and how far apart the least alike of their sixteen fields are; for crops the bits in which the
-- difference hashes differ, one taken of the crop, and those of the whole pictures. Cards and mounts that many pictures share correlate;
-- what is on them does not.
-- What an earlier run heard is not asked again.
{{ config(materialized='table', tags=['curate'], post_hook="{{ keep_for_next_run('witnesses') }}") }}

with

speakers as (
    select
        faces.node,
        faces.face,
        faces.sha256,
        faces.hash_bits,
        faces.facts_key,
        faces.place,
    from {{ ref('int_images__faces') }} as faces
),

-- the speakers of a hash with all that have it, its first hundred each with each, and the speakers with those of the
-- hashes near what they ask for
candidates as (
    select
        a.node as node_a,
        b.node as node_b,
        case a.face when 'whole' then 1 else 9 end::utinyint as part,
        b.face as face_b,
        0::utinyint as distance,
    from speakers as a
    inner join speakers as b on a.hash_bits = b.hash_bits and a.place < b.place and a.node <> b.node
    where a.place <= {{ var('hash_speakers') }} or b.place <= {{ var('hash_sharers') }}
    union all
    select
        parts.node,
        b.node,
        parts.part,
        b.face,
        near.distance,
    from {{ ref('int_images__parts') }} as parts
    inner join {{ ref('int_hashes__near') }} as near on near.asked_bits = parts.bits
    inner join speakers as b on b.hash_bits = near.held_bits and b.place <= {{ var('hash_speakers') }} and b.node <> parts.node
    left join speakers as own on own.node = parts.node and own.hash_bits = near.held_bits
    where own.node is null
        and (parts.part not in (1, 9) or parts.bits < near.held_bits)
        and (parts.part <= 16 or b.face = 'whole')
),

asked as materialized (
    select
        a.sha256 as sha256_a,
        b.sha256 as sha256_b,
        candidates.part,
        candidates.face_b,
        candidates.distance,
        hash(a.facts_key, b.facts_key) as facts_key,
        known.sha256_a is not null as is_known,
        known.correlation,
        known.field_difference,
        known.n_differences,
        known.n_uncropped,
    from candidates
    inner join speakers as a on a.node = candidates.node_a and a.face = 'whole'
    inner join speakers as b on b.node = candidates.node_b and b.face = 'whole'
    left join {{ ref('int_witnesses__known') }} as known
        on known.sha256_a = a.sha256 and known.sha256_b = b.sha256
        and known.part = candidates.part and known.face_b = candidates.face_b
        and known.facts_key = hash(a.facts_key, b.facts_key)
),

files as materialized (
    select
        sha256,
        thumbnail,
        inside_thumbnail,
        difference_bits,
    from {{ ref('int_images__distinct') }}
    where sha256 in (
        select sha256_a from asked where not is_known
        union all
        select sha256_b from asked where not is_known
    )
),

-- where each tone of a thumbnail stands in the picture before it was turned, for the orientations of EXIF; field by field of 4 × 4 tones
sources as (
    select
        orientation,
        list_transform(list_transform(
            range(256), lambda n: (n // 64 * 4 + n % 16 // 4) * 16 + n // 16 % 4 * 4 + n % 4
        ), lambda i: 1 + case orientation
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

field_sources as materialized (
    select
        orientation,
        {%- for n in range(16) %}
        places[{{ 16 * n + 1 }}:{{ 16 * n + 16 }}] as places_{{ n }},
        {%- endfor %}
    from sources
),

tones as (
    select
        sha256,
        unnest(['whole', 'inside']) as face,
        unnest([thumbnail, inside_thumbnail]) as thumbnail,
    from files
),

measured as (
    select
        *,
        list_avg(thumbnail) as mean,
        list_stddev_pop(thumbnail) as deviation,
    from tones
    where len(thumbnail) = 256 and deviation > 0
),

-- with mean 0 and deviation 1
evened as materialized (
    select
        sha256,
        face,
        list_transform(thumbnail, lambda tone: (tone - mean) / deviation)::float[] as tones,
    from measured
),

asked_faces as (
    select distinct
        sha256_a as sha256,
        case when part <= 8 then 'whole' else 'inside' end as face,
        1 + (part - 1) % 8 as orientation,
    from asked
    where part <= 16 and not is_known
    union
    select
        sha256_b,
        face_b,
        1,
    from asked
    where part <= 16 and not is_known
),

fields as materialized (
    select
        sha256,
        face,
        orientation,
        {%- for n in range(16) %}
        list_select(tones, places_{{ n }})::float[16] as field_{{ n }},
        {%- endfor %}
    from asked_faces
    inner join evened using (sha256, face)
    inner join field_sources using (orientation)
),

apart as (
    select
        asked.*,
        [
            {%- for n in range(16) %}
            array_distance(a.field_{{ n }}, b.field_{{ n }}){{ ',' if not loop.last }}
            {%- endfor %}
        ] as distances,
    from asked
    left join fields as a
        on a.sha256 = asked.sha256_a and a.orientation = 1 + (asked.part - 1) % 8
        and a.face = case when asked.part <= 8 then 'whole' else 'inside' end
    left join fields as b on b.sha256 = asked.sha256_b and b.face = asked.face_b and b.orientation = 1
    where asked.part <= 16 and not asked.is_known
),

correlated as (
    select
        * exclude (is_known, correlation, field_difference, n_differences, n_uncropped, distances),
        coalesce(1 - list_sum(list_transform(distances, lambda one: one::double * one)) / 512, 0) as correlation,
        list_max(distances)::double / 4 as field_difference,
        null::utinyint as n_differences,
        null::utinyint as n_uncropped,
    from apart
),

differing as (
    select
        asked.* exclude (is_known, correlation, field_difference, n_differences, n_uncropped),
        null::double as correlation,
        null::double as field_difference,
        (
            bit_count(xor(a.difference_bits[2 * asked.part - 31], b.difference_bits[1]))
            + bit_count(xor(a.difference_bits[2 * asked.part - 30], b.difference_bits[2]))
        )::utinyint as n_differences,
        (
            bit_count(xor(a.difference_bits[1], b.difference_bits[1]))
            + bit_count(xor(a.difference_bits[2], b.difference_bits[2]))
        )::utinyint as n_uncropped,
    from asked
    inner join files as a on a.sha256 = asked.sha256_a
    inner join files as b on b.sha256 = asked.sha256_b
    where asked.part > 16 and not asked.is_known
)

select * exclude (is_known) from asked where is_known
union all by name
select * from correlated
union all by name
select * from differing
