-- One row per record of the US National Archives, from its newest hit. Fields: https://github.com/usnationalarchives/Catalog-API
-- Descriptions of series, collections and record groups, and authority files, are no objects: they are left out.
-- The dates of ancestors say when a series was kept, not when the picture was taken: they are not used.
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'national_archive' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract(payload, [
            '$._source.record.title', '$._source.record.scopeAndContentNote', '$._source.record.otherTitles',
            '$._source.record.productionDates', '$._source.record.coverageStartDate', '$._source.record.coverageEndDate',
            '$._source.record.physicalOccurrences', '$._source.record.dataControlGroup.groupName',
            '$._source.record.useRestriction', '$._source.record.generalRecordsTypes', '$._source.record.specificRecordsTypes',
        ]) as fields,
        json_extract_string(payload, ['$._source.record.levelOfDescription', '$._source.record.recordType']) as kinds,
        json_objects(json_extract(payload, '$._source.record.digitalObjects')) as digital_objects,
        json_objects(json_extract(payload, '$.fields.firstDigitalObject')) as first_objects,
        json_objects(json_extract(payload, '$._source.record.subjects')) as subject_objects,
        list_concat(
            json_objects(json_extract(payload, '$._source.record.creators')),
            json_objects(json_extract(payload, '$._source.record.contributors'))
        ) as own_creators,
        json_objects(json_extract(payload, '$._source.record.ancestors')) as ancestors,
    from hits
),

objects as (
    select * from extracted
    where coalesce(kinds[1], 'item') not in ('recordGroup', 'collection', 'series') and coalesce(kinds[2], 'description') <> 'authority'
),

named as (
    select
        * exclude (fields),
        filled_texts(fields[1]) as title_texts,
        filled_texts(fields[2]) as notes,
        filled_texts(fields[3]) as other_titles,
        list_transform(json_objects(fields[4]), lambda given: nara_date(given)) as made,
        nara_date(fields[5]) as covered_from,
        nara_date(fields[6]) as covered_to,
        list_concat(
            flatten(list_transform(
                json_objects(fields[7]), lambda held: json_texts_at(json_extract(held, '$.referenceUnits'), '$.name')
            )),
            filled_texts(fields[8])
        ) as units,
        filled_texts(fields[9]) as restrictions,
        list_concat(filled_texts(fields[10]), filled_texts(fields[11])) as types,
        list_filter(
            list_concat(digital_objects, first_objects),
            lambda held: regexp_matches(held ->> '$.objectType', '(?i)^image|^(jpe?g|png|gif|tiff?|bmp|jp2)$')
                or (held ->> '$.objectType' is null
                    and regexp_matches(held ->> '$.objectUrl', '(?i)\.(jpe?g|png|gif|tiff?|bmp|jp2)([?#]|$)'))
        ) as pictures,
        list_transform(
            list_sort(list_transform(
                ancestors,
                lambda given: {'distance': try_cast(given ->> '$.distance' as integer), 'ancestor': given}
            )),
            lambda placed: placed.ancestor
        ) as nearest_first,
    from objects
),

-- who made it: named with the record, else the office whose series it is part of
created as (
    select
        *,
        coalesce(
            nullif(list_transform(own_creators, lambda maker: maker ->> '$.heading'), []),
            flatten(list_transform(
                nearest_first,
                lambda given: json_texts_at(json_extract(given, '$.creators'), '$.heading')
            ))
        ) as headings,
    from named
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        title_texts[1] as title,
        array_to_string(list_distinct_ordered(notes), ' ') as description,
        -- the catalogue is written in English, whatever language the object speaks
        'en' as language,
        list_concat(title_texts, other_titles) as titles,
        notes as descriptions,
        list_filter(
            coalesce(nullif(list_filter(made, lambda text: text is not null), []), [
                case when covered_from is null or covered_to is null or covered_from = covered_to
                    then coalesce(covered_from, covered_to) else covered_from || '/' || covered_to end,
            ]),
            lambda text: text is not null
        ) as date_texts,
        'United States' as country,
        coalesce(units[1], 'National Archives (United States)') as provider,
        -- "Department of State. (09/1789 - )" without the years of the office
        list_transform(headings, lambda heading: regexp_replace(heading, '\.? *\([^()]*\d{4}[^()]*\)$', '')) as creators,
        list_transform(subject_objects, lambda given: given ->> '$.heading') as subjects,
        list_transform(
            list_filter(subject_objects, lambda given: given ->> '$.naId' is not null),
            lambda given: 'https://catalog.archives.gov/id/' || (given ->> '$.naId')
        ) as concept_uris,
        restrictions as rights_texts,
        'https://catalog.archives.gov/id/' || native_id as landing_url,
        cast(null as varchar) as provider_url,
        resolve_url(pictures[1] ->> '$.objectUrl', base_url) as image_url,
        cast(null as varchar) as iiif_service_url,
        list_transform(nearest_first, lambda given: given ->> '$.title') as collections,
        types as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from created
)

select * from renamed
