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
        texts_by_language(fields[2]) as titles_tagged,
        texts_by_language(fields[4]) as descriptions_tagged,
        texts_by_language(fields[8]) as creators_tagged,
        texts_by_language(fields[22]) as concepts_tagged,
        texts_by_language(fields[1]) as titles_plain,
        texts_by_language(fields[3]) as descriptions_plain,
        texts_by_language(fields[7]) as creators_plain,
        texts_by_language(fields[21]) as concepts_plain,
        strings[1] as guid,
        strings[2] as europeana_id,
        strings[3] as edm_type,
        filled_texts(fields[5]) as languages,
        filled_texts(fields[6]) as text_languages,
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

-- a value that knows its languages, where it has any text, before the one that does not
said as (
    select
        *,
        {%- for field in ['titles', 'descriptions', 'creators', 'concepts'] %}
        case when {{ field }}_tagged.languages[1] is not null then {{ field }}_tagged else {{ field }}_plain end as {{ field }}_said,
        {%- endfor %}
        flatten(list_concat(titles_plain.texts, titles_tagged.texts)) as titles,
        flatten(list_concat(descriptions_plain.texts, descriptions_tagged.texts)) as descriptions,
        flatten(creators_plain.texts) as creators_any,
    from named
),

-- English first, then the language the object is catalogued in, then what carries no language.
preferring as (
    select
        *,
        {%- for field in ['titles', 'descriptions', 'creators', 'concepts'] %}
        best_language({{ field }}_said.languages, 'en', languages[1], text_languages[1], 'def') as {{ field }}_at,
        {%- endfor %}
    from said
),

chosen as (
    select
        *,
        titles_said.texts[titles_at] as titles_chosen,
        coalesce(titles_said.languages[titles_at], descriptions_said.languages[descriptions_at]) as text_language,
        descriptions_said.texts[descriptions_at] as descriptions_chosen,
        creators_said.texts[creators_at] as creators_chosen,
        concepts_said.texts[concepts_at] as concept_labels,
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
        titles_chosen[1] as title,
        array_to_string(list_distinct_ordered(descriptions_chosen), ' ') as description,
        case
            when text_language not in ('def', 'mul', 'zxx', 'und') then text_language
            -- the language of the object tells that of one text, not which of several to read
            when len(list_distinct(titles_chosen)) < 2 and len(list_distinct(descriptions_chosen)) < 2 then text_languages[1]
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
