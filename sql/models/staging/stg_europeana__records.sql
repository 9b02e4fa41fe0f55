-- One row per Europeana object, from its newest hit. Fields: https://europeana.atlassian.net/wiki/spaces/EF/pages/2385739812
-- Any of these fields may be a string, a list, an object by language, or missing.
with

hits as (
    select * from {{ ref('base_hits') }} where archive = 'europeana' and payload is not null
),

extracted as (
    select
        * exclude (payload),
        json_extract_string(payload, ['$.guid', '$.id', '$.type']) as strings,
        json_extract(payload, [
            '$.title', '$.dcTitleLangAware', '$.dcDescription', '$.dcDescriptionLangAware', '$.language', '$.dcLanguage',
            '$.dcCreator', '$.dcCreatorLangAware', '$.year', '$.edmTimespanLabel', '$.edmTimespanLabelLangAware',
            '$.country', '$.dataProvider', '$.provider', '$.rights', '$.edmIsShownAt', '$.edmIsShownBy', '$.edmPreview',
            '$.dcSubject', '$.dcSubjectLangAware', '$.edmConceptLabel', '$.edmConceptPrefLabelLangAware', '$.edmConcept',
            '$.dcType', '$.dcTypeLangAware', '$.edmDatasetName',
        ]) as fields,
    from hits
),

named as (
    select
        * exclude (strings, fields),
        prefer_languages(fields[2], fields[1]) as title_value,
        prefer_languages(fields[4], fields[3]) as description_value,
        prefer_languages(fields[8], fields[7]) as creator_value,
        prefer_languages(fields[22], fields[21]) as concept_value,
        list_concat(filled_texts(fields[1]), filled_texts(fields[2])) as titles,
        list_concat(filled_texts(fields[3]), filled_texts(fields[4])) as descriptions,
        strings[1] as guid,
        strings[2] as europeana_id,
        strings[3] as edm_type,
        filled_texts(fields[5]) as languages,
        filled_texts(fields[6]) as text_languages,
        filled_texts(fields[7]) as creators_any,
        filled_texts(fields[9]) as years,
        list_concat(filled_texts(fields[10]), filled_texts(fields[11])) as timespans,
        filled_texts(fields[12]) as countries,
        list_concat(filled_texts(fields[13]), filled_texts(fields[14])) as providers,
        filled_texts(fields[15]) as rights_texts,
        filled_texts(fields[16]) as shown_at_urls,
        list_concat(filled_texts(fields[17]), filled_texts(fields[18])) as picture_urls,
        list_concat(filled_texts(fields[19]), filled_texts(fields[20])) as subjects_any,
        filled_texts(fields[23]) as concept_uris,
        list_concat(filled_texts(fields[24]), filled_texts(fields[25])) as types_any,
        filled_texts(fields[26]) as datasets,
    from extracted
),

-- English first, then the language the object is catalogued in, then what carries no language.
preferring as (
    select
        *,
        ['en', languages[1], text_languages[1], 'def'] as preferred,
    from named
),

chosen as (
    select
        *,
        language_texts(title_value, preferred) as title_chosen,
        language_texts(description_value, preferred) as description_chosen,
        language_texts(concept_value, preferred).texts as concept_labels,
        language_texts(creator_value, preferred).texts as creators_chosen,
    from preferring
),

-- a creator is a name; the URI of an entity only where no name is given, a reference within the answer never
created as (
    select
        *,
        coalesce(
            nullif(list_filter(creators_chosen, lambda name: is_name(name)), []),
            nullif(list_filter(creators_any, lambda name: is_name(name)), []),
            list_filter(creators_any, lambda name: not starts_with(name, '#'))
        ) as creators,
    from chosen
),

renamed as (
    select
        archive,
        native_id,
        queries,
        n_hits,
        harvested_at,
        title_chosen.texts[1] as title,
        array_to_string(list_distinct_ordered(description_chosen.texts), ' ') as description,
        case
            when coalesce(title_chosen.language, description_chosen.language) in ('def', 'mul', 'zxx', 'und')
                then text_languages[1]
            else coalesce(title_chosen.language, description_chosen.language)
        end as language,
        titles,
        descriptions,
        list_append(
            timespans,
            case when list_min(years) = list_max(years) then years[1] else list_min(years) || '/' || list_max(years) end
        ) as date_texts,
        countries[1] as country,
        providers[1] as provider,
        creators,
        list_filter(list_concat(subjects_any, concept_labels), lambda text: is_name(text)) as subjects,
        list_filter(list_concat(concept_uris, subjects_any, types_any), lambda text: is_web_url(text)) as concept_uris,
        rights_texts,
        coalesce(
            without_query(guid),
            'https://www.europeana.eu/item' || europeana_id,
            unwrap_redirect(shown_at_urls[1])
        ) as landing_url,
        unwrap_redirect(shown_at_urls[1]) as provider_url,
        resolve_url(picture_urls[1], base_url) as image_url,
        cast(null as varchar) as iiif_service_url,
        datasets as collections,
        list_filter(list_append(types_any, edm_type), lambda text: is_name(text)) as object_types,
        cast([] as struct(facet varchar, path varchar[])[]) as label_paths,
        cast(null as varchar) as source_split,
    from created
)

select * from renamed
