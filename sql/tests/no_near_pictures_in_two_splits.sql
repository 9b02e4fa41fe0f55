-- Whatever the second witness says: no two pictures with near hashes are on two sides of the split.
{{ config(tags=['curate']) }}

select
    compared.sha256_a,
    compared.sha256_b,
    one.split as split_a,
    other.split as split_b,
from {{ ref('int_images__compared') }} as compared
inner join {{ ref('int_images__clustered') }} as a on a.sha256 = compared.sha256_a
inner join {{ ref('int_images__clustered') }} as b on b.sha256 = compared.sha256_b
inner join {{ ref('int_samples__split') }} as one on one.cluster_id = a.cluster_id
inner join {{ ref('int_samples__split') }} as other on other.cluster_id = b.cluster_id
where one.split <> other.split
