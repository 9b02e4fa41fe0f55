-- One row per SA-kuva record, from its newest hit. Fields: https://www.kiwi.fi/display/Finna/Finna+API
-- Dates stand in `year` and, more exactly, among the subjects ("valmistusaika: 11.06.1923").
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'sa_kuva' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract(payload, [
            '$.title', '$.summary', '$.languages', '$.year', '$.images', '$.imageRights.link', '$.imageRights.copyright',
            '$.subjects', '$.buildings', '$.nonPresenterAuthors', '$.formats', '$.collections', '$.imageRights',
            '$.presenters', '$.series',
        ]) as fields,
    from hits
),

named as (
    select
        * exclude (fields),
        filled_texts(fields[1]) as titles,
        filled_texts(fields[2]) as descriptions,
        filled_texts(fields[3]) as languages,
        filled_texts(fields[4]) as years,
        filled_texts(fields[5]) as picture_paths,
        list_concat(filled_texts(fields[6]), filled_texts(fields[7])) as rights_given,
        filled_texts(fields[8]) as subjects_any,
        coalesce(nullif(json_extract_string(fields[9], '$[*].translated'), []), filled_texts(fields[9])) as buildings,
        coalesce(json_extract_string(fields[10], '$[*].name'), []) as authors,
        coalesce(json_extract_string(fields[14], '$.presenters[*].name'), []) as presenters,
        coalesce(json_extract_string(fields[11], '$[*].translated'), []) as formats,
        list_concat(filled_texts(fields[12]), coalesce(json_extract_string(fields[15], '$[*].name'), [])) as collections,
        case when json_type(fields[13]) = 'VARCHAR' then filled_texts(fields[13]) else [] end as rights_plain,
    from extracted
),

dated as (
    select
        *,
        list_filter(subjects_any, lambda text: is_finnish_date(text)) as date_subjects,
    from named
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        titles[1] as title,
        array_to_string(list_distinct_ordered(descriptions), ' ') as description,
        -- the museums catalogue in Finnish; a record that names one other language means it, one that names several says nothing
        case coalesce(len(list_distinct(languages)), 0) when 0 then 'fi' when 1 then languages[1] end as language,
        titles,
        descriptions,
        list_concat(date_subjects, years) as date_texts,
        -- as everywhere: the country of the holding institution; Finna serves Finnish ones only
        'Finland' as country,
        buildings[1] as provider,
        list_concat(authors, presenters) as creators,
        list_filter(subjects_any, lambda text: not is_finnish_date(text)) as subjects,
        cast([] as varchar[]) as concept_uris,
        list_concat(rights_given, rights_plain) as rights_texts,
        'https://www.finna.fi/Record/' || replace(native_id, ' ', '%20') as landing_url,
        cast(null as varchar) as provider_url,
        resolve_url(picture_paths[1], coalesce(base_url, 'https://api.finna.fi')) as image_url,
        cast(null as varchar) as iiif_service_url,
        list_concat(buildings[2:], collections) as collections,
        formats as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from dated
)

select * from renamed
