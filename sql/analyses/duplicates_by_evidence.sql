-- Duplicates by evidence: how many copies of each kind, and how far apart their hashes are
select
    relation,
    distance,
    count(*) as n_copies,
    count(distinct sample_id) as n_samples,
from duplicates
group by relation, distance
order by relation, distance
