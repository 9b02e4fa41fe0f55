{#
    One date as catalogues write it (lower case, months as `m06`, doubt marks removed) in one of four canonical forms:
    1916-10-02, 1916-10, 1916, 191x. The first pattern that fits the whole text decides; NULL where none does.
    `1900-luku` and `1900s` may be a decade or a century: they are left unread rather than read wrongly.
#}
{% macro canonical_date(text) -%}
    {%- set patterns = [
        ('(\\d{4})-(\\d{2})-(\\d{2})(t[\\d:.+z-]*)?', '\\1-\\2-\\3'),
        ('(\\d{4})-(\\d)-(\\d{2})', '\\1-0\\2-\\3'),
        ('(\\d{4})-(\\d{2})-(\\d)', '\\1-\\2-0\\3'),
        ('(\\d{4})-(\\d)-(\\d)', '\\1-0\\2-0\\3'),
        ('(1\\d{3}|20\\d{2})(0[1-9]|1[0-2])([0-3]\\d)', '\\1-\\2-\\3'),
        ('(\\d{2})\\. ?(\\d{2})\\. ?(\\d{4})', '\\3-\\2-\\1'),
        ('(\\d)\\. ?(\\d{2})\\. ?(\\d{4})', '\\3-\\2-0\\1'),
        ('(\\d{2})\\. ?(\\d)\\. ?(\\d{4})', '\\3-0\\2-\\1'),
        ('(\\d)\\. ?(\\d)\\. ?(\\d{4})', '\\3-0\\2-0\\1'),
        ('(\\d{2})(?:st|nd|rd|th)?[. ]+m(\\d{2})[., ]+(\\d{4})', '\\3-\\2-\\1'),
        ('(\\d)(?:st|nd|rd|th)?[. ]+m(\\d{2})[., ]+(\\d{4})', '\\3-\\2-0\\1'),
        ('m(\\d{2}) (\\d{2})(?:st|nd|rd|th)?[, ]+(\\d{4})', '\\3-\\1-\\2'),
        ('m(\\d{2}) (\\d)(?:st|nd|rd|th)?[, ]+(\\d{4})', '\\3-\\1-0\\2'),
        ('(\\d{4})[., ]+m(\\d{2})[. ]+(\\d{2})', '\\1-\\2-\\3'),
        ('(\\d{4})[., ]+m(\\d{2})[. ]+(\\d)', '\\1-\\2-0\\3'),
        ('(\\d{4})-(0[1-9]|1[0-2])', '\\1-\\2'),
        ('(0[1-9]|1[0-2])[./](\\d{4})', '\\2-\\1'),
        ('([1-9])[./](\\d{4})', '\\2-0\\1'),
        ('m(\\d{2})[., ]+(\\d{4})', '\\2-\\1'),
        ('(\\d{4})[.,: ]+m(\\d{2})', '\\1-\\2'),
        ('\\d{1,2}/\\d{1,2}/(\\d{4})', '\\1'),
        ('(\\d{4})', '\\1'),
        ('(\\d{2}[1-9])0 ?s', '\\1x'),
        ('(\\d{2}[1-9])0[- ]?luku', '\\1x'),
        ('(\\d{3})[-xu]', '\\1x'),
    ] -%}
    case
        -- where a clock begins, not when a picture was taken
        when regexp_full_match({{ text }}, '1970-01-01t00:00.*') then null
        {%- for pattern, canonical in patterns %}
        when regexp_full_match({{ text }}, '{{ pattern }}') then regexp_replace({{ text }}, '^{{ pattern }}$', '{{ canonical }}')
        {%- endfor %}
    end
{%- endmacro %}

{# First and last day of a canonical date; NULL for a day that does not exist. #}
{% macro first_day(canonical) -%}
    try_cast(case length({{ canonical }})
        when 10 then {{ canonical }}
        when 7 then {{ canonical }} || '-01'
        else replace({{ canonical }}, 'x', '0') || '-01-01'
    end as date)
{%- endmacro %}

{% macro last_day_of(canonical) -%}
    case length({{ canonical }})
        when 10 then try_cast({{ canonical }} as date)
        when 7 then last_day(try_cast({{ canonical }} || '-01' as date))
        else try_cast(replace({{ canonical }}, 'x', '9') || '-12-31' as date)
    end
{%- endmacro %}
