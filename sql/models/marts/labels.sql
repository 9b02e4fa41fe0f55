-- One row per canonical label: its samples, tier, the searches that brought it and its parents.
-- Tiers from training counts only: labels from the most frequent on; the first half of all training labels is the head,
-- up to four fifths the torso, the rest (and whatever has no training sample) the tail.
{{ config(meta={'key': ['label']}, tags=['curate']) }}

with

record_labels as (
    select * from {{ ref('record_labels') }}
),

searches as (
    select
        label,
        list_sort(coalesce(list(distinct source_value) filter (where source = 'query'), [])) as queries,
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
        searches.label,
        coalesce(counted.n_samples, 0) as n_samples,
        coalesce(counted.n_train, 0) as n_train,
        coalesce(counted.n_val, 0) as n_val,
        searches.queries,
        coalesce(sum(counted.n_train) over (order by coalesce(counted.n_train, 0) desc, searches.label
            rows between unbounded preceding and 1 preceding), 0) as n_before,
        sum(counted.n_train) over () as n_all,
    from searches
    left join counted using (label)
),

parents as (
    select
        label,
        list_sort(list(distinct parent)) as parents,
    from {{ ref('label_parents') }}
    group by label
)

select
    ranked.label,
    ranked.n_samples,
    ranked.n_train,
    ranked.n_val,
    case
        when ranked.n_train = 0 then 'tail'
        when ranked.n_before < ranked.n_all * {{ var('head_share') }} then 'head'
        when ranked.n_before < ranked.n_all * {{ var('torso_share') }} then 'torso'
        else 'tail'
    end as tier,
    ranked.queries,
    coalesce(parents.parents, []) as parents,
from ranked
left join parents using (label)
