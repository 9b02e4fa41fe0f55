{# Text as people should read it: entities and markup resolved, Unicode NFC, white space folded. #}
{% macro text_functions() %}

-- The character of one entity such as &amp; or &#228; or &#xE4;; an entity nobody knows stays as it is.
create or replace macro entity_text(entity, entities) as
    coalesce(
        entities[entity[2:-2]],
        case
            when entity[2] = '#' then list_transform(
                [coalesce(
                    try_cast(entity[3:-2] as integer),
                    try_cast('0x' || regexp_extract(entity, '#[xX]([0-9a-fA-F]+)', 1) as integer)
                )],
                lambda code: case
                    when code between 9 and 55295 or code between 57344 and 1114111 then chr(code)
                    else ''
                end
            )[1]
        end,
        entity
    );

create or replace macro resolve_entities(value, entities) as
    case when contains(value, '&') then list_reduce(
        list_prepend(value, list_sort(list_distinct(
            regexp_extract_all(value, '&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});')
        ))),
        lambda text, entity: replace(text, entity, entity_text(entity, entities))
    ) else value end;

-- Only names of real elements count as markup: "x < y" and "<unknown>" are text. Those that break a line become a space.
create or replace macro strip_markup(value) as
    case when contains(value, '<') then regexp_replace(
        regexp_replace(
            regexp_replace(value, '(?is)<!--.*?-->|<(script|style)\b.*?</(script|style)\s*>', ' ', 'g'),
            '(?i)</?(blockquote|br|dd|div|dl|dt|h[1-6]|hr|img|li|ol|p|pre|table|tbody|td|th|thead|tr|ul)(\s[^<>]*)?/?>',
            ' ', 'g'
        ),
        '(?i)</?(a|abbr|b|big|cite|code|em|font|i|q|s|small|span|strong|sub|sup|u)(\s[^<>]*)?/?>',
        '', 'g'
    ) else value end;

-- Control characters, byte order marks, zero-width and direction marks go; what shapes Persian or Hindi words stays.
create or replace macro fold_space(value) as
    trim(regexp_replace(
        regexp_replace(
            value,
            '[\x{00}-\x{08}\x{0E}-\x{1F}\x{7F}-\x{84}\x{86}-\x{9F}\x{AD}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}\x{2066}-\x{2069}\x{FEFF}\x{FFFD}]+',
            '', 'g'
        ),
        '[\s\p{Z}\x{85}\x{0B}]*[\t\n\r\f\v\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}][\s\p{Z}\x{85}\x{0B}]*| {2,}', ' ', 'g'
    ));

-- Bytes that were read in the wrong encoding ("MÃ¼hle") leave such pairs; only texts with one are handed to ftfy.
create or replace macro is_mojibake(value) as
    regexp_matches(value, '[ÂÃÄÅÐÑÎÏ][\x{80}-\x{BF}ŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]|â(€|‚|„|ž|Ÿ)|ï»¿|[\x{80}-\x{9F}]');

-- Letters and signs of Europe's languages in their composed form, between single spaces: most texts, and nothing to do.
create or replace macro needs_cleaning(value) as
    regexp_matches(value, '[^ -%''-;=-~\x{A1}-\x{AC}\x{AE}-\x{2FF}\x{400}-\x{482}\x{2010}-\x{2027}\x{20AC}]|  |^ | $|[ÂÃÄÅÐÑ][^ -~]');

-- Only signs that have a composed form need composing, which costs more than all other steps together.
create or replace macro compose(value) as
    case
        when regexp_matches(value, '[^ -~\x{A0}-\x{2FF}\x{400}-\x{482}\x{2010}-\x{2027}\x{20AC}]') then nfc_normalize(value)
        else value
    end;

-- Each step names its text once, or DuckDB would do the earlier steps again for every mention.
-- Entities twice, because archives escape what was escaped already.
create or replace macro clean_escaped(value, entities) as
    list_transform(
        list_transform(
            list_transform(
                list_transform([value], lambda text: resolve_entities(text, entities)),
                lambda text: resolve_entities(text, entities)
            ),
            lambda text: strip_markup(text)
        ),
        lambda text: case when is_mojibake(text) then repair_mojibake(text) else text end
    )[1];

-- Most untidy texts have spaces or signs of other scripts only.
create or replace macro clean_untidy(value, entities) as
    list_transform(
        list_transform(
            [case
                when contains(value, '&') or contains(value, '<') or is_mojibake(value) then clean_escaped(value, entities)
                else value
            end],
            lambda text: fold_space(text)
        ),
        lambda text: case when text <> '' then compose(text) end
    )[1];

create or replace macro clean_text(value, entities) as
    case
        when value = '' then null
        when needs_cleaning(value) then clean_untidy(value, entities)
        else value
    end;

create or replace macro is_empty_word(value, empty_words) as
    length(value) < 40 and list_contains(empty_words, lower(value));

-- Cleaned, distinct, sorted; texts that only say "nothing" are left out.
create or replace macro clean_texts(texts, entities, empty_words) as
    list_sort(list_distinct(list_filter(
        list_transform(list_distinct(coalesce(texts, [])), lambda text: clean_text(text, entities)),
        lambda text: text is not null and not is_empty_word(text, empty_words)
    )));

-- The accents of Western Europe one by one, which is five times as fast; what is left then has others, or none.
create or replace macro without_accents(value) as
    list_transform(
        [replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
            value, 'ä', 'a'), 'ö', 'o'), 'å', 'a'), 'é', 'e'), 'è', 'e'), 'ê', 'e'), 'ü', 'u'), 'á', 'a'), 'à', 'a'), 'â', 'a'),
            'ç', 'c'), 'ñ', 'n'), 'ó', 'o'), 'í', 'i')],
        lambda text: case when regexp_matches(text, '[^ -~ßæøœ£§°«»–—‘’“”„•…€]') then strip_accents(text) else text end
    )[1];

-- For comparing: lower case, without accents, words separated by one space.
create or replace macro fold_text(value) as
    trim(regexp_replace(
        case when regexp_matches(value, '[^ -~]') then without_accents(lower(value)) else lower(value) end,
        ' *[^\p{L}\p{N} ]+[^\p{L}\p{N}]*| {2,}', ' ', 'g'
    ));

{% endmacro %}
