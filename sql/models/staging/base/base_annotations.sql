-- One row per label that a model predicted for a picture and a cataloguer has decided on: the newest decision on that label.
{{ config(tags=['curate']) }}

with

annotations as (
    select * from {{ raw_table(source('raw', 'annotations'), {
        'annotation_id': 'varchar', 'model_id': 'varchar', 'method': 'varchar', 'sha256': 'varchar', 'facet': 'varchar',
        'label': 'varchar', 'path': 'varchar[]', 'confidence': 'double',
    }) }}
),

reviews as (
    select * from {{ raw_table(source('raw', 'annotation_reviews'), {
        'annotation_id': 'varchar', 'decision': 'varchar', 'reviewed_at': 'timestamptz',
    }) }}
),

-- the same label of the same picture may have been predicted in several runs
decided as (
    select
        annotations.*,
        reviews.decision,
        reviews.reviewed_at,
    from annotations
    inner join reviews using (annotation_id)
    qualify row_number() over (
        partition by sha256, facet, label order by reviews.reviewed_at desc, reviews.decision desc, annotation_id desc
    ) = 1
)

select * from decided
