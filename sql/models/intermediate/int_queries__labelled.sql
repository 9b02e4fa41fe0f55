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
    select label, facet, list(term order by term) as terms from vocabulary group by label, facet
),

-- a search asks for one thing: a topic, where the word also names a material or a kind of object
meant as (
    select * from vocabulary
    qualify row_number() over (partition by term order by facet = 'topic' desc, facet, label) = 1
),

labelled as (
    select
        queries.query,
        coalesce(meant.label, lower(trim(queries.query))) as label,
        coalesce(meant.facet, 'topic') as facet,
    from queries
    left join meant on meant.term = fold_text(queries.query)
    where fold_text(queries.query) <> ''
)

select
    labelled.query,
    labelled.label,
    labelled.facet,
    coalesce(label_terms.terms, [fold_text(labelled.query)]) as terms,
from labelled
left join label_terms using (label, facet)
