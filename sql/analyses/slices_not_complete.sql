-- Slices not complete: what was asked for and did not all come, with the reason
select
    archive,
    query,
    slice,
    status,
    announced,
    received,
    announced - received as missing,
    cap,
    error,
    started_at,
from harvests
where status <> 'complete'
order by missing desc nulls last, archive, query, slice
