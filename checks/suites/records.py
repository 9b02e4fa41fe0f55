"""Records: one object of one archive."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Limit,
    Nothing,
    filled,
    known,
    matching,
    of_mart,
    one_of,
    unique,
)
from lake.tables import RECORDS, RIGHTS_CLASSES, TEXT, TEXTS

_TEXTS = [column.name for column in RECORDS.schema if column.type == TEXT]
_LISTS = [column.name for column in RECORDS.schema if column.type == TEXTS]
_PROSE = ("title", "description", "caption", "provider")
_HTML = r"&(#\d+|#x[0-9a-fA-F]+|[a-z]{2,8});|</?(p|br|i|b|a|em|div|span)\b"
# ISO 639-1, with the former codes that catalogues still write
_LANGUAGES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da "
    "de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz "
    "ia id ie ig ii ik in io is it iu iw ja ji jv jw ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la "
    "lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj "
    "om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv "
    "sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_OPEN = r"/(licenses/(by|sa|by-sa)/|publicdomain/(zero|mark|certification)/)"
_NONCOMMERCIAL = r"/(licenses/[a-z-]*\bnc\b|vocab/NoC-NC/)"
_RESTRICTED = r"/(licenses/[a-z-]*\bnd\b|vocab/(InC|NoC-CR|NoC-OKLR))"
_CLASS_OF_STATEMENT = rf"""
    case
        when regexp_matches(rights_uri, '{_NONCOMMERCIAL}') then 'noncommercial'
        when regexp_matches(rights_uri, '{_RESTRICTED}') then 'restricted'
        when regexp_matches(rights_uri, '{_OPEN}') then 'open'
        when regexp_matches(rights_uri, 'rightsstatements\.org/(vocab|page)/') then 'unknown'
    end
"""
_GARBLED = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFD}]|Ã[\x{80}-\x{BF}]|â€[œ\x{9D}™˜¦“”]"


def _any_column(columns: list[str] | tuple[str, ...], condition: str) -> str:
    """Records whose column (as `value`) fulfils the condition, with the column's name."""
    parts = [
        f"select record_id || ' {column}' as example from (select record_id, {column} as value from records)"
        f" where {condition}"
        for column in columns
    ]
    return " union all ".join(parts)


