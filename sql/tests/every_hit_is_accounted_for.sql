-- The ledger: as many hits as there are in records and in rejections together, archive by archive.
with

hits as (
    select archive, count(*) as n_hits from {{ ref('base_hits__by_query') }} group by archive
),

kept as (
    select archive, sum(n_hits) as n_kept from {{ ref('records') }} group by archive
),

rejected as (
    select archive, count(*) as n_rejected from {{ ref('rejections') }} group by archive
)

select
    archive,
    n_hits,
    coalesce(n_kept, 0) as n_kept,
    coalesce(n_rejected, 0) as n_rejected,
from hits
left join kept using (archive)
left join rejected using (archive)
where n_hits <> coalesce(n_kept, 0) + coalesce(n_rejected, 0)
