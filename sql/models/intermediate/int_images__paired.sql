-- One row per pair of pictures that show the same, with the evidence.
{{ config(tags=['curate']) }}

select * from {{ ref('int_images__compared') }}
where is_same
