-- One row per label and border between sides: how far the label moves the border for the groups that carry it, in parts of 2^52.
-- A group is below a border when its draw is less than the share plus the tilts of all its labels. Without tilts a label of 1,000
-- samples would miss its share by 1.5 % of them; the tilts begin at 0 and move, all labels at once, only while a label misses
-- by more than it may. So few samples leave the side of their draw, and few change sides when the lake grows.
{{ config(materialized='table', tags=['curate']) }}

with recursive

borders as materialized (
    select * from (values
        ('held_out', cast(({{ var('val_split') }} + {{ var('test_split') }}) * pow(2, 52) as bigint)),
        ('test_id', cast({{ var('test_split') }} * pow(2, 52) as bigint))
    ) as of_borders(border, line)
    where line > 0
),

pool as materialized (
    select
        group_id,
        cluster_id,
        case when is_anchor then cast(pow(2, 53) as bigint) else draw end as draw,
        dense_rank() over (order by group_id) as group_number,
    from {{ ref('int_samples__drawn') }}
    where not is_out_of_distribution
),

-- what has no label at all is kept in step under the name ''
labelled as materialized (
    select
        group_number,
        coalesce(label, '') as label,
        any_value(draw) as draw,
        count(*) as n_samples,
    from pool
    left join {{ ref('int_samples__labelled') }} using (cluster_id)
    group by group_number, coalesce(label, '')
),

names as materialized (
    select
        label,
        row_number() over (order by label) as label_number,
    from labelled
    group by label
),

carried as materialized (
    select
        group_number,
        label_number,
        draw,
        n_samples,
        n_samples * count(*) over (partition by group_number) as n_felt,
    from labelled
    inner join names using (label)
),

-- `n_felt`: the label's samples, each counted as often as there are tilts that move it
goals as materialized (
    select
        borders.border,
        label_number,
        borders.line / pow(2, 52) * sum(n_samples) as goal,
        greatest({{ var('label_slack') }}, {{ var('label_slack') }} / 100 * sum(n_samples)) as slack,
        sum(n_felt) as n_felt,
    from carried
    cross join borders
    group by borders.border, borders.line, label_number
),

tilts(border, label_number, step, tilt, is_moving) as (
    select
        border,
        label_number,
        0,
        0::bigint,
        true,
    from goals
    union all
    (
        with

        below as (
            select
                borders.border,
                carried.group_number,
                any_value(carried.draw) < any_value(borders.line) + sum(tilts.tilt) as is_below,
            from carried
            inner join tilts using (label_number)
            inner join borders using (border)
            where tilts.is_moving
            group by borders.border, carried.group_number
        ),

        missed as (
            select
                below.border,
                carried.label_number,
                coalesce(sum(carried.n_samples) filter (where below.is_below), 0) as n_below,
            from carried
            inner join below using (group_number)
            group by below.border, carried.label_number
        ),

        judged as (
            select
                tilts.*,
                missed.n_below - goals.goal as surplus,
                abs(missed.n_below - goals.goal) > goals.slack as is_off,
                (abs(missed.n_below - goals.goal) - 0.8 * goals.slack) / goals.n_felt as push,
            from tilts
            inner join goals using (border, label_number)
            inner join missed using (border, label_number)
        )

        -- smaller steps in the end, so that two labels do not push the same sample to and fro for ever
        select
            border,
            label_number,
            step + 1,
            tilt - case when is_off then cast(1.8 * pow(0.97, step) * sign(surplus) * push * pow(2, 52) as bigint) else 0 end,
            bool_or(is_off) over (partition by border),
        from judged
        where step < 80
    )
)

select
    tilts.border,
    names.label,
    tilts.tilt,
from tilts
inner join names using (label_number)
qualify tilts.step = max(tilts.step) over (partition by tilts.border)
