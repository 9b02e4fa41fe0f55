{# Reading answers in which a string is sometimes a list, an object of lists, or missing. #}
{% macro json_functions() %}

-- As json_texts, for any shape.
create or replace macro nested_json_texts(value) as
    flatten(list_transform(
        case json_type(value)
            when 'ARRAY' then json_extract(value, '$[*]')
            when 'OBJECT' then json_extract(value, '$.*')
            else [value]
        end,
        lambda item: case coalesce(json_type(item), 'NULL')
            when 'NULL' then cast([] as varchar[])
            when 'ARRAY' then json_extract_string(item, '$[*]')
            when 'OBJECT' then json_extract_string(item, '$.*')
            else [json_extract_string(item, '$')]
        end
    ));

-- Every text of a JSON value, two levels deep: "a", ["a"], {"en": ["a"]}, [["a"], ["b"]], [{"def": "a"}] and null.
create or replace macro json_texts(value) as
    case
        when json_type(value) = 'VARCHAR' then [json_extract_string(value, '$')]
        -- a plain list of texts, as nearly all are
        when regexp_full_match(value, '\[[^\[{]*') then json_extract_string(value, '$[*]')
        else nested_json_texts(value)
    end;

create or replace macro filled_texts(value) as
    list_filter(json_texts(value), lambda text: regexp_matches(text, '[^ ]'));

-- What a value that knows its languages says in each: {"fi": ["b", " "], "en-GB": "a"} is the languages ["en", "fi"]
-- and the texts [["a"], ["b"]]; a value that knows none has one language, NULL.
create or replace macro texts_by_language(value) as
    case when json_type(value) = 'OBJECT' then list_transform(
        [list_sort(list_filter(
            list_transform(
                list_zip(json_keys(value), json_extract(value, '$.*')),
                lambda pair: {
                    'language': case when regexp_full_match(pair[1], '[A-Za-z-]+') then lower(split_part(pair[1], '-', 1)) else 'und' end,
                    'texts': filled_texts(pair[2]),
                }
            ),
            lambda said: len(said.texts) > 0
        ))],
        lambda said: {
            'languages': list_transform(said, lambda one: one.language), 'texts': list_transform(said, lambda one: one.texts)
        }
    )[1] else {'languages': [cast(null as varchar)], 'texts': [filled_texts(value)]} end;

-- Which of such languages to read: the first of those preferred, else the first there is.
create or replace macro best_language(languages, first, second, third, fourth) as
    coalesce(
        nullif(list_position(languages, first), 0), nullif(list_position(languages, second), 0),
        nullif(list_position(languages, third), 0), nullif(list_position(languages, fourth), 0), 1
    );

-- Each text once, in the order in which it first comes.
create or replace macro list_distinct_ordered(texts) as
    list_filter(texts, lambda text, i: list_position(texts, text) = i);

-- A word of people's language: neither an address nor a reference within the answer.
create or replace macro is_name(value) as
    not regexp_matches(value, '^(#|https?://)');

-- A subject of Finna that is a date: "valmistusaika: 11.06.1923", "kuvausaika 1943".
create or replace macro is_finnish_date(value) as
    regexp_matches(lower(trim(value)), '^(valmistusaika|kuvausaika|ottoaika|ajankohta|ajoitus)\b.*[0-9]');

{% endmacro %}
