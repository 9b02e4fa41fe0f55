-- Which searches bring nothing, or nothing that becomes a record
with

kept as (
    select archive, unnest(queries) as query from records
),

counted as (
    select archive, query, count(*) as n_records from kept group by all
)

select
    harvests.archive,
    harvests.query,
    sum(coalesce(harvests.received, 0)) as n_hits,
    max(coalesce(counted.n_records, 0)) as n_records,
from harvests
left join counted using (archive, query)
group by all
having max(coalesce(counted.n_records, 0)) = 0
order by n_hits desc, harvests.archive, harvests.query
