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
        when json_type(value) = 'ARRAY' and not contains(value, '{') and not contains(value[2:], '[')
            then list_filter(json_extract_string(value, '$[*]'), lambda text: text is not null)
        else nested_json_texts(value)
    end;

create or replace macro filled_texts(value) as
    list_filter(json_texts(value), lambda text: trim(text) <> '');

-- The language codes of {"en": ["a"], "fi": [" "]} under which there is any text, sorted.
create or replace macro filled_languages(value) as
    list_sort(list_filter(
        json_keys(value),
        lambda code: regexp_full_match(code, '[A-Za-z-]+')
            and len(filled_texts(json_extract(value, '$."' || code || '"'))) > 0
    ));

-- The language to read: the first of those preferred that has text, else the first there is.
create or replace macro best_language(value, preferred) as
    list_transform(
        [filled_languages(value)],
        lambda codes: coalesce(list_filter(preferred, lambda code: list_contains(codes, code))[1], codes[1])
    )[1];

-- The value that knows its languages where it has any text, else the one that does not.
create or replace macro prefer_languages(by_language, plain) as
    case when filled_languages(by_language) <> [] then by_language else plain end;

-- Language and texts of a value that may know its languages; where it does not, the language is NULL.
create or replace macro language_texts(value, preferred) as
    case when json_type(value) = 'OBJECT' then list_transform(
        [best_language(value, preferred)],
        lambda code: {
            'language': code,
            'texts': filled_texts(json_extract(value, '$."' || code || '"')),
        }
    )[1] else {'language': cast(null as varchar), 'texts': filled_texts(value)} end;

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
