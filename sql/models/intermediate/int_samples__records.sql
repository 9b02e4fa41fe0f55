-- One row per sample and record that shows it, ranked: the record that speaks best for the sample comes first.
{{ config(materialized='table', tags=['curate']) }}

with

clustered as (
    select
        cluster_id,
        unnest(image_urls) as image_url,
        is_representative,
    from {{ ref('int_images__clustered') }}
),

joined as (
    select
        clustered.cluster_id,
        clustered.is_representative,
        records.*,
        classes.strictness,
    from clustered
    inner join {{ ref('records') }} as records using (image_url)
    inner join {{ ref('rights_classes') }} as classes using (rights_class)
)

-- a text that says something, in English if there is one, of the representative file, the longest
select
    *,
    row_number() over (
        partition by cluster_id
        order by caption is null, language = 'en' desc nulls last, is_representative desc, length(caption) desc, record_id
    ) as rank,
from joined
