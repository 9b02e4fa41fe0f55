-- One row per hash that a picture asks others for: as it is, turned or mirrored (parts 1 to 8, as EXIF's orientations), the same of what is
-- inside its border (9 to 16), and cropped (17 and up, in the order of pipelines/picture_parts.py). Only the speakers of a hash ask.
{{ config(tags=['curate']) }}

with

files as (
    select * from {{ ref('int_images__distinct') }}
),

speakers as (
    select * from {{ ref('int_images__faces') }}
    where place <= {{ var('hash_speakers') }}
),

turned as (
    select
        node,
        is_new,
        unnest(case face when 'whole' then turned_bits else inside_bits end) as bits,
        generate_subscripts(case face when 'whole' then turned_bits else inside_bits end, 1)
        + case face when 'whole' then 0 else 8 end as part,
    from speakers
    inner join files using (sha256)
),

cropped as (
    select
        node,
        is_new,
        unnest(crop_bits) as bits,
        generate_subscripts(crop_bits, 1) + 16 as part,
    from speakers
    inner join files using (sha256)
    where face = 'whole'
)

select
    node,
    is_new,
    bits,
    part::utinyint as part,
from turned
where bits is not null
union all
select
    node,
    is_new,
    bits,
    part::utinyint,
from cropped
where bits is not null
