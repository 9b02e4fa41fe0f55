-- A label comes from one source by one way once.
select
    record_id,
    label,
    source,
    source_value,
    facet,
    path,
    count(*) as n_rows,
from {{ ref('record_labels') }}
group by all
having count(*) > 1
