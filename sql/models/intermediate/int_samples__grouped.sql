-- One row per sample: the group that must stay on one side of the split, named by its smallest sample. Pictures whose hashes are near
-- are in one group even where their thumbnails say that they are two: backs of postcards are no duplicates, but no test either.
{{ config(materialized='table', tags=['curate']) }}

with recursive

clusters as (
    select distinct cluster_id from {{ ref('int_samples__records') }}
),

near as (
    select distinct
        one.cluster_id as a,
        other.cluster_id as b,
    from {{ ref('int_images__compared') }} as compared
    inner join {{ ref('int_images__clustered') }} as one on one.sha256 = compared.sha256_a
    inner join {{ ref('int_images__clustered') }} as other on other.sha256 = compared.sha256_b
    where not compared.is_same and one.cluster_id <> other.cluster_id
),

links as materialized (
    select a, b from near
    union
    select b, a from near
),

components(node, component) using key (node) as (
    {{ connected_components() }}
)

select
    clusters.cluster_id,
    coalesce(components.component, clusters.cluster_id) as group_id,
from clusters
left join components on components.node = clusters.cluster_id
