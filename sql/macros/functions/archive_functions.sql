{# Reading what only one kind of service writes. #}
{% macro archive_functions() %}

-- The objects of a list, or the one that is no list.
create or replace macro json_objects(value) as
    list_filter(
        case json_type(value) when 'ARRAY' then json_extract(value, '$[*]') when 'OBJECT' then [value] else cast([] as json[]) end,
        lambda item: json_type(item) = 'OBJECT'
    );

-- The texts at one place of each object of a list.
create or replace macro json_texts_at(value, place) as
    list_filter(
        list_transform(json_objects(value), lambda item: json_extract_string(item, place)),
        lambda text: trim(text) <> ''
    );

-- {"year": 1944, "month": 6, "dateQualifier": "ca."} as "ca. 1944-06"; the padded `logicalDate` only where there is no year.
create or replace macro nara_date(given) as
    case when json_type(given) = 'OBJECT' then
        case when (given ->> '$.dateQualifier') like 'ca%' then 'ca. ' else '' end
        || coalesce(
            lpad(given ->> '$.year', 4, '0')
            || coalesce('-' || lpad(given ->> '$.month', 2, '0'), '')
            || coalesce(case when given ->> '$.month' is not null then '-' || lpad(given ->> '$.day', 2, '0') end, ''),
            given ->> '$.logicalDate'
        )
        || case when trim(given ->> '$.dateQualifier') = '?' then '?' else '' end
    end;

-- Every text of a CONTENTdm item under one of these names, in the item's own metadata or in what the search shows of it.
create or replace macro contentdm_texts(payload, names) as
    list_distinct_ordered(flatten(list_transform(names, lambda name: list_concat(
        filled_texts(json_extract(payload, '$.item."' || name || '"')),
        flatten(list_transform(
            list_filter(
                list_concat(
                    json_objects(json_extract(payload, '$.item.fields')), json_objects(json_extract(payload, '$.search.metadataFields'))
                ),
                lambda field: coalesce(field ->> '$.key', field ->> '$.field') = name
            ),
            lambda field: filled_texts(field -> '$.value')
        ))
    ))));

-- The same, apart at each semicolon.
create or replace macro contentdm_words(payload, names) as
    list_distinct_ordered(list_filter(
        flatten(list_transform(contentdm_texts(payload, names), lambda text: string_split_regex(text, '\s*;\s*'))),
        lambda text: trim(text) <> ''
    ));

-- EUFCC's label paths: "a | b $ c" is [["a", "b"], ["c"]].
create or replace macro label_paths(cell) as
    list_filter(
        list_transform(
            string_split(coalesce(cell, ''), '$'),
            lambda label: list_filter(
                list_transform(string_split(label, '|'), lambda level: trim(level, e' \t\r\n')),
                lambda level: level <> ''
            )
        ),
        lambda path: len(path) > 0
    );

create or replace macro has_host(url) as
    coalesce(regexp_matches(trim(url), '^([A-Za-z][A-Za-z0-9+.-]*:|//)'), false);

-- The years from 1939 to 1945 in a text, as numbers that stand alone, sorted.
create or replace macro war_years(value) as
    list_sort(list_distinct(list_filter(
        regexp_extract_all(coalesce(value, ''), '[0-9]+'), lambda digits: regexp_full_match(digits, '19(39|4[0-5])')
    )));

-- A gallery's folders as words: ["aircrafts-2-3", "b-17", "page", "2", ""] is ["aircrafts", "b 17"].
create or replace macro gallery_words(folders) as
    list_filter(
        list_transform(
            folders,
            lambda folder, i: case
                when folder = 'page' or folders[i - 1] = 'page' then ''
                when i = 1 then replace(replace(regexp_replace(folder, '(-[0-9])+$', ''), '_', ' '), '-', ' ')
                else replace(replace(url_decode(folder), '_', ' '), '-', ' ')
            end
        ),
        lambda word: trim(word) <> ''
    );

-- Flags, badges, slides and charts of truck-encyclopedia.com, by their file names or by what their titles call them.
create or replace macro is_icon_or_flag(url, titles) as
    regexp_matches(
        lower(without_query(url)),
        '(\.gif|/slide[0-9]*\.jpe?g|_r\.jpe?g|/challenge-coins\.jpe?g|/[^/]*(organi[sz]ation|org[-_ ]?chart)[^/]*)$'
    ) or regexp_matches(lower(array_to_string(titles, ' ')), '\borgani[sz]ation(al)? charts?\b');

{% endmacro %}
