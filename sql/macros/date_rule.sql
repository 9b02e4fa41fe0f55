{# Why an object's dates keep it out (`normalise --start-date --end-date --undated`): NULL where they do not.
   An interval that overlaps the range asked for is in; one with an open end goes on for ever. #}
{% macro date_rule(dates) %}
{%- set start, end = var('start_date'), var('end_date') -%}
{%- if start or end or var('undated') == 'drop' -%}
case
    when {{ dates }}.date_start is null and {{ dates }}.date_end is null
        then {{ "'undated'" if var('undated') == 'drop' else 'null' }}
    {%- if start %}
    when {{ dates }}.date_end < date '{{ start }}' then 'outside_dates'
    {%- endif %}
    {%- if end %}
    when {{ dates }}.date_start > date '{{ end }}' then 'outside_dates'
    {%- endif %}
end
{%- else -%}
cast(null as varchar)
{%- endif -%}
{% endmacro %}
