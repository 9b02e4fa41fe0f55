-- Who holds what: institutions by records, their pictures fetched, and their commonest label
with

shown as (
    select
        coalesce(records.provider, 'not stated') as provider,
        records.archive,
        records.record_id,
        records.labels,
        images.status = 'ok' as has_picture,
    from records
    left join images using (image_url)
),

counted as (
    select
        provider,
        archive,
        count(*) as n_records,
        count(*) filter (has_picture) as n_pictures,
    from shown
    group by all
),

labels as (
    select provider, archive, mode(label order by label) as commonest_label
    from (select provider, archive, unnest(labels) as label from shown)
    group by all
)

select counted.*, labels.commonest_label
from counted
left join labels using (provider, archive)
order by n_records desc, provider, archive
limit 50
