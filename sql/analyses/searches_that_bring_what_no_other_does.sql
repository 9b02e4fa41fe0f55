-- Which searches bring what no other does: records that one search alone found
with

found as (
    select archive, record_id, len(queries) as n_queries, unnest(queries) as query from records
)

select
    archive,
    query,
    count(*) as n_records,
    count(*) filter (n_queries = 1) as n_found_by_no_other,
    round(avg(cast(n_queries = 1 as integer)), 3) as share,
from found
group by all
order by n_found_by_no_other desc, n_records desc, archive, query
