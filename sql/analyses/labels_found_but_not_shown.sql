-- Labels found but not shown: searches whose records seldom speak of what was searched for
select
    label,
    source_value as query,
    count(*) as n_records,
    count(*) filter (confidence < 0.5) as n_silent,
    round(avg(cast(confidence < 0.5 as integer)), 3) as share_silent,
from record_labels
where source = 'query'
group by all
order by share_silent desc, n_records desc, label, query
