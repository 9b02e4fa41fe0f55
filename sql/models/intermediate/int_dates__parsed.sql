-- One row per distinct date text of any record, and habit of its archive where the text leaves a choice: the interval it
-- stands for and the rule that reads it, all NULL where none does. "before" and "after" leave one end NULL.
-- A text is read once however many records carry it.
-- depends_on: {{ ref('date_words') }}
{{ config(
    materialized='table',
    pre_hook="set variable date_words = (
        select map(list(word order by word), list(coalesce(replacement, '') order by word)) from {{ ref('date_words') }}
    )",
) }}

with

habits as (
    select archive, date_order, is_padded from {{ ref('date_habits') }}
),

given as (
    select distinct
        texts.date_text,
        {{ date_order('texts.date_text', 'habits') }} as date_order,
        {{ is_padded('texts.date_text', 'habits') }} as is_padded,
    from (select archive, unnest(date_texts) as date_text from {{ ref('int_records__cleaned') }}) as texts
    left join habits using (archive)
),

plain as (
    select
        *,
        case when is_padded then date_text[1:4] else {{ plain_date(roman_year('date_text')) }} end as plain,
    from given
    -- where a clock begins is not when a picture was taken; nothing before Christ is a photograph
    where not regexp_matches(date_text, '^(1970-01-01|1969-12-31T)|\b0[01]:00:00\b.* 1970$')
        and not regexp_matches(
            date_text, '(?i)\bB\.? ?C\.?(\W|E\b|$)|\bv\. ?Chr|\bav\. ?J|\beaa\b|\bf\. ?Kr|\bp\.n\.e|[-a-z]mill?en'
        )
        and length(date_text) <= 200
),

-- words in any language become the few that the patterns know
translated as (
    select
        plain.*,
        array_to_string(list_transform(
            regexp_extract_all(plain, '\p{L}+|[^\p{L}]+'),
            lambda token: coalesce(getvariable('date_words')[token], token)
        ), '') as translated,
    from plain
),

marked as (
    select
        date_text,
        date_order,
        is_padded,
        plain,
        regexp_matches(date_text || translated, '[?~%]') as is_approximate,
        regexp_matches(translated, '<|^\W*/') as is_before,
        regexp_matches(translated, '>|/\W*$') as is_after,
        translated,
        {{ tidy_date('translated') }} as tidy,
    from translated
),

ranged as (
    select
        *,
        {{ second_year_in_full(spelled_out_range('tidy')) }} as ranged,
    from marked
),

-- a text is cut at more and more signs until every piece is a date; last, the one year that stands in it will do, where it
-- does not begin a decade or a hundred years
attempts as (
    select
        *,
        [
            [case when regexp_full_match(tidy, '\d{4}-2[1-4]') then ranged else tidy end],
            string_split_regex(ranged, ' ?[/;|&+] ?'),
            string_split_regex(ranged, ' ?[/;|&+,] ?'),
            string_split_regex(ranged, ' ?[/;|&+,-] ?'),
            list_distinct(regexp_extract_all(plain, '\b(?:1\d{3}|20[0-2]\d)\b')),
        ] as attempts,
    from ranged
),

pieces as (
    select
        date_text,
        date_order,
        is_padded,
        attempt,
        unnest(attempts[attempt]) as piece,
        generate_subscripts(attempts[attempt], 1) as position,
        len(attempts[attempt]) as n_pieces,
        regexp_matches(ranged, '[;|&+,]') as is_list,
    from (select *, unnest([1, 2, 3, 4, 5]) as attempt from attempts)
    where attempt = 1
        or attempt < 5 and len(attempts[attempt]) between case attempt when 2 then 1 else 2 end and 12
        or attempt = 5 and len(attempts[5]) = 1 and regexp_matches(plain, '\p{L}{2}')
            and not regexp_matches(translated, '\d0[- ]*(luku|s\b|decade|-)|decade|cent')
),

-- "early", "second half of": set apart from what they are a part of
parted as (
    select
        piece,
        date_order,
        regexp_extract(piece, '(early|mid|late|(?:r?0[1-4]|last)[. /-]*(?:half|quarter|third)|0[12]/02)', 1) as part_text,
        case
            when part_text = '' then piece
            else regexp_replace(replace(piece, part_text, ''), '^[-., ]+|[-., ]+$', '', 'g')
        end as whole,
    from (select distinct piece, date_order from pieces)
),

