-- One row per object, its texts as people should read them: entities and markup resolved, NFC, lists sorted and distinct.
{{ config(materialized='table') }}

with

records as (
    select * from {{ ref('int_records__unioned') }}
),

entities as (
    select map(list(entity order by entity), list(text order by entity)) as entities from {{ ref('html_entities') }}
),

empty_words as (
    select list(word order by word) as empty_words from {{ ref('empty_words') }}
),

languages as (
    select code, language as known_language from {{ ref('language_codes') }}
),

cleaned as (
    select
        records.archive,
        records.native_id,
        records.archive || ':' || records.native_id as record_id,
        records.queries,
        records.n_hits,
        records.harvested_at,
        clean_text(records.title, entities) as title,
        clean_text(records.description, entities) as description,
        languages.known_language as language,
        clean_texts(records.titles, entities, empty_words) as titles,
        clean_texts(records.descriptions, entities, empty_words) as descriptions,
        list_filter(
            list_transform(records.date_texts, lambda text: clean_text(text, entities)),
            lambda text: text is not null
        ) as date_texts,
        clean_text(records.country, entities) as country,
        clean_text(records.provider, entities) as provider,
        clean_texts(records.creators, entities, empty_words) as creators,
        clean_texts(records.subjects, entities, empty_words) as subjects,
        clean_texts(records.concept_uris, entities, empty_words) as concept_uris,
        list_filter(
            list_transform(records.rights_texts, lambda text: clean_text(text, entities)),
            lambda text: text is not null
        ) as rights_texts,
        nullif(records.landing_url, '') as landing_url,
        nullif(records.provider_url, '') as provider_url,
        nullif(records.image_url, '') as image_url,
        nullif(records.iiif_service_url, '') as iiif_service_url,
        clean_texts(records.collections, entities, empty_words) as collections,
        clean_texts(records.object_types, entities, empty_words) as object_types,
        empty_words.empty_words,
    from records
    cross join entities
    cross join empty_words
    left join languages
        on languages.code = regexp_extract(lower(trim(records.language)), '^[\p{L} ]+')
),

emptied as (
    select
        * exclude (empty_words) replace (
            case when not list_contains(empty_words, lower(title)) then title end as title,
            case when not list_contains(empty_words, lower(description)) then description end as description,
            case when not list_contains(empty_words, lower(country)) then country end as country,
            case when not list_contains(empty_words, lower(provider)) then provider end as provider
        ),
    from cleaned
)

select * from emptied
