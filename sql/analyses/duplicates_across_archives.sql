-- Duplicates across archives: pictures that more than one archive shows
select
    archives,
    count(*) as n_samples,
    sum(len(record_ids)) as n_records,
    min(sample_id) as example,
from samples
where len(archives) > 1
group by archives
order by n_samples desc, archives
