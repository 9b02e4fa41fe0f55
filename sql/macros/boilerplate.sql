{#
    The patterns of the seed as one regular expression: DuckDB compiles a constant once, a column for every row.
    While the project is only compiled (dbt docs) the seed is not there, and nothing fits.
#}
{% macro boilerplate_pattern(place) -%}
    {%- set seed = ref('boilerplate') -%}
    {%- set patterns = [] -%}
    {%- if execute and load_relation(seed) -%}
        {%- set patterns = run_query(
            "select pattern from " ~ seed ~ " where place = '" ~ place ~ "' order by pattern"
        ).columns[0].values() -%}
    {%- endif -%}
    {{ return('(' ~ (patterns | join(')|(') or '$.') | replace("'", "''") ~ ')') }}
{%- endmacro %}
