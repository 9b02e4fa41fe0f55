-- The documentation has no holes: every model, seed and column says what it is.
{{ config(tags=['static']) }}

{% for mart in ['records', 'rejections', 'record_labels', 'samples', 'duplicates', 'labels'] -%}
-- depends_on: {{ ref(mart) }}
{% endfor -%}

{%- set holes = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
        {%- if not node.description -%}{%- do holes.append(node.name) -%}{%- endif -%}
        {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {%- for column in (adapter.get_columns_in_relation(relation) if relation else []) -%}
            {%- if not node.columns.get(column.name, {}).get('description') -%}
                {%- do holes.append(node.name ~ '.' ~ column.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif -%}

select unnest({{ holes | sort | tojson | replace('"', "'") }}) as hole
