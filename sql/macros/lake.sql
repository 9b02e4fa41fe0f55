{# Where the lake lies and how its Parquet is read and written. #}

{# From the environment, and only where a query is made: dbt parses its project anew for every other variable, which takes longer than
   all its models of a small lake. #}
{% macro lake_path(place='') -%}
    {%- if execute -%}
        {{ (env_var('GLAMLAKE_LAKE') ~ place) | replace("'", "''") }}
    {%- endif -%}
{%- endmacro %}

{% macro archives() -%}
    {%- set names = var('archives', none) -%}
    {%- if not names -%}
        {{ exceptions.raise_compiler_error("no archives given; pass --vars '{archives: [demo, ...]}' or use `glamlake normalise`") }}
    {%- endif -%}
    {{ return(names | sort) }}
{%- endmacro %}

{# The archives that have hits, all where none has: planning the others' models would cost more than reading a small lake. #}
{% macro archives_with_hits() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for archive in archives() -%}
            {%- set pattern = lake_path('/raw/hits/archive=' ~ archive ~ '/*.parquet') -%}
            {%- if run_query("select count(*) from glob('" ~ pattern ~ "')").columns[0].values()[0] -%}
                {%- do found.append(archive) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found or archives()) }}
{%- endmacro %}

{# The files of a raw table, or an empty select of the same columns when nothing was loaded yet. `source` keeps the lineage. #}
{% macro raw_table(relation, columns) -%}
    {%- set pattern = lake_path('/raw/' ~ relation.identifier ~ '/**/*.parquet') -%}
    {%- set n_files = run_query("select count(*) from glob('" ~ pattern ~ "')").columns[0].values()[0] if execute else 0 -%}
    {%- if n_files -%}
    (
        select {{ columns | join(', ') }}
        from (
            -- a column that came later is NULL in a lake whose files are older than it
            select
                {%- for name, type in columns.items() if name not in ('filename', 'file_row_number') %}
                cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            where false
            union all by name
            select *
            from read_parquet(
                '{{ pattern }}', union_by_name = true, filename = true, file_row_number = true
                {%- if 'archive' in columns %}, hive_partitioning = true, hive_types = {'archive': varchar}{% endif %}
            )
        )
    )
    {%- else -%}
    (
        select
            {%- for name, type in columns.items() %}
            cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        where false
    )
    {%- endif -%}
{%- endmacro %}

{# Writes the model just built, in the order of its key, to the drafts; `pipelines/transform.py` publishes them together. #}
{% macro write_mart() -%}
    copy (select * from {{ this }} order by {{ config.require('meta')['key'] | join(', ') }})
    to '{{ lake_path('/.dbt/marts/' ~ this.identifier ~ '.parquet') }}' (format parquet, compression zstd)
{%- endmacro %}

{# Marts that this run does not build are read from the Parquet that an earlier run published. #}
{% macro use_published_marts() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'marts' in node.fqn and node.unique_id not in selected_resources -%}
            {%- set path = lake_path('/marts/' ~ node.name ~ '.parquet') -%}
            {%- if run_query("select count(*) from glob('" ~ path ~ "')").columns[0].values()[0] -%}
                {%- do run_query("create or replace view " ~ node.schema ~ "." ~ node.name ~ " as select * from read_parquet('" ~ path ~ "')") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{# What comparing pictures found, kept so that the next run compares only what is new. It holds for any state of the lake: it is named by
   contents and hashes only. `keep_for_next_run` drafts it, `pipelines/transform.py` puts it in place when the whole run has passed.
   Another number in the name when columns or their meaning change, and nothing kept before is read. #}

{% macro kept_file(name) -%}
    kept-{{ name }}-2-{{ var('near_distance') }}.parquet
{%- endmacro %}

{% macro keep_for_next_run(name, condition='true') -%}
    copy (select * from {{ this }} where {{ condition }})
    to '{{ lake_path('/.dbt/marts/' ~ kept_file(name)) }}' (format parquet, compression zstd)
{%- endmacro %}

{% macro kept_from_last_run(name, columns) -%}
    {%- set path = lake_path('/.dbt/kept/' ~ kept_file(name)) -%}
    {%- set is_there = run_query("select count(*) from glob('" ~ path ~ "')").columns[0].values()[0] if execute else 0 -%}
    (
        select
            {%- for column, type in columns.items() %}
            {{ column if is_there else 'null' }}::{{ type }} as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        {{ "from read_parquet('" ~ path ~ "')" if is_there else 'where false' }}
    )
{%- endmacro %}
