-- Rejections by rule: which rule took how much from which archive, with an example
select
    archive,
    rule,
    count(*) as n_hits,
    count(distinct native_id) as n_objects,
    min(detail) as example,
from rejections
group by archive, rule
order by n_hits desc, archive, rule
