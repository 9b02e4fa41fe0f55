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
        regexp_extract(rights_text, '(?i)rightsstatements\.org/(?:vocab|page|data)/([a-z-]+)', 1) as rs_code,
        lower(regexp_extract(rights_text, '(?i)europeana\.eu/rights/([a-z-]+)', 1)) as europeana_code,
        -- the names of the licences' terms, in the languages of the institutions, as their letters
        {{ replaced("upper(strip_accents(rights_text))", [
            ('CREATIVE COMMONS', 'CC'),
            ('\\bLICEN[CS]E\\b|\\bLISENSSI\\b|\\bLIZENZ\\b', ''),
            ('\\b(?:ATTRIBUTION|NIMEA|NAMENSNENNUNG|ERKANNANDE|ATTRIBUZIONE|NAAMSVERMELDING|UZNANIE AUTORSTWA|ATRIBUCION|ATRIBUICAO|RECONOCIMIENTO|RECONEIXEMENT|PATERNITE)\\b', 'BY'),
            ('\\b(?:NON[- ]?COMMERCIAL|EI[- ]?KAUPALLINEN|NICHT[- ]?KOMMERZIELL|NIETCOMMERCIEEL|ICKEKOMMERSIELL)\\b', 'NC'),
            ('\\b(?:PAS D.?UTILISATION COMMERCIALE|NON[- ]?COMMERCIALE|NO ?COMERCIAL|NAO ?COMERCIAL|UZYCIE NIEKOMERCYJNE)\\b', 'NC'),
            ('\\b(?:NO[- ]?DERIV\\w*|EI[- ]?MUUTOKSIA|KEINE BEARBEITUNG(?:EN)?|INGABEARBETNINGAR)\\b', 'ND'),
            ('\\b(?:PAS DE MODIFICATIONS?|SIN ?(?:OBRAS? )?DERIVADAS?|NON OPERE DERIVATE|BEZ UTWOROW ZALEZNYCH)\\b', 'ND'),
            ('\\b(?:SHARE[- ]?ALIKE|JAA ?SAMOIN|WEITERGABE UNTER GLEICHEN BEDINGUNGEN|DELALIKA|GELIJKDELEN)\\b', 'SA'),
            ('\\b(?:PARTAGE (?:DANS LES MEMES CONDITIONS|A L.IDENTIQUE)|COMPARTIR ?IGUAL|CONDIVIDI ALLO STESSO MODO|NA TYCH SAMYCH WARUNKACH)\\b', 'SA'),
            ('\\b(?:GERMANY|DEUTSCHLAND)\\b', 'DE'),
            ('\\b(?:FINLAND|SUOMI)\\b', 'FI'),
            ('\\b(?:SWEDEN|SVERIGE)\\b', 'SE'),
            ('\\b(?:NETHERLANDS|NEDERLAND)\\b', 'NL'),
            ('\\bFRANCE\\b', 'FR'),
            ('\\b(?:POLAND|POLSKA)\\b', 'PL'),
            ('[\\s_]+', ' '),
        ]) }} as spelled_text,
        ' ' || fold_text(regexp_replace(rights_text, '©|\([cC]\)', ' copyright ', 'g')) || ' ' as folded_text,
    from given
),

-- labels such as "CC BY-SA 4.0", "CC BY 3.0 DE", "Creative Commons Attribution 4.0 International", "CC0"
labelled as (
    select
        *,
        regexp_extract(
            spelled_text,
            '(?:\bCC[ :-]*|^)(BY(?:[ /-]+(?:NC|ND|SA))*)(?:[ ,/-]*(\d(?:\.\d)?)\b(?:[ /-]+(AT|AU|BE|CH|CZ|DE|DK|ES|FI|FR|IGO|IT|NL|NO|PL|SE|UK|US)\b)?)?',
            ['code', 'version', 'jurisdiction']
        ) as label,
    from parsed
),

coded as (
    select
        rights_text,
        folded_text,
        case
            when cc_code <> '' then cc_code
            when rs_code <> '' then rs_code
            when europeana_code <> '' then 'europeana/' || europeana_code
            -- "by" is a word, too: without CC before it, it is a licence only with a version or another term
            when label.code <> '' and (label.version <> '' or regexp_matches(spelled_text, '\bCC[ :-]*BY') or regexp_matches(label.code, 'N[CD]|SA'))
                then 'licenses/' || lower(regexp_replace(label.code, '[ /-]+', '-', 'g'))
            when regexp_matches(spelled_text, '\bCC[ -]?(0|ZERO)\b') then 'publicdomain/zero'
        end as code,
        case
            when cc_code <> '' then nullif(cc_version, '')
            when length(label.version) = 1 then label.version || '.0'
            else nullif(label.version, '')
        end as version,
        -- versions from 4.0 on have no national editions
        case
            when version < '4.0' then coalesce(nullif(cc_jurisdiction, ''), nullif(lower(label.jurisdiction), ''))
        end as jurisdiction,
    from labelled
),

-- prose: the first phrase of the seed that stands in the text, as whole words
phrase_codes as (
    select
        coded.rights_text,
        arg_min({'code': phrases.code, 'rights_class': phrases.rights_class}, phrases.position) as phrase,
    from coded
    inner join phrases on case phrases.match
        when 'whole' then coded.folded_text = ' ' || phrases.phrase || ' '
        when 'start' then starts_with(coded.folded_text, ' ' || phrases.phrase || ' ')
        else contains(coded.folded_text, ' ' || phrases.phrase || ' ')
    end
    where coded.code is null
    group by coded.rights_text
),

classified as (
    select
        coded.rights_text,
        case
            when statements.is_versioned
                -- a licence without its version is named by the address of all its versions
                then statements.uri_prefix || coalesce(coded.version || '/', '') || coalesce(coded.jurisdiction || '/', '')
            else statements.uri_prefix
        end as rights_uri,
        case
            when statements.is_versioned
                then statements.name || coalesce(' ' || coded.version, '') || coalesce(' ' || upper(coded.jurisdiction), '')
            else statements.name
        end as rights_name,
        coalesce(phrase_codes.phrase.rights_class, statements.rights_class, 'unknown') as rights_class,
        statements.code is not null as is_recognised,
    from coded
    left join phrase_codes using (rights_text)
    left join statements on lower(statements.code) = lower(coalesce(coded.code, phrase_codes.phrase.code))
)

select
    classified.*,
    classes.strictness,
from classified
inner join classes using (rights_class)
