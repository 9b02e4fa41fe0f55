-- One row per object of Northport, the invented archive, from its newest hit. Fields: pipelines/replay.
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'demo' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract(payload, [
            '$.title', '$.note', '$.made', '$.keywords', '$.makers', '$.holder', '$.country', '$.licence', '$.picture',
            '$.page',
        ]) as fields,
    from hits
),

named as (
    select
        * exclude (fields),
        texts_by_language(fields[1]) as titles_said,
        texts_by_language(fields[2]) as notes_said,
        filled_texts(fields[3]) as dates,
        -- a list, or one string of words between semicolons
        flatten(list_transform(filled_texts(fields[4]), lambda text: string_split_regex(text, '\s*;\s*'))) as keywords,
        filled_texts(fields[5]) as makers,
        filled_texts(fields[6]) as holders,
        filled_texts(fields[7]) as countries,
        filled_texts(fields[8]) as licences,
        filled_texts(fields[9]) as picture_paths,
        filled_texts(fields[10]) as pages,
    from extracted
),

preferring as (
    select
        *,
        best_language(titles_said.languages, 'en', 'fi', 'sv', 'def') as titles_at,
        best_language(notes_said.languages, 'en', 'fi', 'sv', 'def') as notes_at,
    from named
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        titles_said.texts[titles_at][1] as title,
        array_to_string(list_distinct_ordered(notes_said.texts[notes_at]), ' ') as description,
        coalesce(titles_said.languages[titles_at], notes_said.languages[notes_at]) as language,
        flatten(titles_said.texts) as titles,
        flatten(notes_said.texts) as descriptions,
        dates as date_texts,
        countries[1] as country,
        holders[1] as provider,
        makers as creators,
        keywords as subjects,
        cast([] as varchar[]) as concept_uris,
        licences as rights_texts,
        resolve_url(pages[1], base_url) as landing_url,
        cast(null as varchar) as provider_url,
        resolve_url(picture_paths[1], base_url) as image_url,
        cast(null as varchar) as iiif_service_url,
        cast([] as varchar[]) as collections,
        cast([] as varchar[]) as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from preferring
)

select * from renamed
