-- Near duplicates never straddle the split, and neither does a provider that is held out.
{{ config(tags=['curate']) }}

select
    cluster_id,
    count(distinct split) as n_splits,
from {{ ref('samples') }}
group by cluster_id
having count(distinct split) > 1
