-- One row per picture of a page of truck-encyclopedia.com; flags and badges are left out later, by a named rule.
-- The fields are those that pipelines/archives/ww_vehicles.py finds on the pages; texts may hold markup.
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'ww_vehicles' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract_string(payload, [
            '$.page', '$.image', '$.path', '$.alt', '$.title', '$.caption', '$.heading',
        ]) as fields,
    from hits
),

named as (
    select
        * exclude (fields),
        fields[1] as page,
        string_split(fields[1], '/') as folders,
        case when has_host(fields[2]) then fields[2] else fields[3] end as picture,
        list_filter([fields[5], fields[4]], lambda text: trim(text) <> '') as titles,
        list_filter([fields[6]], lambda text: trim(text) <> '') as descriptions,
        case string_split(fields[1], '/')[2] when 'ww1' then 'World War I' when 'ww2' then 'World War II' end as war,
        fields[7] as heading,
    from extracted
),

renamed as (
    select
        named.archive,
        named.native_id,
        named.queries,
        named.n_hits,
        named.harvested_at,
        named.titles[1] as title,
        named.descriptions[1] as description,
        'en' as language,
        named.titles,
        named.descriptions,
        cast([] as varchar[]) as date_texts,
        countries.country,
        'Truck Encyclopedia' as provider,
        cast([] as varchar[]) as creators,
        list_filter([named.war, named.heading], lambda text: trim(text) <> '') as subjects,
        cast([] as varchar[]) as concept_uris,
        cast([] as varchar[]) as rights_texts,
        resolve_url(named.page, named.base_url) as landing_url,
        cast(null as varchar) as provider_url,
        resolve_url(named.picture, named.base_url) as image_url,
        cast(null as varchar) as iiif_service_url,
        cast([] as varchar[]) as collections,
        cast([] as varchar[]) as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from named
    left join {{ ref('path_countries') }} as countries on countries.folder = named.folders[3]
)

select * from renamed
