-- One row per fetched picture (image URL) that is another copy of a sample's picture, with the evidence.
{{ config(meta={'key': ['image_url']}, tags=['curate']) }}

with

clustered as (
    select
        *,
        unnest(image_urls) as image_url,
    from {{ ref('int_images__clustered') }}
),

-- of files with the same pixels the one that was compared
compared_files as (
    select
        sha256,
        min(sha256) over (partition by pixel_hash) as compared_sha256,
    from {{ ref('int_images__clustered') }}
),

representatives as (
    select
        cluster_id,
        sha256,
        pixel_hash,
        turned_bits,
        image_urls[1] as image_url,
        compared_sha256,
    from {{ ref('int_images__clustered') }}
    inner join compared_files using (sha256)
    where is_representative
),

-- both ways; turned a quarter in the one is turned back in the other
edges as (
    select
        sha256_a as from_sha256,
        sha256_b as to_sha256,
        evidence,
        distance,
        orientation,
    from {{ ref('int_images__paired') }}
    where relation = 'near'
    union all
    select
        sha256_b,
        sha256_a,
        evidence,
        distance,
        case when orientation in (6, 8) then 14 - orientation else orientation end,
    from {{ ref('int_images__paired') }}
    where relation = 'near'
),

copies as (
    select
        clustered.sha256,
        clustered.cluster_id,
        clustered.image_url,
        case
            when clustered.sha256 = representatives.sha256 then 'bytes'
            when clustered.pixel_hash = representatives.pixel_hash then 'pixels'
            else coalesce(edges.evidence, 'chain')
        end as evidence,
        edges.distance,
        edges.orientation,
        list_transform(representatives.turned_bits, lambda bits: bit_count(xor(bits, clustered.hash_bits))::integer) as distances,
    from clustered
    inner join representatives using (cluster_id)
    inner join compared_files on compared_files.sha256 = clustered.sha256
    left join edges
        on edges.from_sha256 = representatives.compared_sha256 and edges.to_sha256 = compared_files.compared_sha256
    where clustered.image_url <> representatives.image_url
)

select
    sha256,
    cluster_id as sample_id,
    cluster_id,
    case evidence when 'bytes' then 'same_bytes' when 'pixels' then 'same_pixels' else 'near' end as relation,
    case
        when evidence in ('bytes', 'pixels') then 0
        when evidence = 'chain' then list_min(distances)
        else distance
    end as distance,
    image_url,
    case
        when evidence in ('bytes', 'pixels') then 1
        when evidence = 'chain' then list_position(distances, list_min(distances))::integer
        else orientation
    end as orientation,
    evidence,
from copies
