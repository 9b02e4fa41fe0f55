-- One row per record, label and way down to it that a model predicted and a cataloguer accepted, for records of the train split only:
-- what a model said must not become what models are judged by. Empty unless `with_annotations` is asked for.
{{ config(materialized='table', tags=['curate']) }}

with

accepted as (
    select * from {{ ref('base_annotations') }}
    where decision = 'accepted' and {{ var('with_annotations') }}
),

ways as (
    select distinct
        label,
        facet,
        path,
    from {{ ref('record_labels') }}
    where source <> 'model'
),

shown as (
    select distinct
        cluster_id,
        sha256,
    from {{ ref('int_images__clustered') }}
)

select distinct
    shown.cluster_id,
    records.record_id,
    accepted.label,
    'model' as source,
    accepted.model_id || ' ' || accepted.method as source_value,
    accepted.facet,
    coalesce(ways.path, accepted.path, [accepted.label]) as path,
    accepted.confidence,
from accepted
inner join shown using (sha256)
inner join {{ ref('int_samples__split') }} as splits using (cluster_id)
inner join {{ ref('int_samples__records') }} as records using (cluster_id)
left join ways on ways.label = accepted.label and ways.facet = accepted.facet
where splits.split = 'train'
