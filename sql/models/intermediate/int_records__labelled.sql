-- One row per record, label, way down to the label and where the label came from: a search that found the record, one of
-- its own subjects, a concept it names, or its catalogue's classification (label paths, kinds of object).
{{ config(materialized='table') }}

with

records as (
    select
        cleaned.record_id,
        cleaned.archive,
        cleaned.native_id,
        cleaned.queries,
        cleaned.subjects,
        cleaned.concept_uris,
        cleaned.object_types,
        ' ' || fold_text(concat_ws(
            ' ',
            array_to_string(cleaned.titles, ' '),
            array_to_string(cleaned.descriptions, ' '),
            array_to_string(cleaned.subjects, ' ')
        )) || ' ' as folded_text,
    from {{ ref('int_records__cleaned') }} as cleaned
    anti join {{ ref('int_records__screened') }} as screened using (archive, native_id)
),

-- each word of the catalogues is looked up once, however many records use it
own_words as (
    select record_id, 'subject' as source, unnest(subjects) as word from records
    union all
    select record_id, 'catalogue' as source, unnest(object_types) as word from records
),

word_terms as (
    select
        word,
        fold_text(word) as term,
    from (select distinct word from own_words)
),

by_word as (
    select
        own_words.record_id,
        vocabulary.label,
        own_words.source,
        own_words.word as source_value,
        vocabulary.facet,
    from own_words
    inner join word_terms using (word)
    inner join {{ ref('int_vocabulary__folded') }} as vocabulary using (term)
),

own_concepts as (
    select record_id, unnest(concept_uris) as uri from records
),

concept_keys as (
    select
        uri,
        concept_key(uri) as concept,
    from (select distinct uri from own_concepts)
),

by_concept as (
    select
        own_concepts.record_id,
        concepts.label,
        'concept' as source,
        own_concepts.uri as source_value,
        concepts.facet,
    from own_concepts
    inner join concept_keys using (uri)
    inner join {{ ref('int_concepts__labelled') }} as concepts using (concept)
),

-- classified by the catalogue itself: the way down is the one it gives
given_paths as (
    select
        records.record_id,
        unnest(list_distinct(unioned.label_paths)) as given,
    from {{ ref('int_records__unioned') }} as unioned
    inner join records using (archive, native_id)
    where len(unioned.label_paths) > 0
),

by_path as (
    select distinct
        record_id,
        given['path'][-1] as label,
        'catalogue' as source,
        array_to_string(given['path'], ' | ') as source_value,
        given['facet'] as facet,
        given['path'] as path,
    from given_paths
    where given['path'][-1] <> ''
),

stated as (
    select * from by_word
    union
    select * from by_concept
),

asked as (
    select
        records.record_id,
        labelled.label,
        labelled.query,
        labelled.facet,
        records.folded_text,
    from (select record_id, folded_text, unnest(queries) as query from records) as records
    inner join {{ ref('int_queries__labelled') }} as labelled using (query)
),

-- "a search found it" and "it shows it" are not the same: some term of the label must stand in the record,
-- a short one as a whole word, a longer one as the beginning of a word (plurals, Finnish cases)
query_terms as (
    select distinct
        query,
        term,
        ' ' || term || case when length(term) < 5 then ' ' else '' end as needle,
    from (select query, unnest(terms) as term from {{ ref('int_queries__labelled') }})
),

spoken_of as (
    select distinct
        asked.record_id,
        asked.query,
    from asked
    inner join query_terms using (query)
    -- the first test is the faster one, for few letters are as frequent as the space before a word, and it is enough for most
    where contains(asked.folded_text, query_terms.term) and contains(asked.folded_text, query_terms.needle)
),

-- or the catalogue must have given the label itself
by_query as (
    select
        asked.record_id,
        asked.label,
        'query' as source,
        asked.query as source_value,
        asked.facet,
        known.label is not null or spoken_of.query is not null as is_spoken_of,
    from asked
    left join (select distinct record_id, label from stated) as known
        on known.record_id = asked.record_id and known.label = asked.label
    left join spoken_of on spoken_of.record_id = asked.record_id and spoken_of.query = asked.query
),

united as (
    select *, 1.0 as confidence from stated
    union all
    select
        * exclude (is_spoken_of),
        case when is_spoken_of then 0.9 else 0.4 end as confidence,
    from by_query
),

placed as (
    select
        united.*,
        coalesce(places.path, [united.label]) as path,
    from united
    left join {{ ref('int_labels__placed') }} as places using (label, facet)
)

select
    record_id,
    label,
    source,
    source_value,
    facet,
    path,
    cast(confidence as double) as confidence,
from placed
union all
select
    record_id,
    label,
    source,
    source_value,
    facet,
    path,
    cast(1.0 as double) as confidence,
from by_path
