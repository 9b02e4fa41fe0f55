-- One row per sample and label, with the number of samples that carry the label.
{{ config(materialized='table', tags=['curate']) }}

with

labelled as (
    select distinct
        cluster_id,
        unnest(labels) as label,
    from {{ ref('int_samples__records') }}
)

select
    cluster_id,
    label,
    count(*) over (partition by label) as n_samples,
from labelled
