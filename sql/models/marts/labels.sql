-- One row per canonical label: its samples, tier, the searches that brought it and its parents.
-- Tiers from training counts only. By `pareto`: the most frequent labels, up to four fifths of all training labels, are the head, the
-- rarest fifth of the others' names is the tail. By `counts`: from so many samples on the head, below so many the tail. Between them is
-- the torso; what has no training sample is tail.
{{ config(meta={'key': ['label']}, tags=['curate']) }}

with

record_labels as (
    select * from {{ ref('int_record_labels__united') }}
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
    from {{ ref('int_samples__annotated') }} as labelled
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
        row_number() over (order by coalesce(counted.n_train, 0) desc, described.label) as place,
        count(*) filter (where counted.n_train > 0) over () as n_trained,
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
        {%- if var('tiers') == 'counts' %}
        when n_train >= {{ var('head_from') }} then 'head'
        when n_train < {{ var('tail_below') }} then 'tail'
        {%- else %}
        when n_before < n_all * {{ var('head_share') }} then 'head'
        when place > n_trained * (1 - {{ var('tail_share') }}) then 'tail'
        {%- endif %}
        else 'torso'
    end as tier,
    queries,
    parents,
    facets,
    n_records,
    n_sure_records,
from ranked
