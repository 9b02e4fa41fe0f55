-- One row per concept URI as it is compared, facet and canonical label: the seed's, and those of imported vocabularies.
{{ config(materialized='table') }}

with

facets as (
    select
        label,
        min(facet) as facet,
    from {{ ref('vocabulary') }}
    group by label
),

seeded as (
    select
        concept_key(concepts.uri) as concept,
        concepts.label,
        facets.facet,
    from {{ ref('concept_labels') }} as concepts
    inner join facets using (label)
),

imported as (
    select distinct
        concept_key(concept_uri) as concept,
        label,
        facet,
    from {{ ref('int_vocabulary__united') }}
    where concept_uri is not null
)

select * from seeded
union
select * from imported
anti join seeded using (concept, facet)
