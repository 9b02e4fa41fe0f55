-- One row per row of the EUFCC-340K files. Columns: https://github.com/cesc47/EUFCC-340K
-- Its labels are paths: `$` between labels, `|` between levels. It has neither titles nor dates nor rights.
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'eufcc' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract_string(payload, [
            '$."#portraitMedia.original"', '$."database"', '$."repository.keeper"', '$.csv_file',
        ]) as cells,
        label_paths(payload ->> '$."objectTypes.hierarchy"') as object_type_paths,
        label_paths(payload ->> '$."subjects.hierarchy"') as subject_paths,
        label_paths(payload ->> '$."materials.hierarchy"') as material_paths,
        label_paths(payload ->> '$."classifications.hierarchy"') as discipline_paths,
    from hits
),

faceted as (
    select
        *,
        list_concat(
            list_transform(object_type_paths, lambda path: {'facet': 'object_type', 'path': path}),
            list_transform(subject_paths, lambda path: {'facet': 'subject', 'path': path}),
            list_transform(material_paths, lambda path: {'facet': 'material', 'path': path}),
            list_transform(discipline_paths, lambda path: {'facet': 'discipline', 'path': path})
        ) as label_paths,
    from extracted
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        cast(null as varchar) as title,
        cast(null as varchar) as description,
        cast(null as varchar) as language,
        cast([] as varchar[]) as titles,
        cast([] as varchar[]) as descriptions,
        cast([] as varchar[]) as date_texts,
        cast(null as varchar) as country,
        cells[3] as provider,
        cast([] as varchar[]) as creators,
        -- the deepest label of each path says most
        list_transform(label_paths, lambda label: label['path'][-1]) as subjects,
        cast([] as varchar[]) as concept_uris,
        cast([] as varchar[]) as rights_texts,
        cast(null as varchar) as landing_url,
        cast(null as varchar) as provider_url,
        resolve_url(cells[1], 'https://api.europeana.eu') as image_url,
        cast(null as varchar) as iiif_service_url,
        list_filter([cells[2]], lambda text: trim(text) <> '') as collections,
        list_transform(object_type_paths, lambda path: path[-1]) as object_types,
        label_paths,
        nullif(regexp_extract(cells[4], '^(train|val|test_id|test_ood)(?:[^A-Za-z].*)?\.csv$', 1), '') as source_split,
    from faceted
)

select * from renamed
