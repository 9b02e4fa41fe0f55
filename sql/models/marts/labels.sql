-- One row per canonical label: its samples, tier, the searches that brought it and its parents.
-- Tiers from training counts only: labels from the most frequent on; the first half of all training labels is the head,
-- up to four fifths the torso, the rest (and whatever has no training sample) the tail.
{{ config(meta={'key': ['label']}, tags=['curate']) }}

with

record_labels as (
    select * from {{ ref('record_labels') }}
),

described as (
    select
        label,
        list_sort(coalesce(list(distinct source_value) filter (where source = 'query'), [])) as queries,
        list_sort(coalesce(list(distinct path[-2]) filter (where len(path) > 1), [])) as parents,
        list_sort(list(distinct facet)) as facets,
        count(distinct record_id) as n_records,
        count(distinct record_id) filter (where confidence >= 0.5) as n_sure_records,
    from record_labels
    group by label
),

counted as (
    select
        labelled.label,
        count(*) as n_samples,
        count(*) filter (where splits.split = 'train') as n_train,
        count(*) filter (where splits.split = 'val') as n_val,
    from {{ ref('int_samples__labelled') }} as labelled
    inner join {{ ref('int_samples__split') }} as splits using (cluster_id)
    group by labelled.label
),

ranked as (
    select
        described.*,
        coalesce(counted.n_samples, 0) as n_samples,
        coalesce(counted.n_train, 0) as n_train,
        coalesce(counted.n_val, 0) as n_val,
        coalesce(sum(counted.n_train) over (order by coalesce(counted.n_train, 0) desc, described.label
            rows between unbounded preceding and 1 preceding), 0) as n_before,
        sum(counted.n_train) over () as n_all,
    from described
    left join counted using (label)
)

select
    label,
    n_samples,
    n_train,
    n_val,
    case
        when n_train = 0 then 'tail'
        when n_before < n_all * {{ var('head_share') }} then 'head'
        when n_before < n_all * {{ var('torso_share') }} then 'torso'
        else 'tail'
    end as tier,
    queries,
    parents,
    facets,
    n_records,
    n_sure_records,
from ranked
