-- One row per item of SMU Digital Collections or another CONTENTdm site, from its newest hit.
-- Fields: https://help.oclc.org/Metadata_Services/CONTENTdm (API reference); what they are called differs per collection.
-- A hit is {"search": the item as found, "item": its own metadata, "compound": its pages}, the last two perhaps null.
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'smu' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract_string(payload, ['$.search.collectionAlias', '$.search.filetype', '$.search.title']) as strings,
        split_part(native_id, '/', -1) as number,
        coalesce(rtrim(base_url, '/'), 'https://digitalcollections.smu.edu') as site,
        -- a list of pages, or one page that is no list
        json_objects(json_extract(payload, '$.compound.page')) as pages,
        contentdm_texts(payload, ['title']) as title_texts,
        contentdm_texts(payload, ['altern']) as other_titles,
        contentdm_texts(payload, ['descri', 'notes', 'abstra']) as notes,
        -- EDTF first; `date` is the picture's at SMU and the scanner's elsewhere, which then has a time of day
        list_filter(
            contentdm_texts(payload, ['datea', 'dat', 'datcre', 'date']), lambda text: not regexp_matches(text, '\d:\d\d')
        ) as dates,
        contentdm_texts(payload, ['countr']) as countries,
        contentdm_texts(payload, ['librar', 'contra', 'reposi', 'publis']) as holders,
        contentdm_words(payload, ['creato', 'photog', 'contri']) as makers,
        contentdm_words(payload, ['subjec', 'author', 'keywor', 'specif', 'place', 'geogra', 'city', 'county', 'state']) as words,
        contentdm_texts(payload, ['geonam']) as uris,
        contentdm_texts(payload, ['rights', 'righta', 'rightb', 'rightc', 'rightd', 'use', 'licens']) as rights_given,
        contentdm_texts(payload, ['part', 'series', 'digitd', 'projec']) as parts_of,
        contentdm_words(payload, ['formge', 'type', 'physic', 'digita']) as types,
    from hits
),

-- the picture: the item's own, or that of a compound object's first page; none of sound, film and text
pictured as (
    select
        *,
        strings[1] as alias,
        case
            when strings[2] = 'cpd' then pages[1] ->> '$.pageptr'
            when coalesce(strings[2], 'jp2') in ('jp2', 'jpg', 'jpeg', 'png', 'tif', 'tiff', 'gif', 'image') then number
        end as picture_number,
    from extracted
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        -- cataloguers put a title of their own into brackets
        regexp_replace(coalesce(title_texts[1], strings[3]), '^\[([^\[\]]*)\]$', '\1') as title,
        array_to_string(list_distinct_ordered(notes), ' ') as description,
        -- the catalogue is written in English, whatever language the object speaks
        'en' as language,
        list_concat(title_texts, other_titles) as titles,
        notes as descriptions,
        dates as date_texts,
        coalesce(countries[1], case when contains(site, 'smu.edu') then 'United States' end) as country,
        coalesce(holders[1], case when contains(site, 'smu.edu') then 'Southern Methodist University' end) as provider,
        makers as creators,
        words as subjects,
        list_filter(uris, lambda text: is_web_url(text)) as concept_uris,
        rights_given as rights_texts,
        site || '/digital/collection/' || alias || '/id/' || number as landing_url,
        cast(null as varchar) as provider_url,
        site || '/digital/iiif/' || alias || '/' || picture_number || '/full/full/0/default.jpg' as image_url,
        site || '/digital/iiif/' || alias || '/' || picture_number as iiif_service_url,
        parts_of as collections,
        types as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from pictured
)

select * from renamed
