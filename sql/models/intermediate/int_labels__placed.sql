-- One row per label, facet and way from the top of a hierarchy down to the label: a label under several parents has several.
-- Ancestors are climbed one step at a time; a concept that stands above itself is not climbed twice.
{{ config(materialized='table') }}

with recursive

facets as (
    select
        label,
        min(facet) as facet,
    from {{ ref('vocabulary') }}
    group by label
),

edges as (
    select
        label as node,
        parent,
    from {{ ref('label_parents') }}
    union
    select
        concept_uri,
        unnest(broader_uris),
    from {{ ref('base_vocabulary') }}
    where concept_uri is not null
),

concepts as (
    select distinct
        concept_uri as node,
        label,
        facet,
    from {{ ref('int_vocabulary__united') }}
    where concept_uri is not null
),

nodes as (
    select
        node,
        node as label,
        coalesce(facets.facet, 'topic') as facet,
    from (
        select label as node from facets
        union
        select unnest([label, parent]) from {{ ref('label_parents') }}
    ) as seeded
    left join facets on facets.label = seeded.node
    union all
    select * from concepts
),

known_edges as (
    select
        edges.node,
        edges.parent,
        nodes.label as parent_label,
    from edges
    inner join nodes on nodes.node = edges.parent
),

climbing(node, label, facet, way, path) as (
    select
        node,
        label,
        facet,
        [node],
        [label],
    from nodes
    union all
    select
        climbing.node,
        climbing.label,
        climbing.facet,
        list_prepend(known_edges.parent, climbing.way),
        -- concepts that are one label to us are one step
        case
            when list_contains(climbing.path, known_edges.parent_label) then climbing.path
            else list_prepend(known_edges.parent_label, climbing.path)
        end,
    from climbing
    inner join known_edges on known_edges.node = climbing.way[1]
    where not list_contains(climbing.way, known_edges.parent)
),

-- only ways that have reached the top
climbed as (
    select distinct
        climbing.label,
        climbing.facet,
        climbing.path,
    from climbing
    where not exists (
        select 1 from known_edges
        where known_edges.node = climbing.way[1] and not list_contains(climbing.way, known_edges.parent)
    )
),

-- vocabularies that are lists of paths: each step of a path is a place
given as (
    select distinct
        path[step] as label,
        facet,
        path[1:step] as path,
    from (
        select
            facet,
            path,
            unnest(range(1, len(path) + 1)) as step,
        from {{ ref('base_vocabulary') }}
        where path is not null
    )
)

select * from climbed
union
select * from given
