-- One row per object that a rule of the seed `exclusions` keeps out: the first that does, and the words it saw.
-- Words are compared without case, accents and signs, and only as wholes: "map" is not in "Maple".
{{ config(materialized='table') }}

with

rules as (
    select
        archive,
        field,
        match_kind,
        value,
        reason,
        case when field = 'concept' then value else ' ' || fold_text(value) || ' ' end as needle,
    from {{ ref('exclusions') }}
),

records as (
    select * from {{ ref('int_records__cleaned') }}
),

-- only the fields that some rule looks at
texts as (
    {%- for field, texts in [
        ('title', 'list_append(titles, title)'), ('description', 'list_append(descriptions, description)'),
        ('provider', '[provider]'), ('creator', 'creators'), ('concept', 'concept_uris'), ('collection', 'collections'),
        ('subject', 'subjects'), ('object_type', 'object_types'),
    ] %}
    select archive, native_id, '{{ field }}' as field, unnest(list_distinct({{ texts }})) as text
    from records
    where (select count(*) > 0 from rules where field = '{{ field }}')
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

distinct_texts as (
    select
        archive,
        field,
        text,
        case when field = 'concept' then text else ' ' || fold_text(text) || ' ' end as haystack,
    from (select distinct archive, field, text from texts where text is not null)
),

matched as (
    select
        distinct_texts.archive,
        distinct_texts.field,
        distinct_texts.text,
        rules.value,
        rules.reason,
        -- how many words stand before the match, and how many it has
        len(string_split(haystack[:strpos(haystack, needle)], ' ')) - 1 as n_before,
        len(string_split(trim(needle), ' ')) as n_words,
    from distinct_texts
    inner join rules
        on rules.field = distinct_texts.field
        and (rules.archive = '*' or rules.archive = distinct_texts.archive)
        and case
            when rules.match_kind = 'whole' then haystack = needle
            when rules.match_kind = 'start' then starts_with(haystack, needle)
            else contains(haystack, needle)
        end
),

spanned as (
    select
        *,
        case
            when field = 'concept' then text
            else array_to_string(
                list_slice(regexp_extract_all(text, '[\p{L}\p{N}\p{M}]+'), n_before, n_before + n_words - 1), ' '
            )
        end as span,
    from matched
)

select
    texts.archive,
    texts.native_id,
    arg_min(
        {
            'rule': 'excluded_' || texts.field,
            'detail': format(
                '"{}" in "{}" ({}: {})', spanned.span, left(spanned.text, 120), spanned.value, spanned.reason
            ),
        },
        (texts.field, spanned.value, spanned.text)
    ) as found,
from texts
inner join spanned using (archive, field, text)
group by texts.archive, texts.native_id
