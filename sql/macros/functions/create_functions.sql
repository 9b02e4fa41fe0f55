{# SQL functions that the models share, made anew at the start of every run. #}
{% macro create_functions() -%}
    {{ json_functions() }}
    {{ text_functions() }}
    {{ url_functions() }}
    {{ concept_functions() }}
    {{ archive_functions() }}
{%- endmacro %}
