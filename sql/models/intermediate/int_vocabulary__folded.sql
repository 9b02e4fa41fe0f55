-- One row per term of the vocabulary as it is compared (lower case, no accents, words apart) and canonical label.
with

vocabulary as (
    select * from {{ ref('vocabulary') }}
),

folded as (
    select
        fold_text(query) as term,
        label,
        min(facet) as facet,
    from vocabulary
    group by all
)

select * from folded
