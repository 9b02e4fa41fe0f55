-- A label that is tested is trained: of providers held out, and of every other side.
{{ config(tags=['curate']) }}

select
    labelled.label,
    list_sort(list(distinct splits.split)) as splits,
from {{ ref('int_samples__labelled') }} as labelled
inner join {{ ref('int_samples__split') }} as splits using (cluster_id)
group by labelled.label
having not bool_or(splits.split = 'train')
