-- A label comes from one source once.
select
    record_id,
    label,
    source,
    source_value,
    count(*) as n_rows,
from {{ ref('record_labels') }}
group by all
having count(*) > 1