SUITE = of_mart(
    RECORDS, "normalise",
    known("record_id", "every later table refers to it"),
    unique("records", "record_id", "one object must not become two"),
    Nothing(
        "record_id is <archive>:<native_id>", "people look an object up in the archive by it", CRITICAL,
        """
        select record_id as example from records
        where record_id is distinct from archive || ':' || native_id
        """,
    ),
    known("queries", "a record is there because a search found it"),
    known("rights_class", "a picture without one would slip through a filter on rights"),
    one_of("rights_class", RIGHTS_CLASSES, "filters and exports know these four"),
    Nothing(
        "open records name their licence", "unknown rights are never open", CRITICAL,
        "select record_id as example from records where rights_class = 'open' and rights_uri is null",
    ),
    Nothing(
        "no licence with NC or ND, and no InC statement, is open",
        "such a picture must not leave by accident",
        CRITICAL,
        """
        select record_id || ' ' || rights_uri as example from records
        where rights_class = 'open' and regexp_matches(rights_uri, '(?i)(/by-(nc|nd)|/by-nc-|/vocab/InC)')
        """,
    ),
    Nothing(
        "rights_class is that of its statement",
        "people filter by the one and read the other; an archive's word may only make it stricter",
        CRITICAL,
        f"""
        with stated as (
            select record_id, rights_class, rights_uri, {_CLASS_OF_STATEMENT} as said from records
        )
        select concat_ws(' ', record_id, rights_class, rights_uri) as example from stated
        where rights_class in ('open', 'noncommercial', 'unknown', 'restricted') and rights_class <> said
            and not (said = 'unknown' and rights_class = 'restricted')
        """,
    ),
    Nothing(
        "year is the year of date_start", "filters use year, plots use date_start", CRITICAL,
        """
        select concat_ws(' ', record_id, coalesce(year::varchar, 'no year'), date_start) as example
        from records where year is distinct from date_part('year', date_start)
        """,
    ),
    Nothing(
        "date_end is not before date_start", "a range that ends before it begins was misread", CRITICAL,
        "select record_id as example from records where date_end < date_start",
    ),
    Nothing(
        "a date has a beginning and an end", "a filter on time asks for both", CRITICAL,
        "select record_id as example from records where (date_start is null) <> (date_end is null)",
    ),
    Nothing(
        "no date is earlier than one believes", "a misread number, or a date of what is shown", WARNING,
        "select record_id || ' ' || date_start as example from records where year < $1",
        Limit("earliest_year", 1000, -5000, 3000),
    ),
    Nothing(
        "no date is in the future", "a misread date, or a catalogue's mistake", WARNING,
        "select record_id || ' ' || date_start as example from records where date_start > current_date",
    ),
    Nothing(
        "1 January 1970 is what the archive wrote",
        "it is what a broken clock or an empty number turns into",
        WARNING,
        """
        select record_id || ' from ' || coalesce(date_raw, 'NULL') as example from records
        where date_start = date '1970-01-01' and coalesce(date_raw, '') not like '%70%'
        """,
    ),
    Nothing(
        "unknown text is NULL",
        "'' and 'None' look like values to every program that comes after",
        CRITICAL,
        _any_column(_TEXTS, "trim(value) in ('', 'None', 'none', 'null', 'NULL', 'nan', 'NaN')"),
    ),
    Nothing(
        "lists are sorted and distinct", "so that two runs give the same bytes", CRITICAL,
        _any_column(_LISTS, "value <> list_sort(list_distinct(value))"),
    ),
    Nothing(
        "text is in Unicode's NFC", "the same word in two spellings is not found by a search", CRITICAL,
        _any_column(_PROSE, "value <> nfc_normalize(value)"),
    ),
    Nothing(
        "text is free of HTML", "markup and entities end up in captions, and models learn them", WARNING,
        _any_column(_PROSE, f"regexp_matches(value, '{_HTML}')"),
    ),
    Nothing(
        "text is not garbled", "letters read in a wrong encoding, or control characters", WARNING,
        _any_column(_PROSE, f"regexp_matches(value, '{_GARBLED}')"),
    ),
    Nothing(
        "no picture stands for too many records",
        "an address that so many records share is a placeholder, not their picture",
        WARNING,
        """
        select image_url || ': ' || count(*) || ' records' as example from records
        where image_url is not null group by image_url having count(*) > $1
        """,
        Limit("records_of_one_picture", 50, 1, 1e9),
    ),
    Nothing(
        "no caption stands for too many records", "boilerplate is no description of a picture", WARNING,
        """
        select left(caption, 80) || ': ' || count(*) || ' records' as example from records
        where caption is not null
        group by caption having count(*) > greatest($1 * (select count(*) from records), 20)
        """,
        Limit("records_of_one_caption", 0.05),
    ),
    matching(
        "rights_uri", r"^https?://(?:creativecommons\.org|rightsstatements\.org|www\.europeana\.eu)/",
        "rights_uri is a known statement", "filters and licences' own pages go by the URI", WARNING,
    ),
    known("harvested_at", "without it nobody knows how old the record is", WARNING),
    Nothing(
        "language is an ISO 639-1 code", "tokenisers are chosen by it", WARNING,
        f"""
        select record_id || ' ' || language as example from records
        where language not in (select unnest(string_split('{_LANGUAGES}', ' ')))
        """,
    ),
    matching(
        "image_url", r"^https?://\S+$", "image_url can be fetched",
        "anything else only fails later", WARNING,
    ),
    matching(
        "landing_url", r"^https?://\S+$", "landing_url can be followed", "it is the link back", WARNING,
    ),
    filled("title", 0.8, "an object without a title is hard to find and to caption"),
    filled("year", 0.5, "undated objects are left out of every filter on time"),
    filled("provider", 0.8, "the institution is owed its name"),
    filled("rights_uri", 0.8, "what has no rights statement cannot be exported"),
    filled("image_url", 0.5, "an object without a picture never becomes a sample"),
)
