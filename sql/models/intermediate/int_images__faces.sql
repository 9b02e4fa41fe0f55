-- One row per hash that a picture can be found by: of the whole, and of what is inside a plain border. `place` counts the pictures with
-- the same hash; the first of them speak for all. Of files with the same pixels one stands for all, and plain pictures have no face:
-- their hash is chance.
{{ config(materialized='table', tags=['curate'], post_hook="{{ keep_for_next_run('faces', 'place <= ' ~ var('hash_speakers')) }}") }}

with

files as (
    select * from {{ ref('int_images__distinct') }}
),

telling as (
    select
        sha256,
        row_number() over (order by sha256) as node,
        hash_bits,
        inside_bits[1] as inside_bits,
        -- a file's facts change only when another version makes them, and then all together
        hash([turned_bits, inside_bits, crop_bits]) as facts_key,
    from files
    where hash_bits is not null and entropy >= {{ var('min_entropy') }}
        and sha256 in (select min(sha256) from files group by pixel_hash)
),

faces as (
    select
        sha256,
        node,
        'whole' as face,
        hash_bits,
        facts_key,
    from telling
    union all
    select
        sha256,
        node,
        'inside',
        inside_bits,
        facts_key,
    from telling
    where inside_bits is not null
),

placed as (
    select
        *,
        row_number() over (partition by hash_bits order by node, face desc) as place,
    from faces
)

select
    placed.*,
    known.sha256 is null as is_new,
from placed
left join {{ ref('int_images__known') }} as known using (sha256, face, facts_key)
