-- One row per distinct search and label: the vocabulary's, or the search itself where the vocabulary does not know it.
-- `terms` are all the words by which a record's text can show that it is about the label.
with

queries as (
    select distinct query from {{ ref('base_hits__by_query') }} where native_id is not null
),

vocabulary as (
    select * from {{ ref('int_vocabulary__folded') }}
),

label_terms as (
    select label, list(term order by term) as terms from vocabulary group by label
),

labelled as (
    select
        queries.query,
        coalesce(vocabulary.label, lower(trim(queries.query))) as label,
        coalesce(vocabulary.facet, 'topic') as facet,
    from queries
    left join vocabulary on vocabulary.term = fold_text(queries.query)
    where fold_text(queries.query) <> ''
)

select
    labelled.query,
    labelled.label,
    labelled.facet,
    coalesce(label_terms.terms, [fold_text(labelled.query)]) as terms,
from labelled
left join label_terms using (label)
