-- One row per object with a text: its language, as the archive says, else as the text itself sounds (and how sure that is).
-- Of several titles or descriptions in languages that nobody names, those that sound English are chosen.
-- A guess that is less sure than `least_sure` is none; the beginning of a text is enough to guess from.
{{ config(materialized='table') }}
{% set sure = "heard.found.confidence >= " ~ var('least_sure') %}
with

records as (
    select
        record_id,
        language,
        title,
        description,
        titles,
        descriptions,
    from {{ ref('int_records__cleaned') }}
    where title is not null or description is not null
),

choices as (
    select record_id, 'title' as field, title as given, unnest(titles) as text
    from records
    where language is null and len(titles) > 1
    union all
    select record_id, 'description' as field, description as given, unnest(descriptions) as text
    from records
    where language is null and len(descriptions) > 1
),

-- each text is listened to once, however many records say it and however often the answer is asked for
heard_choices as materialized (
    select
        text,
        detect_language(left(text, 200)) as found,
    from (select distinct text from choices)
),

english as (
    select
        choices.record_id,
        choices.field,
        -- one title, the given one where it is English; all English descriptions, in the order in which they were given
        arg_min(
            {'text': choices.text, 'confidence': heard.found.confidence},
            (choices.text <> choices.given, -heard.found.confidence, choices.text)
        ) as title,
        string_agg(choices.text, ' ' order by strpos(choices.given, choices.text), choices.text) as description,
        min(heard.found.confidence) as confidence,
    from choices
    inner join heard_choices as heard using (text)
    where heard.found.language = 'en' and {{ sure }}
    group by choices.record_id, choices.field
),

chosen as (
    select
        records.record_id,
        records.language,
        titles.title.text as english_title,
        descriptions.description as english_description,
        coalesce(titles.title.confidence, case when records.title is null then descriptions.confidence end) as english_confidence,
        case when records.language is null and english_confidence is null
            then left(concat_ws('. ', records.title, coalesce(descriptions.description, records.description)), 200)
        end as text,
    from records
    left join english as titles on titles.record_id = records.record_id and titles.field = 'title'
    left join english as descriptions on descriptions.record_id = records.record_id and descriptions.field = 'description'
),

heard as materialized (
    select
        text,
        detect_language(text) as found,
    from (select distinct text from chosen where text is not null)
),

told as (
    select
        chosen.record_id,
        chosen.english_title,
        chosen.english_description,
        case
            when chosen.language is not null then {'language': chosen.language, 'confidence': 1.0::double}
            when chosen.english_confidence is not null then {'language': 'en', 'confidence': chosen.english_confidence}
            when {{ sure }} then heard.found
        end as found,
    from chosen
    left join heard using (text)
)

select
    record_id,
    found.language as language,
    found.confidence as language_confidence,
    english_title,
    english_description,
from told
