-- One row per object, its texts as people should read them: entities and markup resolved, NFC, lists sorted and distinct.
-- Seeds that are looked up for every word are variables: a joined map would be copied for every row.
-- depends_on: {{ ref('html_entities') }}
-- depends_on: {{ ref('empty_words') }}
{{ config(
    materialized='table',
    pre_hook=[
        "set variable html_entities = (
            select map(list(entity order by entity), list(text order by entity)) from {{ ref('html_entities') }}
        )",
        "set variable empty_words = (select list(word order by word) from {{ ref('empty_words') }})",
    ],
) }}

with

records as (
    select * from {{ ref('int_records__unioned') }}
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
        clean_text(records.title, getvariable('html_entities')) as title,
        records.description as given_description,
        list_distinct(records.descriptions) = [records.description] as is_only_description,
        languages.known_language as language,
        clean_texts(records.titles, getvariable('html_entities'), getvariable('empty_words')) as titles,
        clean_texts(records.descriptions, getvariable('html_entities'), getvariable('empty_words')) as descriptions,
        list_filter(
            list_transform(records.date_texts, lambda text: clean_text(text, getvariable('html_entities'))),
            lambda text: text is not null
        ) as date_texts,
        clean_text(records.country, getvariable('html_entities')) as country,
        clean_text(records.provider, getvariable('html_entities')) as provider,
        clean_texts(records.creators, getvariable('html_entities'), getvariable('empty_words')) as creators,
        clean_texts(records.subjects, getvariable('html_entities'), getvariable('empty_words')) as subjects,
        clean_texts(records.concept_uris, getvariable('html_entities'), getvariable('empty_words')) as concept_uris,
        list_filter(
            list_transform(records.rights_texts, lambda text: clean_text(text, getvariable('html_entities'))),
            lambda text: text is not null
        ) as rights_texts,
        nullif(records.landing_url, '') as landing_url,
        nullif(records.provider_url, '') as provider_url,
        nullif(records.image_url, '') as image_url,
        nullif(records.iiif_service_url, '') as iiif_service_url,
        clean_texts(records.collections, getvariable('html_entities'), getvariable('empty_words')) as collections,
        clean_texts(records.object_types, getvariable('html_entities'), getvariable('empty_words')) as object_types,
        records.source_split,
    from records
    left join languages
        on languages.code = regexp_extract(lower(trim(records.language)), '^[\p{L} ]+')
),

-- the only description is cleaned already
described as (
    select
        *,
        case
            when is_only_description then descriptions[1]
            else clean_text(given_description, getvariable('html_entities'))
        end as description,
    from cleaned
),

emptied as (
    select
        * exclude (given_description, is_only_description) replace (
            case when not is_empty_word(title, getvariable('empty_words')) then title end as title,
            case when not is_empty_word(description, getvariable('empty_words')) then description end as description,
            case when not is_empty_word(country, getvariable('empty_words')) then country end as country,
            case when not is_empty_word(provider, getvariable('empty_words')) then provider end as provider
        ),
    from described
)

select * from emptied
