-- One row per two pictures whose embeddings are near and whose perceptual hashes, of any part of them, are not far: a model sees two
-- photographs of one square as the same, so it is believed only where the hashes do not contradict.
-- Empty where `curate` was not asked for it.
{{ config(materialized='table', tags=['curate']) }}
{%- set distance = var('near_by_embedding') %}

with

-- of files with the same pixels the one that stands for all
standing as (
    select
        sha256,
        min(sha256) over (partition by pixel_hash) as compared_sha256,
    from {{ ref('int_images__distinct') }}
),

pairs as (
    select
        least(a.compared_sha256, b.compared_sha256) as sha256_a,
        greatest(a.compared_sha256, b.compared_sha256) as sha256_b,
        max(cosine) as cosine,
    from {{ ref('base_near_vectors') }} as near
    inner join standing as a on a.sha256 = near.sha256_a
    inner join standing as b on b.sha256 = near.sha256_b
    where a.compared_sha256 <> b.compared_sha256 and {{ 'false' if distance is none else 'cosine >= 1 - ' ~ distance }}
    group by all
),

files as (
    select
        sha256,
        list_concat([hash_bits], inside_bits[1:1]) as held,
        list_concat(list_concat(turned_bits, inside_bits), crop_bits) as asked,
    from {{ ref('int_images__distinct') }}
    where hash_bits is not null and entropy >= {{ var('min_entropy') }}
),

measured as (
    select
        pairs.*,
        list_min(flatten([
            list_transform(a.asked, lambda bits: list_min(list_transform(b.held, lambda own: bit_count(xor(bits, own))))),
            list_transform(b.asked, lambda bits: list_min(list_transform(a.held, lambda own: bit_count(xor(bits, own)))))
        ]))::integer as distance,
    from pairs
    inner join files as a on a.sha256 = pairs.sha256_a
    inner join files as b on b.sha256 = pairs.sha256_b
)

select * from measured
where distance <= {{ var('embedding_distance') }}
