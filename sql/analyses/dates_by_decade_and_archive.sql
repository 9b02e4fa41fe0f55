-- Dates by decade and archive: how many records begin in each
select
    archive,
    case when year is null then 'undated' else decade_of(year) || 's' end as decade,
    count(*) as n_records,
    bar(count(*), 0, max(count(*)) over (partition by archive), 30) as share,
from records
group by archive, decade
order by archive, decade = 'undated', decade
