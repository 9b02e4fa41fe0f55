-- One row per distinct picture: its labels, caption, rights and side of the split, merged from all records that show it.
{{ config(meta={'key': ['sample_id']}, tags=['curate']) }}

with

representatives as (
    select * from {{ ref('int_images__clustered') }} where is_representative
),

records as (
    select * from {{ ref('int_samples__records') }}
),

-- the texts are the best record's; what it lacks comes from the next that has it; a date that says in which year it begins goes before
-- one that does not; rights are the strictest
merged as (
    select
        cluster_id,
        list_sort(list(distinct record_id)) as record_ids,
        list_sort(list(distinct archive)) as archives,
        list_sort(list(distinct provider) filter (where provider is not null)) as providers,
        list_sort(list(distinct country) filter (where country is not null)) as countries,
        list_sort(list(distinct landing_url) filter (where landing_url is not null)) as landing_urls,
        list_sort(list_distinct(flatten(list(queries)))) as queries,
        list_sort(list_distinct(flatten(list(creators)))) as creators,
        list_sort(list_distinct(flatten(list(subjects)))) as subjects,
        list_sort(list_distinct(flatten(list(concept_uris)))) as concept_uris,
        arg_min(caption, rank) as caption,
        arg_min(title, rank) as title,
        arg_min(description, rank) as description,
        arg_min(language, rank) as language,
        arg_min(
            {'year': year, 'date_start': date_start, 'date_end': date_end}, {'is_open': year is null, 'rank': rank}
        ) filter (where date_start is not null or date_end is not null) as dated,
        arg_max(
            {'rights_class': rights_class, 'rights_uri': rights_uri, 'attribution': attribution},
            {'strictness': strictness, 'rank': -rank}
        ) as rights,
    from records
    group by cluster_id
),

-- of each label the record that speaks best for the sample among those that carry it; what was annotated has none
carried as (
    select
        cluster_id,
        label,
        arg_min(record_id, rank) as record_id,
    from (
        select
            cluster_id,
            record_id,
            rank,
            unnest(labels) as label,
        from records
    )
    group by cluster_id, label
),

labels as (
    select
        cluster_id,
        list(label order by label) as labels,
        list(carried.record_id order by label) as label_records,
        arg_min(label, {'n_samples': n_samples, 'label': label}) as label,
    from {{ ref('int_samples__annotated') }}
    left join carried using (cluster_id, label)
    group by cluster_id
),

samples as (
    select
        representatives.cluster_id as sample_id,
        representatives.sha256,
        representatives.path,
        merged.record_ids,
        merged.archives,
        coalesce(labels.labels, []) as labels,
        labels.label,
        merged.caption,
        merged.title,
        merged.description,
        merged.dated.year as year,
        merged.rights.rights_class as rights_class,
        merged.rights.attribution as attribution,
        representatives.cluster_id,
        splits.split,
        merged.language,
        merged.dated.date_start as date_start,
        merged.dated.date_end as date_end,
        merged.providers,
        merged.countries,
        merged.creators,
        merged.subjects,
        merged.concept_uris,
        merged.queries,
        merged.rights.rights_uri as rights_uri,
        merged.landing_urls,
        representatives.image_urls[1] as image_url,
        representatives.width,
        representatives.height,
        representatives.bytes,
        representatives.phash,
        coalesce(labels.label_records, []) as label_records,
    from representatives
    inner join merged using (cluster_id)
    inner join {{ ref('int_samples__split') }} as splits using (cluster_id)
    left join labels using (cluster_id)
)

select * from samples
