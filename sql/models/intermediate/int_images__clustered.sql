-- One row per file: the cluster of pictures it belongs to (the connected components of the pairs), named by its smallest sha256.
{{ config(materialized='table', tags=['curate']) }}

with recursive

files as (
    select
        sha256,
        width::bigint * height as n_pixels,
        bytes,
        row_number() over (order by sha256) as node,
    from {{ ref('int_images__distinct') }}
),

pairs as (
    select
        one.node as a,
        other.node as b,
    from {{ ref('int_images__paired') }} as paired
    inner join files as one on one.sha256 = paired.sha256_a
    inner join files as other on other.sha256 = paired.sha256_b
),

links as materialized (
    select a, b from pairs
    union
    select b, a from pairs
),

components(node, component) using key (node) as (
    {{ connected_components() }}
),

named as (
    select
        files.*,
        first_files.sha256 as component,
    from files
    left join components using (node)
    inner join files as first_files on first_files.node = coalesce(components.component, files.node)
),

ranked as (
    select
        sha256,
        left(component, 16) as cluster_id,
        row_number() over (
            partition by component order by n_pixels desc nulls last, bytes desc nulls last, sha256
        ) = 1 as is_representative,
    from named
),

-- what only comparing needs stays behind
facts as (
    select columns(lambda name: name not in ('thumbnail', 'inside_thumbnail', 'inside_bits', 'crop_bits', 'difference_bits'))
    from {{ ref('int_images__distinct') }}
)

select
    facts.*,
    ranked.cluster_id,
    ranked.is_representative,
from facts
inner join ranked using (sha256)
