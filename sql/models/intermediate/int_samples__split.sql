-- One row per sample: the side of the split it is on. A hash of seed and cluster decides, so nobody changes sides when
-- the lake grows; the smallest providers may be held out whole, and whatever shows one of their pictures with them.
{{ config(materialized='table', tags=['curate']) }}

with

shown as (
    select
        cluster_id,
        coalesce(provider, archive) as provider,
    from {{ ref('int_samples__records') }}
),

providers as (
    select
        provider,
        count(distinct cluster_id) as n_samples,
    from shown
    group by provider
),

-- at least one provider always stays to train on
held_out_providers as (
    select provider from providers
    qualify row_number() over (order by n_samples, provider) <= {{ var('ood_providers') }}
        and row_number() over (order by n_samples desc, provider desc) > 1
),

held_out as (
    select distinct cluster_id from shown
    semi join held_out_providers using (provider)
),

drawn as (
    select
        cluster_id,
        cast('0x' || md5('{{ var('seed') }}:' || cluster_id)[1:13] as bigint) / pow(2, 52) as draw,
    from (select distinct cluster_id from shown)
)

select
    drawn.cluster_id,
    case
        when held_out.cluster_id is not null then 'test_ood'
        when drawn.draw < {{ var('val_split') }} then 'val'
        else 'train'
    end as split,
from drawn
left join held_out using (cluster_id)
