-- One row per sample: the side of the split it is on. Its draw and the tilts of its labels decide; see int_labels__tilted.
{{ config(materialized='table', tags=['curate']) }}

with

drawn as (
    select * from {{ ref('int_samples__drawn') }}
),

carried as (
    select distinct
        drawn.group_id,
        coalesce(labelled.label, '') as label,
    from drawn
    left join {{ ref('int_samples__labelled') }} as labelled using (cluster_id)
),

tilts as (
    select
        group_id,
        coalesce(sum(tilt) filter (where border = 'held_out'), 0) as held_out,
        coalesce(sum(tilt) filter (where border = 'test_id'), 0) as test_id,
    from carried
    inner join {{ ref('int_labels__tilted') }} using (label)
    group by group_id
)

select
    drawn.cluster_id,
    drawn.group_id,
    case
        when is_out_of_distribution then 'test_ood'
        when is_anchor then 'train'
        when {{ var('test_split') }} > 0
            and draw < {{ var('test_split') }} * pow(2, 52) + coalesce(tilts.test_id, 0) then 'test_id'
        when {{ var('val_split') }} + {{ var('test_split') }} > 0
            and draw < ({{ var('val_split') }} + {{ var('test_split') }}) * pow(2, 52) + coalesce(tilts.held_out, 0) then 'val'
        else 'train'
    end as split,
from drawn
left join tilts using (group_id)
