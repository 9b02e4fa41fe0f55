-- One row per distinct rights text: the Creative Commons or RightsStatements.org URI it amounts to, and its class.
-- What nobody knows is 'unknown', never 'open'.
{{ config(materialized='table') }}

with

given as (
    select distinct unnest(rights_texts) as rights_text from {{ ref('int_records__cleaned') }}
),

statements as (
    select * from {{ ref('rights_statements') }}
),

classes as (
    select * from {{ ref('rights_classes') }}
),

phrases as (
    select * from {{ ref('rights_phrases') }}
),

-- the parts of an address, of whatever spelling: http or https, with ?relation=, /deed.fi, /legalcode, or without its last slash
parsed as (
    select
        rights_text,
        lower(regexp_extract(rights_text, '(?i)creativecommons\.org/(licenses/[a-z+-]+|publicdomain/[a-z]+)', 1)) as cc_code,
        regexp_extract(rights_text, '(?i)creativecommons\.org/(?:licenses|publicdomain)/[a-z+-]+/(\d\.\d)', 1) as cc_version,
        lower(regexp_extract(
            rights_text, '(?i)creativecommons\.org/licenses/[a-z+-]+/\d\.\d/([a-z]{2,3}|igo)(?:/|$)', 1
        )) as cc_jurisdiction,
        regexp_extract(rights_text, '(?i)rightsstatements\.org/(?:vocab|page)/([a-z-]+)', 1) as rs_code,
        lower(regexp_extract(rights_text, '(?i)europeana\.eu/rights/([a-z-]+)', 1)) as europeana_code,
        upper(regexp_replace(rights_text, '\s+', ' ', 'g')) as upper_text,
    from given
),

-- labels such as "CC BY-SA 4.0", "CC0", "PDM", "InC"
labelled as (
    select
        *,
        regexp_extract(upper_text, '^(?:CREATIVE COMMONS )?CC[ -]?(BY(?:[ -](?:NC|ND|SA))*)(?:[ -](\d\.\d))?', 1) as label_code,
        regexp_extract(upper_text, '^(?:CREATIVE COMMONS )?CC[ -]?BY(?:[ -](?:NC|ND|SA))*[ -](\d\.\d)', 1) as label_version,
    from parsed
),

coded as (
    select
        rights_text,
        case
            when cc_code <> '' then cc_code
            when rs_code <> '' then rs_code
            when europeana_code <> '' then 'europeana/' || europeana_code
            when label_code <> '' then 'licenses/' || lower(replace(label_code, ' ', '-'))
        end as code,
        coalesce(nullif(cc_version, ''), nullif(label_version, '')) as version,
        nullif(cc_jurisdiction, '') as jurisdiction,
        upper_text,
    from labelled
),

-- prose: the first phrase of the seed that the text contains
phrase_codes as (
    select
        coded.rights_text,
        arg_min(phrases.code, phrases.position) as phrase_code,
    from coded
    inner join phrases on regexp_matches(coded.upper_text, phrases.pattern)
    where coded.code is null
    group by coded.rights_text
),

phrased as (
    select
        coded.* exclude (code),
        coalesce(coded.code, phrase_codes.phrase_code) as code,
    from coded
    left join phrase_codes using (rights_text)
),

classified as (
    select
        phrased.rights_text,
        case
            when statements.uri_prefix is null then nullif(regexp_extract(phrased.rights_text, 'https?://[^\s"<>)]+'), '')
            when not statements.is_versioned then statements.uri_prefix
            when phrased.version is not null then
                statements.uri_prefix || phrased.version || '/' || coalesce(phrased.jurisdiction || '/', '')
        end as rights_uri,
        case
            when statements.name is null then null
            when statements.is_versioned then statements.name || coalesce(' ' || phrased.version, '')
            else statements.name
        end as rights_name,
        coalesce(statements.rights_class, 'unknown') as rights_class,
        statements.code is not null as is_recognised,
    from phrased
    left join statements on lower(statements.code) = lower(phrased.code)
)

select
    classified.*,
    classes.strictness,
from classified
inner join classes using (rights_class)
