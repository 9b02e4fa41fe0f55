-- One row per label, facet and name of it: the seed's, and the imported vocabularies'. An imported concept whose shown
-- name the seed knows in the same facet takes the seed's label, and so do its other names.
{{ config(materialized='table') }}

with

seeded as (
    select
        fold_text(query) as term,
        label,
        min(facet) as facet,
        'seed' as origin,
        cast(null as varchar) as concept_uri,
    from {{ ref('vocabulary') }}
    group by all
),

imported as (
    select * from {{ ref('base_vocabulary') }}
),

seed_labels as (
    select
        term,
        facet,
        min(label) as seed_label,
    from seeded
    group by term, facet
),

named as (
    select
        imported.*,
        coalesce(seed_labels.seed_label, imported.label) as canonical_label,
    from imported
    left join seed_labels on seed_labels.term = fold_text(imported.label) and seed_labels.facet = imported.facet
),

imported_terms as (
    select
        fold_text(unnest(terms)) as term,
        canonical_label as label,
        facet,
        vocabulary as origin,
        concept_uri,
    from named
)

select * from seeded
union all
select distinct * from imported_terms
where term <> ''
