-- Captions shared by many: the same words under different pictures tell nothing apart
select
    caption,
    count(*) as n_samples,
    list_sort(list(distinct split)) as splits,
from samples
where caption is not null
group by caption
having count(*) > 1
order by n_samples desc, caption
limit 50
