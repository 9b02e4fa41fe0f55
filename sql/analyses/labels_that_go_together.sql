-- Labels that go together: pairs on one record, and how much more often than chance
with

carried as (
    select distinct record_id, label from record_labels
),

totals as (
    select label, count(*) as n from carried group by label
),

pairs as (
    select one.label as label, other.label as other_label, count(*) as n_together
    from carried as one
    inner join carried as other on one.record_id = other.record_id and one.label < other.label
    group by all
)

select
    pairs.label,
    pairs.other_label,
    pairs.n_together,
    round(pairs.n_together * (select count(distinct record_id) from carried) / (a.n * b.n), 2) as times_chance,
from pairs
inner join totals as a on a.label = pairs.label
inner join totals as b on b.label = pairs.other_label
order by n_together desc, pairs.label, other_label
limit 50
