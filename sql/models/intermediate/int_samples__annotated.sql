-- One row per sample and label, the accepted labels of models among them, with the number of samples that carry the label. The split is
-- made from `int_samples__labelled`, without them: accepting a label moves no picture to another side.
{{ config(materialized='table', tags=['curate']) }}

with

labelled as (
    select
        cluster_id,
        label,
    from {{ ref('int_samples__labelled') }}
    union
    select
        cluster_id,
        label,
    from {{ ref('int_annotations__accepted') }}
)

select
    cluster_id,
    label,
    count(*) over (partition by label) as n_samples,
from labelled
