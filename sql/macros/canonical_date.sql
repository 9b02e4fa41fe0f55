{#
    One date as catalogues write it, after `tidy_date`: the rule that reads it and its canonical form, between them a space.
    Canonical forms: 1916-10-02, 1916-10, 1939-21 (a season, as in EDTF), 1916, 191x, 19xx (1900 to 1999), c20 (the 20th
    century), d2c20 (its twenties). The first pattern that fits the whole text decides; NULL where none does.
    `date_order` is the archive's habit for 04/05/1943: day_first, month_first or NULL.
#}
{% macro canonical_date(text, date_order) -%}
    {%- set month = '(0[1-9]|1[0-2])' -%}
    {%- set patterns = [
        ('year', '(\\d{4})', '\\1'),
        ('iso_day', '(\\d{4})-(\\d\\d)-(\\d\\d)', '\\1-\\2-\\3'),
        ('dotted_day', '(\\d\\d)\\. ?(\\d\\d)\\. ?(\\d{4})', '\\3-\\2-\\1'),
        ('iso_month', '(\\d{4})-' ~ month, '\\1-\\2'),
        ('worded_day', '(\\d\\d)[., -]+m(\\d\\d)[., -]+(\\d{4})', '\\3-\\2-\\1'),
        ('worded_day', 'm(\\d\\d)[. -]+(\\d\\d)[., ]+(\\d{4})', '\\3-\\1-\\2'),
        ('worded_day', '(\\d{4})[., -]+m(\\d\\d)[. -]+(\\d\\d)', '\\1-\\2-\\3'),
        ('roman_day', '(\\d\\d)[-. /]+r' ~ month ~ '[-. /]+(\\d{4})', '\\3-\\2-\\1'),
        ('year_first_day', '(\\d{4})[./: ]+' ~ month ~ '[./: ]+(\\d\\d)', '\\1-\\2-\\3'),
        ('compact_day', '(1\\d{3}|20\\d\\d)' ~ month ~ '([0-3]\\d)', '\\1-\\2-\\3'),
        ('day_first', '(1[3-9]|2\\d|3[01])[/-]' ~ month ~ '[/-](\\d{4})', '\\3-\\2-\\1'),
        ('month_first', month ~ '[/-](1[3-9]|2\\d|3[01])[/-](\\d{4})', '\\3-\\1-\\2'),
        ('worded_month', 'm(\\d\\d)[., -]+(\\d{4})', '\\2-\\1'),
        ('worded_month', '(\\d{4})[.,: -]+m(\\d\\d)', '\\1-\\2'),
        ('roman_month', 'r' ~ month ~ '[. /-]+(\\d{4})', '\\2-\\1'),
        ('numeric_month', month ~ '[./-](\\d{4})', '\\2-\\1'),
        ('season', 'q([1-4])[., ]+(\\d{4})', '\\2-2\\1'),
        ('season', '(\\d{4})[., -]+q([1-4])', '\\1-2\\2'),
        ('winter', 'q4[., ]+(\\d{4})[/-]\\d+', '\\1-25'),
        ('edtf_season', '(\\d{4})-2([1-4])', '\\1-2\\2'),
        ('decade', '(\\d\\d[1-9])0 ?s', '\\1x'),
        ('decade', '(\\d\\d[1-9])0[- ]?luku', '\\1x'),
        ('decade', '(\\d{3})(?:[-xu]|0[xu])', '\\1x'),
        ('decade', 'decade (\\d\\d[1-9])0 ?s?', '\\1x'),
        ('decade_of_century', 'decade \\d?(\\d)0[. ]+r(\\d\\d)[. ]*cent', 'd\\1c\\2'),
        ('decade_of_century', '(\\d)0[. ]+decade (\\d\\d)[. ]*cent', 'd\\1c\\2'),
        ('hundreds', '(\\d\\d)00 ?s', '\\1xx'),
        ('hundreds', '(\\d\\d)00[- ]?luku', '\\1xx'),
        ('hundreds', '(\\d\\d)(?:--|xx|uu|\\.\\.)', '\\1xx'),
        ('century', '(\\d\\d)[. -]*cent', 'c\\1'),
        ('roman_century', 'r(\\d\\d)[. ]*(?:cent|s)', 'c\\1'),
        ('roman_century', '(?:cent|s)[. ]*r(\\d\\d)-?', 'c\\1'),
    ] -%}
    {%- set slashed = month ~ '[/-]' ~ month ~ '[/-](\\d{4})' -%}
    case
        {%- for rule, pattern, canonical in patterns %}
        when regexp_full_match({{ text }}, '{{ pattern }}')
            then '{{ rule }} ' || regexp_replace({{ text }}, '^{{ pattern }}$', '{{ canonical }}')
        {%- endfor %}
        when regexp_full_match({{ text }}, '{{ slashed }}') then case
            when {{ text }}[1:2] = {{ text }}[4:5] then 'same_either_way ' || regexp_replace({{ text }}, '^{{ slashed }}$', '\3-\2-\1')
            when {{ date_order }} = 'day_first' then 'day_first_habit ' || regexp_replace({{ text }}, '^{{ slashed }}$', '\3-\2-\1')
            when {{ date_order }} = 'month_first' then 'month_first_habit ' || regexp_replace({{ text }}, '^{{ slashed }}$', '\3-\1-\2')
            else 'day_or_month_first ' || {{ text }}[-4:]
        end
    end
{%- endmacro %}

{# The text after a list of replacements (RE2 pattern, replacement), one after the other. #}
{% macro replaced(text, steps) -%}
    {%- set result = namespace(sql=text) -%}
    {%- for pattern, replacement in steps -%}
        {%- set result.sql = "regexp_replace(" ~ result.sql ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "', 'g')" -%}
    {%- endfor -%}
    {{ result.sql }}
{%- endmacro %}

{# Lower case without accents or clock times; what means "to", "before", "after" and "some year" in one spelling. #}
{% macro plain_date(text) -%}
    {{ replaced("lower(strip_accents(regexp_replace(" ~ text ~ ", '\\bv\\. ?(\\d{4})', '\\1')))", [
        ('^https?://semium\\.org/time/', ''),
        ('[t ]\\d{1,2}:\\d\\d(?::\\d\\d)?(?:\\.\\d+)?(?: ?(?:z|[ap]m|utc|gmt|c?e?s?t|e[sd]t)\\b|[+-]\\d\\d:?\\d\\d)?', ''),
        ('[–—−]\\s*(lu[kv]|tal)', '-\\1'),
        ('[‐‑‒]', '-'),
        ('\\s+-+\\s+|[–—−]', '/'),
        ('^.*\\bi\\. ?e\\. ', ''),
        ('\\b(?:not before|not? earlier than|or (?:later|after))\\b', '>'),
        ('\\b(?:not after|not? later than|or (?:earlier|before)|prior to)\\b', '<'),
        ('^(?:\\?-|[\\[{]\\.\\.)(\\d{4})|^-(\\d{4})$', '<\\1\\2'),
        ('^(\\d{4})-(?:\\?|present|today|now)$', '\\1>'),
        ('(\\d{4})\\.\\.(\\d{4})', '\\1/\\2'),
        ('(\\d{4}) (?:a|e|en|i|och) (\\d{4})', '\\1/\\2'),
        ('^[^\\d()]+\\((\\d{4}) ?[-/] ?(\\d{4})\\)$', '\\1/\\2'),
        ('^(\\d{4})\\.0$', '\\1'),
        ('^(?:5[67]\\d\\d|\\d{4} ?a\\.?h\\.?) ?[(/] ?(1\\d{3}|20\\d\\d)\\)?$', '\\1'),
        ('\\((?:re)?print(?:ed)? ', ', '),
        ('\\ba\\. ?d\\.', ''),
        ('\\b(?:klo|kl)\\.? \\d{1,2}\\b', ''),
        ('\\bdes (\\d+\\.? ?j|annees)', '\\1'),
        ('^c(1\\d|20)(?:th)?$', '\\1 cent'),
        ('(\\d{3}0)-[ех]( |$)', '\\1 s\\2'),
        ('\\b(\\d{3})[xu]-[xu]{2}(?:-[xu]{2})?\\b', '\\1u'),
        ('^(?:\\.\\.|open|unknown)? ?/ ?|^\\.\\.', '<'),
        (' ?/ ?(?:\\.\\.|open|unknown)?$', '>'),
        ('^(\\d{4}\\S*)(?:\\.\\.|-)$', '\\1>'),
        ('\\b(\\d{4})-(?:00|xx|uu)(?:-(?:00|xx|uu))?\\b', '\\1'),
        ('\\b(\\d{4}-\\d\\d)-(?:00|xx|uu)\\b', '\\1'),
        ('\\b(\\d\\d)(?:\\?\\?|xx)', '\\1uu'),
        ('\\b(\\d{3})(?:-?\\?|x)', '\\1u'),
        ('\\b1(?:er|re|ere)\\b', '1'),
        ('\\b(\\d{1,2}):e\\b', '\\1'),
        ('(\\d)u haois', '\\1 haois'),
        ('[ᵉᵗʰ]', ''),
        ('\\b(\\d{1,2})(?:st|nd|rd|th) c\\b', '\\1 cent'),
        ('\\b00\\.(?:00\\.)?', ''),
        ('_', ' '),
    ]) }}
{%- endmacro %}

{# MDCCCXC, M.DCC.LXXXIX or "Anno MDCCXLV" as 1890, 1789 and 1745; other texts as they are. #}
{% macro roman_year(text) -%}
    {%- set roman = '^\\W*(?:ANNO\\W+)?(M[MDCLXVI. ]{2,}?)\\W*$' -%}
    case when regexp_matches(upper({{ text }}), '{{ roman }}') then cast(list_sum(list_transform(
        regexp_extract_all(regexp_extract(upper({{ text }}), '{{ roman }}', 1), 'CM|CD|XC|XL|IX|IV|[MDCLXVI]'),
        lambda numeral: map {
            'M': 1000, 'CM': 900, 'D': 500, 'CD': 400, 'C': 100, 'XC': 90, 'L': 50, 'XL': 40, 'X': 10, 'IX': 9, 'V': 5, 'IV': 4, 'I': 1
        }[numeral]
    )) as varchar) else {{ text }} end
{%- endmacro %}

{# Doubt marks and brackets gone, numbers of two digits at least, signs at the ends cut off. #}
{% macro tidy_date(text) -%}
    {{ replaced(text, [
        ('~\\.', ''),
        ('[][(){}?~%<>©"\'\'`’]', ''),
        ('\\s+', ' '),
        ('(\\d)\\.(cent|half|quarter|third)', '\\1 \\2'),
        ('(m\\d\\d)\\.', '\\1 '),
        ('\\b(\\d)\\b', '0\\1'),
        ('^[\\s.,:;/|&+-]+|[\\s.,:;/|&+]+$', ''),
        ('^(?:cent|r05) (\\d{4})', '\\1'),
        (' {2,}', ' '),
    ]) }}
{%- endmacro %}

{# What two dates share, said twice: "3.-5.6.1943", "June-July 1943", "1920-30s", "18th-19th century". #}
{% macro spelled_out_range(text) -%}
    {%- set to = ' ?[/-] ?' -%}
    {{ replaced(text, [
        ('q2-m07', 'm06-m07'),
        ('(\\d\\d)(\\d0) ?s?' ~ to ~ '(\\d0)([- ]?luku| ?s)', '\\1\\2\\4/\\1\\3\\4'),
        ('^(\\d{3})-[/-](\\d{3})-$', '\\1x/\\2x'),
        ('(\\d{3}0)-? ?/ ?(\\d{3}0)([- ]?luku)', '\\1\\3/\\2\\3'),
        ('^(early|mid|late)' ~ to ~ '(mid|late)[- ](.+)$', '\\1 \\3/\\2 \\3'),
        ('^half (r?\\d\\d)', 'mid \\1'),
        ('^(\\d{4})[., ]+m(\\d\\d)' ~ to ~ 'm(\\d\\d)$', 'm\\2 \\1/m\\3 \\1'),
        ('m(\\d\\d)' ~ to ~ 'm(\\d\\d)[., ]+(\\d{4})', 'm\\1 \\3/m\\2 \\3'),
        ('r(\\d\\d)' ~ to ~ 'r(\\d\\d)[. ]+(\\d{4})', 'r\\1 \\3/r\\2 \\3'),
        ('q(\\d)' ~ to ~ 'q(\\d)[., ]+(\\d{4})', 'q\\1 \\3/q\\2 \\3'),
        ('^(\\d\\d)\\.?' ~ to ~ '(\\d\\d)[. ]+m(\\d\\d)[., ]+(\\d{4})', '\\1 m\\3 \\4/\\2 m\\3 \\4'),
        ('^(\\d\\d)[. ]+m(\\d\\d)' ~ to ~ '(\\d\\d)[. ]+m(\\d\\d)[., ]+(\\d{4})', '\\1 m\\2 \\5/\\3 m\\4 \\5'),
        ('^m(\\d\\d) (\\d\\d)' ~ to ~ '(\\d\\d)[, ]+(\\d{4})', 'm\\1 \\2 \\4/m\\1 \\3 \\4'),
        ('^m(\\d\\d) (\\d\\d)' ~ to ~ 'm(\\d\\d) (\\d\\d)[., ]+(\\d{4})', 'm\\1 \\2 \\5/m\\3 \\4 \\5'),
        ('^(\\d\\d)\\.?' ~ to ~ '(\\d\\d)\\. ?(\\d\\d)\\. ?(\\d{4})', '\\1.\\3.\\4/\\2.\\3.\\4'),
        ('^(\\d\\d)\\. ?(\\d\\d)\\.?' ~ to ~ '(\\d\\d)\\. ?(\\d\\d)\\. ?(\\d{4})', '\\1.\\2.\\5/\\3.\\4.\\5'),
        ('(r?\\d\\d)(?: cent)?[. ]*' ~ to ~ '((?:early |mid |late )?r?\\d\\d)[. ]*cent', '\\1 cent/\\2 cent'),
        ('(cent|s)[. ]*(r\\d\\d)' ~ to ~ '(r\\d\\d)', '\\2 cent/\\3 cent'),
    ]) }}
{%- endmacro %}

{# "1939-45", "1939/45", "1899/00": the second year in four digits; "1943/05" is a month. #}
{% macro second_year_in_full(text) -%}
    case
        when not regexp_full_match({{ text }}, '(.*[^\d])?\d{4} ?[/-] ?\d\d') then {{ text }}
        when {{ text }}[-2:] = '00' or {{ text }}[-2:] > regexp_extract({{ text }}, '\d\d(\d\d) ?[/-] ?\d\d$', 1)
            then regexp_replace({{ text }}, ' ?[/-] ?\d\d$', '') || '/' || cast(
                cast(regexp_extract({{ text }}, '(\d\d)\d\d ?[/-] ?\d\d$', 1) as integer)
                + case when {{ text }}[-2:] = '00' then 1 else 0 end as varchar
            ) || {{ text }}[-2:]
        else regexp_replace({{ text }}, ' ?[/-] ?(\d\d)$', '-\1')
    end
{%- endmacro %}

{# First day of a canonical date; NULL for a day that does not exist. #}
{% macro first_day(canonical) -%}
    case
        when starts_with({{ canonical }}, 'd') then
            make_date(cast({{ canonical }}[4:5] as integer) * 100 - 100 + cast({{ canonical }}[2:2] as integer) * 10, 1, 1)
        when starts_with({{ canonical }}, 'c') then make_date(cast({{ canonical }}[2:3] as integer) * 100 - 99, 1, 1)
        when length({{ canonical }}) = 10 then try_cast({{ canonical }} as date)
        when {{ canonical }}[5:7] = '-25' then make_date(cast({{ canonical }}[1:4] as integer), 12, 1)
        when {{ canonical }}[5:7] = '-24' then make_date(cast({{ canonical }}[1:4] as integer), 1, 1)
        when {{ canonical }}[5:6] = '-2'
            then make_date(cast({{ canonical }}[1:4] as integer), cast({{ canonical }}[7:7] as integer) * 3, 1)
        when length({{ canonical }}) = 7 then try_cast({{ canonical }} || '-01' as date)
        else try_cast(replace({{ canonical }}, 'x', '0') || '-01-01' as date)
    end
{%- endmacro %}

{# How many months a canonical date spans; 0 for a day. A winter of one year may be either end of it: 12. #}
{% macro n_months(canonical) -%}
    case
        when starts_with({{ canonical }}, 'd') then 120
        when starts_with({{ canonical }}, 'c') or ends_with({{ canonical }}, 'xx') then 1200
        when ends_with({{ canonical }}, 'x') then 120
        when length({{ canonical }}) = 10 then 0
        when length({{ canonical }}) = 4 or {{ canonical }}[5:7] = '-24' then 12
        when {{ canonical }}[5:6] = '-2' then 3
        else 1
    end
{%- endmacro %}

{# The archive's habit where 04/05/1943 leaves a choice; never NULL, for it is part of a key. #}
{% macro date_order(text, habits) -%}
    case when regexp_matches({{ text }}, '\d[/-]\d{1,2}[/-]\d{4}') then coalesce({{ habits }}.date_order, '') else '' end
{%- endmacro %}

{# Whether 1936-01-01 is only the archive's way to write 1936. #}
{% macro is_padded(text, habits) -%}
    (coalesce({{ habits }}.is_padded, false) and regexp_matches({{ text }}, '^\d{4}-01-01(T00:00.*)?$'))
{%- endmacro %}
