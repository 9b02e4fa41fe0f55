-- One row per record, label, source and way, as `record_labels`, with the accepted labels of models in place of those of an earlier run.
-- It is written as `record_labels.parquet`, which `curate` publishes.
{{ config(materialized='table', tags=['curate'], post_hook="copy (select * from {{ this }} order by record_id, label, source, source_value, facet, path) to '{{ lake_path('/.dbt/marts/record_labels.parquet') }}' (format parquet, compression zstd)") }}

select * from {{ ref('record_labels') }} where source <> 'model'
union all by name
select * exclude (cluster_id) from {{ ref('int_annotations__accepted') }}
