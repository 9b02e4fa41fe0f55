-- One row per distinct date text of any record: the interval it stands for, NULL where no rule reads it.
-- A text is read once however many records carry it.
{{ config(materialized='table') }}

with

given as (
    select distinct unnest(date_texts) as date_text from {{ ref('int_records__cleaned') }}
),

date_words as (
    select map(list(word order by word), list(replacement order by word)) as replacements
    from (select word, coalesce(replacement, '') as replacement from {{ ref('date_words') }})
),

-- longest words first, so that no word is replaced inside a longer one
worded as (
    select
        date_text,
        regexp_replace(lower(date_text), '[‐‑‒–—−]', '-', 'g') as lowered,
        list_reverse(list_sort(list_transform(
            list_distinct(regexp_extract_all(lowered, '\p{L}+')),
            lambda word: format('{:03d}', length(word)) || word
        ))) as words,
    from given
),

translated as (
    select
        date_text,
        list_reduce(
            list_prepend(lowered, list_transform(words, lambda word: word[4:])),
            lambda text, word: replace(text, word, coalesce(replacements[word], word))
        ) as translated,
        len(list_filter(words, lambda word: replacements[word[4:]] = '~')) > 0
            or regexp_matches(lowered, '[?~%]') as is_approximate,
    from worded
    cross join date_words
),

-- doubt marks and brackets go; spaces, commas and full stops that are left at the ends too
normalised as (
    select
        date_text,
        is_approximate,
        regexp_replace(
            regexp_replace(regexp_replace(translated, '[\[\](){}?~%<>©"'']', '', 'g'), '\s+', ' ', 'g'),
            '^[\s.,:;]+|[\s.,:;]+$', '', 'g'
        ) as normalised,
    from translated
),

-- "1939/45", "1939-1945", "30.11.1939 - 13.3.1940": what stands before and after the one separator
split as (
    select
        *,
        {{ canonical_date('normalised') }} as whole,
        case
            when regexp_full_match(normalised, '[^/]+/[^/]+') then string_split_regex(normalised, ' ?/ ?')
            when contains(normalised, ' - ') then string_split(normalised, ' - ')
            when regexp_full_match(normalised, '[^-]+-[^-]+') then string_split_regex(normalised, ' ?- ?')
            when regexp_full_match(normalised, '\d{3}[-xu][-/]\d{3}[-xu]') then [normalised[1:4], normalised[6:9]]
        end as sides,
    from normalised
),

sided as (
    select
        *,
        case when len(sides) = 2 then sides[1] end as first_side,
        case
            when len(sides) = 2 and regexp_full_match(sides[1], '\d{4}') and regexp_full_match(sides[2], '\d{2}')
                then case
                    when sides[2] = '00' then cast(cast(sides[1][1:2] as integer) + 1 as varchar)
                    else sides[1][1:2]
                end || sides[2]
            when len(sides) = 2 then sides[2]
        end as last_side,
    from split
),

canonical as (
    select
        date_text,
        is_approximate,
        coalesce(whole, {{ canonical_date('first_side') }}) as canonical_start,
        coalesce(whole, {{ canonical_date('last_side') }}) as canonical_end,
        whole is null as is_range,
    from sided
),

dated as (
    select
        date_text,
        is_approximate,
        {{ first_day('canonical_start') }} as date_start,
        {{ last_day_of('canonical_end') }} as date_end,
        case
            when is_range and canonical_start <> canonical_end then 'range'
            when length(canonical_start) = 10 then 'day'
            when length(canonical_start) = 7 then 'month'
            when ends_with(canonical_start, 'x') then 'decade'
            else 'year'
        end as date_precision,
    from canonical
),

-- no picture is older than the year 1000 or younger than next year, and no interval ends before it begins
plausible as (
    select
        *,
        coalesce(
            date_start <= date_end and year(date_start) >= 1000 and year(date_end) <= year(current_date) + 1,
            false
        ) as is_plausible,
    from dated
)

select
    date_text,
    case when is_plausible then date_start end as date_start,
    case when is_plausible then date_end end as date_end,
    case when is_plausible then date_precision end as date_precision,
    case when is_plausible then is_approximate end as is_approximate,
from plausible
