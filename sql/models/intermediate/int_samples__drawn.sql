-- One row per sample: the draw of its group, a whole number below 2^52 made of the seed and the group's name, and whether the group
-- must train or is held out.
{{ config(materialized='table', tags=['curate']) }}

with

shown as (
    select
        cluster_id,
        bool_or(held_out.provider is not null) as is_held_out,
    from {{ ref('int_samples__records') }} as records
    left join {{ ref('int_providers__held_out') }} as held_out on held_out.provider = coalesce(records.provider, records.archive)
    group by cluster_id
),

drawn as (
    select
        cluster_id,
        group_id,
        bool_or(is_held_out) over (partition by group_id) as is_out_of_distribution,
        cast('0x' || md5('{{ var('seed') }}:' || group_id)[1:13] as bigint) as draw,
    from shown
    inner join {{ ref('int_samples__grouped') }} using (cluster_id)
),

-- of each label the group with the largest draw: whatever the shares, a label is trained before it is tested; likewise what has none
anchors as (
    select arg_max(group_id, {'draw': draw, 'group_id': group_id}) as group_id
    from drawn
    left join {{ ref('int_samples__labelled') }} as labelled using (cluster_id)
    where not is_out_of_distribution
    group by labelled.label
)

select
    *,
    group_id in (select group_id from anchors) as is_anchor,
from drawn
