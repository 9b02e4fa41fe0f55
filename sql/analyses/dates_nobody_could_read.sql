-- Dates nobody could read: what archives write where no rule found an interval
select
    archive,
    date_raw,
    count(*) as n_records,
    min(record_id) as example,
from undated()
where date_raw is not null
group by archive, date_raw
order by n_records desc, archive, date_raw
limit 100
