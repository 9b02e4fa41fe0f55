-- One row per picture of worldwarphotos.info, from its gallery (`search`) and its own page (`picture_page`).
-- The fields are those that pipelines/archives/wwii.py finds on the pages; texts may hold markup.
with

hits as (
    select
        * exclude (payload),
        coalesce(payload -> '$.search', payload) as gallery,
        payload -> '$.picture_page' as picture_page,
    from {{ ref('base_hits') }}
    where archive = 'wwii' and payload is not null
),

extracted as (
    select
        * exclude (gallery, picture_page),
        json_extract_string(gallery, [
            '$.page', '$.gallery_title', '$.link', '$.thumbnail', '$.path', '$.alt', '$.title', '$.caption',
        ]) as fields,
        json_extract_string(picture_page, ['$.title', '$.description']) as page_fields,
    from hits
),

named as (
    select
        * exclude (fields, page_fields),
        string_split(fields[1], '/') as folders,
        fields[2] as gallery_title,
        -- the picture's own page is more exact than its gallery
        list_filter([page_fields[1], fields[7], fields[6]], lambda text: trim(text) <> '') as titles,
        list_filter([page_fields[2], fields[8]], lambda text: trim(text) <> '') as descriptions,
        resolve_url(fields[3], base_url) as link,
        resolve_url(case when has_host(fields[4]) then fields[4] else fields[5] end, base_url) as thumbnail_url,
    from extracted
),

-- the full size is the thumbnail's address without `_cache/` and without its size
enlarged as (
    select
        *,
        regexp_replace(replace(thumbnail_url, '_cache/', ''), '-[0-9]+x[0-9]+(\.[A-Za-z]+)$', '\1') as image_url,
    from named
),

-- years of the war occur in titles, else in captions, else in addresses
dated as (
    select
        *,
        coalesce(
            nullif(war_years(array_to_string(titles, ' ')), []),
            nullif(war_years(array_to_string(descriptions, ' ')), []),
            war_years(concat_ws(' ', link, image_url))
        ) as years,
    from enlarged
),

renamed as (
    select
        dated.archive,
        dated.native_id,
        dated.queries,
        dated.n_hits,
        dated.harvested_at,
        coalesce(dated.titles[1], dated.gallery_title) as title,
        dated.descriptions[1] as description,
        'en' as language,
        dated.titles,
        dated.descriptions,
        list_filter(
            [dated.years[1] || case when len(dated.years) > 1 then '/' || dated.years[-1] else '' end],
            lambda text: text is not null
        ) as date_texts,
        countries.country,
        'World War Photos' as provider,
        cast([] as varchar[]) as creators,
        gallery_words(dated.folders[4:]) as subjects,
        cast([] as varchar[]) as concept_uris,
        cast([] as varchar[]) as rights_texts,
        resolve_url(dated.native_id, dated.base_url) as landing_url,
        cast(null as varchar) as provider_url,
        dated.image_url,
        cast(null as varchar) as iiif_service_url,
        list_filter([dated.gallery_title], lambda text: trim(text) <> '') as collections,
        cast([] as varchar[]) as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from dated
    left join {{ ref('path_countries') }} as countries on countries.folder = dated.folders[3]
)

select * from renamed
