-- One row per file: the cluster of pictures it belongs to (the connected components of the pairs), named by its smallest sha256.
{{ config(materialized='table', tags=['curate']) }}

with recursive

files as (
    select
        *,
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

clustered as (
    select
        * exclude (node, component),
        left(component, 16) as cluster_id,
        row_number() over (
            partition by component
            order by width::bigint * height desc nulls last, bytes desc nulls last, sha256
        ) = 1 as is_representative,
    from named
)

select * from clustered
