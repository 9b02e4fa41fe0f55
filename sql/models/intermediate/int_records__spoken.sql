-- One row per object with a text: its language, as the archive says, else as the text itself sounds (and how sure that is).
-- A guess that is less sure than `least_sure` is none; the beginning of a text is enough to guess from.
{{ config(materialized='table') }}

with

records as (
    select
        record_id,
        language,
        case when language is null then left(concat_ws('. ', title, description), 400) end as text,
    from {{ ref('int_records__cleaned') }}
    where title is not null or description is not null
),

-- each text is listened to once, however many records say it
heard as (
    select
        text,
        detect_language(text) as found,
    from (select distinct text from records where text is not null)
),

told as (
    select
        records.record_id,
        coalesce(records.language, case when heard.found.confidence >= {{ var('least_sure') }} then heard.found.language end)
            as language,
        case
            when records.language is not null then 1.0
            when heard.found.confidence >= {{ var('least_sure') }} then heard.found.confidence
        end as language_confidence,
    from records
    left join heard using (text)
)

select
    record_id,
    language,
    cast(language_confidence as double) as language_confidence,
from told
