-- One row per fetched picture (image URL) that is another copy of a sample's picture, with the evidence.
{{ config(meta={'key': ['image_url']}, tags=['curate']) }}

with

clustered as (
    select
        *,
        unnest(image_urls) as image_url,
    from {{ ref('int_images__clustered') }}
),

representatives as (
    select
        cluster_id,
        sha256,
        pixel_sha256,
        turned_bits,
        image_urls[1] as image_url,
    from {{ ref('int_images__clustered') }}
    where is_representative
),

copies as (
    select
        clustered.sha256,
        clustered.cluster_id as sample_id,
        clustered.cluster_id,
        case
            when clustered.sha256 = representatives.sha256 then 'same_bytes'
            when clustered.pixel_sha256 = representatives.pixel_sha256 then 'same_pixels'
            else 'near'
        end as relation,
        case
            when clustered.pixel_sha256 = representatives.pixel_sha256 then [0]
            else list_transform(representatives.turned_bits, lambda bits: bit_count(xor(bits, clustered.hash_bits))::integer)
        end as distances,
        clustered.image_url,
    from clustered
    inner join representatives using (cluster_id)
    where clustered.image_url <> representatives.image_url
)

select
    sha256,
    sample_id,
    cluster_id,
    relation,
    list_min(distances) as distance,
    image_url,
    list_position(distances, list_min(distances))::integer as orientation,
from copies
