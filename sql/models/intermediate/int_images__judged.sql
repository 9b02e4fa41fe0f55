-- One row per image URL: as `base_images`, with the pictures that say there is none as `blank`.
{{ config(tags=['curate']) }}

with

images as (
    select * from {{ ref('base_images') }}
),

placeholders as (
    select distinct sha256 from {{ ref('int_images__placeholders') }}
),

judged as (
    select
        images.* replace (
            case when images.status = 'ok' and placeholders.sha256 is not null then 'blank' else images.status end as status
        ),
        placeholders.sha256 is not null as is_placeholder,
    from images
    left join placeholders using (sha256)
)

select * from judged
