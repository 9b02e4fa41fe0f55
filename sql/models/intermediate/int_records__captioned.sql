-- One row per object: title and description made one clean text, without what captions do without (seed `boilerplate`)
-- and without saying the same thing twice; and what is wrong with the caption, if anything.
{% set sentence = boilerplate_pattern('sentence') %}
{% set start = boilerplate_pattern('start') %}
with

records as (
    select
        cleaned.record_id,
        coalesce(chosen.english_title, cleaned.title) as title,
        coalesce(chosen.english_description, cleaned.description) as description,
    from {{ ref('int_records__cleaned') }} as cleaned
    left join (
        select * from {{ ref('int_records__spoken') }} where english_title is not null or english_description is not null
    ) as chosen using (record_id)
),

-- a sentence ends after a word that is no abbreviation and before a capital letter, a digit or a bracket
stripped as (
    select
        record_id,
        {%- for field in ['title', 'description'] %}
        case
            when not regexp_matches({{ field }}, '(?i){{ start }}|{{ sentence }}') then {{ field }}
            else nullif(array_to_string(list_filter(
                string_split(
                    regexp_replace(
                        regexp_replace({{ field }}, '(?i)^({{ start }})', ''),
                        '(\p{L}{4}\.|[\p{N})\]\x22”]\.|[;|!?]) +([\p{Lu}\p{N}\[(©])', e'\\1\n\\2', 'g'
                    ),
                    e'\n'
                ),
                lambda part: not regexp_full_match(rtrim(part, ' .;|'), '(?i){{ sentence }}')
            ), ' '), '')
        end as {{ field }},
        {%- endfor %}
    from records
),

-- comparing folded texts is dear: only where one may hold the other, for then the first long word of the title and the last
-- stand in both
compared as (
    select
        *,
        coalesce(
            length(description) <= length(title) + 20
            or contains(lower(description), coalesce(
                nullif(regexp_extract(lower(title), '[a-z0-9]{7,}'), ''),
                regexp_extract(lower(title), '[a-z0-9]{3,}')
            ))
            and contains(lower(description), regexp_extract(lower(title), '.*[^a-z0-9]([a-z0-9]{3,})', 1)),
            false
        ) as is_comparable,
    from stripped
),

folded as (
    select
        *,
        case when is_comparable then ' ' || fold_text(title) || ' ' end as folded_title,
        case when is_comparable then ' ' || fold_text(description) || ' ' end as folded_description,
    from compared
),

captioned as (
    select
        record_id,
        case
            when title is null then description
            when description is null or contains(folded_title, folded_description) then title
            when contains(folded_description, folded_title) then description
            when regexp_matches(title, '[.!?…:]["»”'')\]]?$') then title || ' ' || description
            else title || '. ' || description
        end as caption,
    from folded
)

select
    record_id,
    caption,
    case
        when caption is null or not regexp_matches(caption, '\p{L}') then 'empty'
        when not regexp_matches(caption, '[\p{L}\p{N}][^\p{L}\p{N}]+[\p{L}\p{N}]') then 'one_word'
    end as caption_flag,
from captioned
