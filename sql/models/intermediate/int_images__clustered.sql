-- One row per file: the cluster of pictures it belongs to (the connected components of the pairs), named by its smallest sha256.
{{ config(materialized='table', tags=['curate']) }}

with recursive

files as (
    select * from {{ ref('int_images__distinct') }}
),

pairs as (
    select sha256_a, sha256_b from {{ ref('int_images__paired') }}
    union all
    select sha256_b, sha256_a from {{ ref('int_images__paired') }}
),

-- each file takes the smallest name among its neighbours' until none changes
components(sha256, component) using key (sha256) as (
    select sha256, sha256 from files
    union
    (
        select
            pairs.sha256_b,
            min(found.component),
        from components as found
        inner join pairs on pairs.sha256_a = found.sha256
        inner join recurring.components as known on known.sha256 = pairs.sha256_b
        where found.component < known.component
        group by pairs.sha256_b
    )
),

clustered as (
    select
        files.*,
        left(components.component, 16) as cluster_id,
        row_number() over (
            partition by components.component
            order by width::bigint * height desc nulls last, bytes desc nulls last, sha256
        ) = 1 as is_representative,
    from files
    inner join components using (sha256)
)

select * from clustered
