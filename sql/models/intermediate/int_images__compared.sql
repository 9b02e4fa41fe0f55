-- One row per two pictures that may show the same, with the evidence that speaks best for it; of files with the same pixels one stands for
-- all. Pairs of pictures that are only near as crops or inside their borders are listed where they nearly are the same.
{{ config(materialized='table', tags=['curate']) }}

with

files as (
    select
        sha256,
        pixel_hash,
    from {{ ref('int_images__distinct') }}
),

same_pixels as (
    select
        min(sha256) over (partition by pixel_hash) as sha256_a,
        sha256 as sha256_b,
        'same_pixels' as relation,
        'pixels' as evidence,
        0 as distance,
        1 as orientation,
        1.0 as correlation,
        null::integer as n_differences,
        null::double as cosine,
        true as is_same,
    from files
    qualify sha256_a <> sha256_b
),

judged as (
    select
        least(sha256_a, sha256_b) as sha256_a,
        greatest(sha256_a, sha256_b) as sha256_b,
        case when part > 16 then 'crop' when part > 8 or face_b = 'inside' then 'border' else 'whole' end as evidence,
        distance::integer as distance,
        case
            when part > 16 then 1
            -- the pair is told from its smaller hash: turned a quarter one way there is the other way here
            when sha256_a > sha256_b and part % 8 in (6, 0) then 14 - (1 + (part - 1) % 8)
            else 1 + (part - 1) % 8
        end::integer as orientation,
        correlation,
        n_differences::integer as n_differences,
        null::double as cosine,
        coalesce(
            correlation >= {{ var('near_correlation') }} and field_difference <= {{ var('field_difference') }},
            n_differences <= least({{ var('crop_differences') }}, n_uncropped + {{ var('crop_lag') }}), false
        ) as is_same,
    from {{ ref('int_images__witnessed') }}
    union all by name
    select
        sha256_a,
        sha256_b,
        'embedding' as evidence,
        distance,
        1 as orientation,
        cosine,
        true as is_same,
    from {{ ref('int_images__alike') }}
),

weighed as (
    select
        *,
        {
            'is_same': is_same, 'is_whole': evidence = 'whole', 'is_border': evidence = 'border', 'is_crop': evidence = 'crop',
            'correlation': coalesce(correlation, 0), 'n_differences': -coalesce(n_differences, 0),
            'distance': -distance, 'orientation': -orientation
        } as weight,
    from judged
),

near as (
    select
        sha256_a,
        sha256_b,
        'near' as relation,
        arg_max(evidence, weight) as evidence,
        arg_max(distance, weight) as distance,
        arg_max(orientation, weight) as orientation,
        round(arg_max_null(correlation, weight), 4) as correlation,
        arg_max_null(n_differences, weight) as n_differences,
        arg_max_null(cosine, weight) as cosine,
        bool_or(is_same) as is_same,
    from weighed
    where is_same or evidence = 'whole'
        or correlation >= {{ var('near_correlation') }} or n_differences <= {{ var('crop_differences') }}
    group by sha256_a, sha256_b
)

select * from same_pixels
union all by name
select * from near