read_pieces as (
    select
        piece,
        date_order,
        replace(
            regexp_replace(regexp_replace(part_text, '^(0[12])/02$', '\1 half'), '^r?0|[. /-]+', ' ', 'g'), '  ', ' '
        ) as part,
        {{ canonical_date('whole', 'date_order') }} as reading,
    from parted
),

spans as (
    select
        piece,
        date_order,
        trim(part) as part,
        split_part(reading, ' ', 1) as date_rule,
        split_part(reading, ' ', 2) as canonical,
        {{ first_day('canonical') }} as first_day,
        {{ n_months('canonical') }} as n_months,
    from read_pieces
    where reading is not null
),

piece_intervals as (
    select
        spans.piece,
        spans.date_order,
        spans.date_rule,
        spans.canonical || ' ' || coalesce(parts.part, '') as canonical,
        case
            when parts.part is not null and n_months >= 12 then 'range'
            when n_months = 0 then 'day'
            when n_months = 1 then 'month'
            when canonical[5:6] = '-2' then 'season'
            when n_months = 12 then 'year'
            when n_months = 120 then 'decade'
            else 'century'
        end as date_precision,
        first_day + to_months(cast(
            case when n_months >= 12 then ceil(n_months * coalesce(parts.first_percent, 0) / 100) else 0 end as integer
        )) as date_start,
        case
            when n_months = 0 then first_day
            else first_day + to_months(cast(
                case
                    when n_months >= 12 then floor(n_months * coalesce(parts.last_percent, 100) / 100)
                    else n_months
                end as integer
            )) - interval 1 day
        end as date_end,
    from spans
    left join {{ ref('date_parts') }} as parts using (part)
    where spans.part = '' or parts.part is not null
),

-- the interval of several dates reaches from the first to the last; a range must not run backwards
hulls as (
    select
        pieces.date_text,
        pieces.date_order,
        pieces.is_padded,
        pieces.attempt,
        count(distinct found.canonical) as n_dates,
        min(found.date_rule) as date_rule,
        min(found.date_precision) as date_precision,
        min(found.date_start) as date_start,
        max(found.date_end) as date_end,
        bool_or(pieces.is_list) as is_list,
    from pieces
    inner join piece_intervals as found using (piece, date_order)
    group by pieces.date_text, pieces.date_order, pieces.is_padded, pieces.attempt
    having count(*) = any_value(pieces.n_pieces)
        and (
            bool_or(pieces.is_list)
            or arg_min(found.date_start, pieces.position) <= arg_max(found.date_start, pieces.position)
        )
),

first_readings as (
    select * from hulls
    qualify row_number() over (partition by date_text, date_order, is_padded order by attempt) = 1
),

dated as (
    select
        hulls.date_text,
        hulls.date_order,
        hulls.is_padded,
        marked.is_approximate or hulls.attempt = 5 as is_approximate,
        hulls.n_dates = 1 and marked.is_before and not marked.is_after as is_before,
        hulls.n_dates = 1 and marked.is_after and not marked.is_before as is_after,
        case
            when is_before then 'before'
            when is_after then 'after'
            when hulls.attempt = 5 then 'year_in_text'
            when hulls.n_dates = 1 then hulls.date_rule
            when hulls.is_list then 'several'
            else 'range'
        end as date_rule,
        case
            when is_before then 'before'
            when is_after then 'after'
            when hulls.n_dates = 1 then hulls.date_precision
            else 'range'
        end as date_precision,
        cast(hulls.date_start as date) as date_start,
        cast(hulls.date_end as date) as date_end,
    from first_readings as hulls
    inner join marked using (date_text, date_order, is_padded)
),

-- no picture is younger than next year; only a century that is named as one may be older than the year 1000
plausible as (
    select
        *,
        coalesce(
            date_start <= date_end
            and year(date_start) >= case when date_rule like '%century' then 1 else 1000 end
            and year(date_end) <= year(current_date) + 1,
            false
        ) as is_plausible,
    from dated
)

select
    given.date_text,
    given.date_order,
    given.is_padded,
    case when not plausible.is_before then plausible.date_start end as date_start,
    case when not plausible.is_after then plausible.date_end end as date_end,
    plausible.date_precision,
    plausible.date_rule,
    plausible.is_approximate,
from given
left join plausible
    on plausible.is_plausible
    and plausible.date_text = given.date_text
    and plausible.date_order = given.date_order
    and plausible.is_padded = given.is_padded
