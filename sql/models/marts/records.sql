-- One row per object of one archive, in one schema for all archives, from its newest hit.
{{ config(meta={'key': ['record_id']}) }}

with

cleaned as (
    select * from {{ ref('int_records__cleaned') }}
    anti join {{ ref('int_records__screened') }} using (archive, native_id)
),

labels as (
    select
        record_id,
        list_sort(list(distinct label)) as labels,
    from {{ ref('int_records__labelled') }}
    group by record_id
),

records as (
    select
        cleaned.record_id,
        cleaned.archive,
        cleaned.native_id,
        coalesce(spoken.english_title, cleaned.title) as title,
        coalesce(spoken.english_description, cleaned.description) as description,
        case when captions.caption is not null then spoken.language end as language,
        captions.caption,
        cleaned.queries,
        coalesce(labels.labels, []) as labels,
        dates.date_raw,
        dates.date_start,
        dates.date_end,
        dates.year,
        cleaned.country,
        cleaned.provider,
        cleaned.creators,
        cleaned.subjects,
        cleaned.concept_uris,
        rights.rights_uri,
        coalesce(rights.rights_class, 'unknown') as rights_class,
        cleaned.landing_url,
        cleaned.image_url,
        cleaned.iiif_service_url,
        cleaned.harvested_at,
        cleaned.n_hits,
        cleaned.titles,
        cleaned.descriptions,
        captions.caption_flag,
        case when captions.caption is not null then spoken.language_confidence end as language_confidence,
        dates.date_precision,
        dates.date_rule,
        dates.is_date_approximate,
        rights.rights_raw,
        nullif(concat_ws(
            '. ',
            nullif(rtrim(array_to_string(list_filter(cleaned.creators, lambda name: is_name(name)), '; '), '.'), ''),
            rtrim(coalesce(spoken.english_title, cleaned.title), '.'),
            rtrim(cleaned.provider, '.'),
            nullif(concat_ws(' ', rights.rights_name, '(' || rights.rights_uri || ')'), '')
        ), '') as attribution,
        cleaned.provider_url,
        cleaned.collections,
        cleaned.object_types,
        cleaned.source_split,
    from cleaned
    left join {{ ref('int_records__captioned') }} as captions using (record_id)
    left join {{ ref('int_records__spoken') }} as spoken using (record_id)
    left join {{ ref('int_records__dated') }} as dates using (record_id)
    left join {{ ref('int_records__licensed') }} as rights using (record_id)
    left join labels using (record_id)
)

select * from records
