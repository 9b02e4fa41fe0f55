-- One row per provider held out whole as test_ood: those named, or as many as asked for, drawn by the seed with chances by size.
-- Every label of theirs also occurs elsewhere: one that has a label of its own is not drawn, and to name it is refused. A drawn one shows
-- at most a fifth of the groups of samples. Asked for more than there are, fewer.
{{ config(materialized='table', tags=['curate']) }}
{%- set asked = var('ood_providers') %}
{%- set names = [] if asked is number else asked %}

with recursive

shown as materialized (
    select distinct
        group_id,
        coalesce(provider, archive) as provider,
    from {{ ref('int_samples__records') }}
    inner join {{ ref('int_samples__grouped') }} using (cluster_id)
),

named as (
    select provider from shown
    where list_contains([{% for name in names %}'{{ name | replace("'", "''") }}', {% endfor %}]::varchar[], provider)
    group by provider
),

-- a race in which the larger start ahead: who is next hardly changes while all grow alike
entrants as materialized (
    select
        provider,
        -ln((1 + cast('0x' || md5('{{ var('seed') }}:' || provider)[1:13] as bigint)) / pow(2, 52)) / count(*) as finish,
    from shown
    group by provider
    having count(*) <= 0.2 * (select count(distinct group_id) from shown)
        or count(*) = (select min(n_samples) from (select count(*) as n_samples from shown group by provider))
),

-- every group carries '', so that something is left to train on where nothing has a label
labelled as materialized (
    select distinct
        group_id,
        label,
    from {{ ref('int_samples__labelled') }}
    inner join {{ ref('int_samples__grouped') }} using (cluster_id)
    union all
    select distinct
        group_id,
        '',
    from shown
),

claims as materialized (
    select
        shown.provider,
        labelled.group_id,
        labelled.label,
        count(distinct labelled.group_id) over (partition by labelled.label) as n_groups,
    from labelled
    inner join shown using (group_id)
),

lost as (
    select label from claims
    where provider in (select provider from named)
    group by label
    having count(distinct group_id) = any_value(n_groups)
),

refused as (
    select error(
        '--ood-providers: with those named held out '
        || case
            when bool_or(label = '') then 'nothing is'
            else 'no picture of ' || array_to_string(list(label order by label)[1:5], ', ') || if(count(*) > 5, ', …', '') || ' is'
        end
        || ' left to train on; name other providers, or fewer'
    ) as message
    from lost
    having count(*) > 0
),

drawn(place, providers) as (
    select 0, []::varchar[]
    union all
    (
        with

        -- per label, what would be held out with one provider more
        claimed as (
            select
                entrants.provider,
                any_value(entrants.finish) as finish,
                claims.label,
                count(distinct claims.group_id) = any_value(claims.n_groups) as is_all,
                any_value(drawn.place) as place,
                any_value(drawn.providers) as providers,
            from drawn
            inner join entrants on drawn.place < {{ asked if asked is number else 0 }}
                and not list_contains(drawn.providers, entrants.provider)
            inner join claims on claims.provider = entrants.provider or list_contains(drawn.providers, claims.provider)
            group by entrants.provider, claims.label
        ),

        possible as (
            select
                provider,
                any_value(finish) as finish,
                any_value(place) as place,
                any_value(providers) as providers,
            from claimed
            group by provider
            having not bool_or(is_all)
        )

        select
            place + 1,
            list_append(providers, provider),
        from possible
        order by finish, provider
        limit 1
    )
)

select provider from named
where not exists (select 1 from refused where message is not null)
union
select unnest(providers) as provider from drawn
