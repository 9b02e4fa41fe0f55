-- Growth per harvest: day by day, hits received and objects never seen before
with

hits as (
    select archive, native_id, min(cast(fetched_at as date)) as first_day, count(*) as n
    from raw_hits
    group by all
),

received as (
    select archive, cast(fetched_at as date) as day, count(distinct hit_id) as n_hits from raw_hits group by all
),

found as (
    select archive, first_day as day, count(*) as n_new from hits group by all
)

select
    received.archive,
    received.day,
    received.n_hits,
    coalesce(found.n_new, 0) as n_new_objects,
    sum(coalesce(found.n_new, 0)) over (partition by received.archive order by received.day) as n_objects_so_far,
from received
left join found using (archive, day)
order by received.archive, received.day
