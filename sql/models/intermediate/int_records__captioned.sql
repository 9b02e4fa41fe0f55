-- One row per object: title and description made one clean text, without saying the same thing twice.
with

records as (
    select
        record_id,
        title,
        description,
        ' ' || fold_text(title) || ' ' as folded_title,
        ' ' || fold_text(description) || ' ' as folded_description,
    from {{ ref('int_records__cleaned') }}
),

captioned as (
    select
        record_id,
        case
            when title is null then description
            when description is null or contains(folded_title, folded_description) then title
            when contains(folded_description, folded_title) then description
            when regexp_matches(title, '[.!?…:]["»”'')\]]?$') then title || ' ' || description
            else title || '. ' || description
        end as caption,
    from records
)

select * from captioned
