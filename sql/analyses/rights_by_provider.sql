-- Rights by institution: how much of what each one holds may be used, and how
select
    coalesce(provider, 'not stated') as provider,
    count(*) as n_records,
    count(*) filter (rights_class = 'open') as n_open,
    count(*) filter (rights_class = 'noncommercial') as n_noncommercial,
    count(*) filter (rights_class = 'restricted') as n_restricted,
    count(*) filter (rights_class = 'unknown') as n_unknown,
    round(count(*) filter (rights_class = 'open') / count(*), 3) as share_open,
from records
group by all
order by n_records desc, provider
limit 50
