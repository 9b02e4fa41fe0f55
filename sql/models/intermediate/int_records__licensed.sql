-- One row per object that says anything of its rights: of the statements that are recognised, the strictest.
with

given as (
    select
        record_id,
        rights_texts,
        unnest(rights_texts) as rights_text,
    from {{ ref('int_records__cleaned') }}
),

classified as (
    select
        given.record_id,
        given.rights_texts,
        rights.*,
    from given
    inner join {{ ref('int_rights__classified') }} as rights using (rights_text)
),

strictest as (
    select * from classified
    qualify row_number() over (
        partition by record_id
        order by is_recognised desc, strictness desc, rights_uri is null, list_position(rights_texts, rights_text)
    ) = 1
)

select
    record_id,
    array_to_string(list_distinct_ordered(rights_texts), ' | ') as rights_raw,
    rights_uri,
    rights_name,
    rights_class,
from strictest
