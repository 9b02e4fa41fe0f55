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
        hash_bits,
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
            when clustered.pixel_sha256 = representatives.pixel_sha256 then 0
            else cast(bit_count(xor(clustered.hash_bits, representatives.hash_bits)) as integer)
        end as distance,
        clustered.image_url,
    from clustered
    inner join representatives using (cluster_id)
    where clustered.image_url <> representatives.image_url
)

select * from copies
