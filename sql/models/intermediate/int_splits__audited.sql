-- One row: what the split can be held to. No two pictures with near hashes on two sides; each label's share of each side.
-- It is also written as JSON, which `curate` publishes as reports/splits.json.
{{ config(materialized='table', tags=['curate'], post_hook="copy (select * from {{ this }}) to '{{ lake_path('/.dbt/marts/splits.json') }}' (format json)") }}

with

sides as (
    select
        clustered.sha256,
        splits.split,
    from {{ ref('int_images__clustered') }} as clustered
    inner join {{ ref('int_samples__split') }} as splits using (cluster_id)
),

pairs as (
    select
        count(*) as n_pairs,
        count(*) filter (where not compared.is_same) as n_pairs_unlike,
        count(*) filter (where one.split <> other.split) as n_pairs_on_two_sides,
    from {{ ref('int_images__compared') }} as compared
    inner join sides as one on one.sha256 = compared.sha256_a
    inner join sides as other on other.sha256 = compared.sha256_b
),

samples as (
    select
        count(*) as n_samples,
        count(distinct group_id) as n_groups,
        count(*) filter (where split = 'train') as n_train,
        count(*) filter (where split = 'val') as n_val,
        count(*) filter (where split = 'test_id') as n_test_id,
        count(*) filter (where split = 'test_ood') as n_test_ood,
    from {{ ref('int_samples__split') }}
),

labels as (
    select
        labelled.label,
        count(*) as n_samples,
        count(*) filter (where splits.split = 'train') as n_train,
        count(*) filter (where splits.split = 'val') as n_val,
        count(*) filter (where splits.split = 'test_id') as n_test_id,
        count(*) filter (where splits.split = 'test_ood') as n_test_ood,
    from {{ ref('int_samples__labelled') }} as labelled
    inner join {{ ref('int_samples__split') }} as splits using (cluster_id)
    group by labelled.label
),

shares as (
    select
        *,
        round(n_val / nullif(n_samples - n_test_ood, 0), 4) as val_share,
    from labels
)

select
    {{ var('val_split') }} as val_split,
    {{ var('test_split') }} as test_split,
    {{ var('seed') }} as seed,
    {{ var('near_distance') }} as near_distance,
    (select coalesce(list(provider order by provider), []) from {{ ref('int_providers__held_out') }}) as ood_providers,
    pairs.*,
    samples.*,
    (select coalesce(list(shares order by n_samples desc, label), []) from shares) as labels,
from pairs
cross join samples
