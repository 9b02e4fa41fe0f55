-- One row per record, label and where the label came from: a search that found it, or one of its own subjects.
{{ config(materialized='table') }}

with

records as (
    select
        cleaned.record_id,
        cleaned.queries,
        cleaned.subjects,
        ' ' || fold_text(concat_ws(
            ' ',
            array_to_string(cleaned.titles, ' '),
            array_to_string(cleaned.descriptions, ' '),
            array_to_string(cleaned.subjects, ' ')
        )) || ' ' as folded_text,
    from {{ ref('int_records__cleaned') }} as cleaned
    anti join {{ ref('int_records__screened') }} as screened using (archive, native_id)
),

by_query as (
    select
        records.record_id,
        labelled.label,
        'query' as source,
        labelled.query as source_value,
        labelled.facet,
        -- "a search found it" and "it shows it" are not the same: some term of the label must stand in the record,
        -- a short one as a whole word, a longer one as the beginning of a word (plurals, Finnish cases)
        case
            when list_bool_or(list_transform(
                labelled.terms,
                lambda term: contains(records.folded_text, ' ' || term || case when length(term) < 5 then ' ' else '' end)
            )) then 0.9
            else 0.4
        end as confidence,
    from (select * exclude (queries), unnest(queries) as query from records) as records
    inner join {{ ref('int_queries__labelled') }} as labelled using (query)
),

subject_terms as (
    select distinct
        subject,
        fold_text(subject) as term,
    from (select unnest(subjects) as subject from records)
),

subject_labels as (
    select
        subject_terms.subject,
        vocabulary.label,
        vocabulary.facet,
    from subject_terms
    inner join {{ ref('int_vocabulary__folded') }} as vocabulary using (term)
),

by_subject as (
    select
        records.record_id,
        subject_labels.label,
        'subject' as source,
        subject_labels.subject as source_value,
        subject_labels.facet,
        1.0 as confidence,
    from (select record_id, unnest(subjects) as subject from records) as records
    inner join subject_labels using (subject)
),

united as (
    select * from by_query
    union all
    select * from by_subject
)

select
    record_id,
    label,
    source,
    source_value,
    facet,
    [label] as path,
    cast(confidence as double) as confidence,
from united
