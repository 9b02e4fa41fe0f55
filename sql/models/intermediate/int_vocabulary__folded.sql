-- One row per term of the vocabulary as it is compared (lower case, no accents, words apart), facet and canonical label.
-- What the seed knows in a facet, it decides; an imported name adds to it.
with

vocabulary as (
    select * from {{ ref('int_vocabulary__united') }}
),

folded as (
    select
        term,
        label,
        facet,
        bool_or(origin = 'seed') as is_seeded,
    from vocabulary
    group by term, label, facet
),

decided as (
    select
        *,
        bool_or(is_seeded) over (partition by term, facet) as is_known_to_seed,
    from folded
)

select
    term,
    label,
    facet,
from decided
where is_seeded or not is_known_to_seed
