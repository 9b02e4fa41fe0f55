-- Records without a label but that of their search: the vocabulary does not know their words
with

known as (
    select distinct record_id from record_labels where source <> 'query'
),

words as (
    select unnest(subjects) as subject from records
    anti join known using (record_id)
)

select
    subject,
    count(*) as n_records,
from words
group by subject
order by n_records desc, subject
limit 100
