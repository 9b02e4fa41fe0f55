-- One row per item of the Library of Congress, from its newest hit. Fields: https://www.loc.gov/apis/json-and-yaml/
-- Hits that are collections or web pages are no items: they are left out. Their address is their identifier.
with

hits as (
    select * from {{ ref('base_hits') }}
    where archive = 'loc_maps' and payload is not null and not contains(native_id, '/')
),

extracted as (
    select
        * exclude (payload),
        json_extract(payload, [
            '$.title', '$.item.title', '$.other_title', '$.item.summary', '$.description', '$.item.medium', '$.item.date',
            '$.item.created_published_date', '$.date', '$.dates', '$.item.repository', '$.item.creators',
            '$.item.contributor_names', '$.item.contributors', '$.contributor', '$.item.subject_headings', '$.item.subjects',
            '$.subject', '$.location', '$.item.rights_information', '$.item.rights_advisory', '$.rights', '$.image_url',
            '$.resources', '$.partof', '$.original_format', '$.item.genre', '$.item.notes',
        ]) as fields,
    from hits
),

named as (
    select
        * exclude (fields),
        list_concat(filled_texts(fields[1]), filled_texts(fields[2])) as title_texts,
        filled_texts(fields[3]) as other_titles,
        filled_texts(fields[4]) as summaries,
        -- "1 print. | A log cabin." says of what the object is made before it says what it shows
        list_filter(
            flatten(list_transform(filled_texts(fields[5]), lambda text: string_split_regex(text, ' +\| +'))),
            lambda text: not list_contains(filled_texts(fields[6]), text)
        ) as statements,
        list_filter(
            list_concat(filled_texts(fields[7]), filled_texts(fields[8])), lambda text: regexp_matches(text, '\d{3}')
        ) as written_dates,
        list_concat(filled_texts(fields[9]), filled_texts(fields[10])) as computed_dates,
        filled_texts(fields[11]) as repositories,
        json_texts_at(fields[12], '$.title') as makers,
        list_concat(filled_texts(fields[13]), filled_texts(fields[14])) as makers_with_roles,
        filled_texts(fields[15]) as contributors,
        list_concat(filled_texts(fields[16]), filled_texts(fields[17])) as headings,
        list_concat(filled_texts(fields[18]), filled_texts(fields[19])) as words,
        list_concat(list_concat(filled_texts(fields[20]), filled_texts(fields[21])), filled_texts(fields[22])) as rights_given,
        list_concat(json_texts_at(fields[24], '$.image'), filled_texts(fields[23])) as picture_paths,
        filled_texts(fields[25]) as parts_of,
        list_concat(filled_texts(fields[26]), filled_texts(fields[27])) as types,
    from extracted
),

-- "Railroads--Texas--Maps": each part by itself; then the words of the index that are not among them
sorted_out as (
    select
        *,
        list_transform(
            list_filter(
                flatten(list_transform(headings, lambda text: string_split(text, '--'))), lambda text: regexp_matches(text, '\p{L}')
            ),
            lambda text: rtrim(trim(text), '.')
        ) as heading_parts,
        list_transform(
            list_filter(picture_paths, lambda path: not regexp_matches(path, '/static/|\.svg([?#]|$)')),
            lambda path, n: {
                'area': coalesce(
                    try_cast(regexp_extract(path, '#h=(\d+)', 1) as bigint) * try_cast(regexp_extract(path, '[#&]w=(\d+)', 1) as bigint), 0
                ),
                'position': n,
                'url': resolve_url(regexp_replace(path, '#.*$', ''), 'https://www.loc.gov'),
            }
        ) as pictures,
    from named
),

pictured as (
    select
        *,
        list_sort(pictures)[-1].url as largest_url,
        list_filter(
            list_transform(pictures, lambda picture: regexp_extract(picture.url, '^.*/image-services/iiif/[^/]+')),
            lambda url: url <> ''
        )[1] as service_url,
    from sorted_out
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        title_texts[1] as title,
        array_to_string(list_distinct_ordered(coalesce(nullif(summaries, []), statements)), ' ') as description,
        -- the catalogue is written in English, whatever language the object speaks
        'en' as language,
        list_concat(title_texts, other_titles) as titles,
        list_concat(summaries, statements) as descriptions,
        -- what the cataloguer wrote; the computed date says "1936-01-01" for 1936 and "1900" for a decade
        coalesce(
            nullif(list_distinct_ordered(written_dates)[:1], []),
            list_transform(computed_dates, lambda text: regexp_replace(left(text, 10), '(-01)?-01$', ''))[:1]
        ) as date_texts,
        'United States' as country,
        -- without the address that follows the name
        coalesce(regexp_replace(repositories[1], ',? Washington,? D\.?C\..*$', ''), 'Library of Congress') as provider,
        coalesce(nullif(makers, []), nullif(makers_with_roles, []), contributors) as creators,
        list_concat(
            heading_parts,
            list_filter(words, lambda word: not list_contains(list_transform(heading_parts, lambda part: lower(part)), word))
        ) as subjects,
        cast([] as varchar[]) as concept_uris,
        list_distinct_ordered(rights_given) as rights_texts,
        'https://www.loc.gov/item/' || native_id || '/' as landing_url,
        cast(null as varchar) as provider_url,
        coalesce(service_url || '/full/pct:100/0/default.jpg', largest_url) as image_url,
        service_url as iiif_service_url,
        parts_of as collections,
        types as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from pictured
)

select * from renamed
