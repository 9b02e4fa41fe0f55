-- The ledger: every picture that came, is no placeholder and belongs to a record is a sample or a duplicate of one.
{{ config(tags=['curate']) }}

with

pictures as (
    select image_url from {{ ref('int_images__judged') }}
    where status = 'ok' and sha256 is not null
        and image_url in (select image_url from {{ ref('records') }})
),

kept as (
    select image_url from {{ ref('samples') }}
    union all
    select image_url from {{ ref('duplicates') }}
)

select
    coalesce(pictures.image_url, kept.image_url) as image_url,
    count(kept.image_url) as n_places,
from pictures
full join kept using (image_url)
group by 1
having count(kept.image_url) <> 1 or count(pictures.image_url) <> 1
