-- One row per file and archive that answers with it where it has no picture, with the evidence.
{{ config(meta={'key': ['sha256', 'archive']}, tags=['curate']) }}

select * from {{ ref('int_images__placeholders') }}
