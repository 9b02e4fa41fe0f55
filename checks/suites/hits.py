"""Hits: what the archives answered, verbatim."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Nothing,
    Suite,
    always,
    as_agreed,
    known,
    matching,
)
from lake.tables import RAW_HITS

# What may stand where a key was: words for "cut out", and Europeana's public demonstration key.
_NO_SECRETS = "'', 'REDACTED', 'KEY', 'api2demo'"
_KEY_PLACES = (
    r"(?i)[?&]wskey=([^&\"\\\s]*)",
    r"(?i)[?&]api_?key=([^&\"\\\s]*)",
    r"europeana\.eu\\?/api\\?/([^/\"\\]*)\\?/redirect",
)
_HAS_SECRET = " or ".join(
    f"regexp_extract(payload, '{place}', 1) not in ({_NO_SECRETS})" for place in _KEY_PLACES
)

SUITE = Suite(
    table="hits",
    view="raw_hits",
    not_yet=always,
    expectations=(
        as_agreed(RAW_HITS, "raw_hits"),
        known("hit_id", "the ledger counts hits by it"),
        matching(
            "hit_id", r"^[0-9a-f]{16}$", "hit_id is 16 hex digits", "other tables refer to it in this form",
        ),
        known("query", "a hit is an answer to a search"),
        known("fetched_at", "the newest row of a hit counts"),
        known("payload", "the item as it was sent is what everything else is made from"),
        known("native_id", "a hit without the archive's id can only be rejected", WARNING),
        Nothing(
            "hit_id stands for one archive, search and native_id",
            "two objects under one key would become one record", CRITICAL,
            """
            select hit_id as example from raw_hits where native_id is not null
            group by hit_id having count(distinct (archive, query, native_id)) > 1
            """,
        ),
        Nothing(
            "an archive, search and native_id have one hit_id",
            "one object under two keys would be counted twice", CRITICAL,
            """
            select archive || ' ' || native_id as example from raw_hits where native_id is not null
            group by archive, query, native_id having count(distinct hit_id) > 1
            """,
        ),
        Nothing(
            "every hit belongs to a slice of a harvest",
            "without its slice nobody knows whether all that was announced came", CRITICAL,
            """
            select hit_id as example from raw_hits
            anti join (select distinct archive, query from raw_harvests) using (archive, query)
            """,
        ),
        Nothing(
            "payload is JSON", "what cannot be read can only be rejected", WARNING,
            "select hit_id as example from raw_hits where not json_valid(payload)",
        ),
        Nothing(
            "no payload carries an API key",
            "keys never reach a file; some services echo the caller's",
            CRITICAL,
            f"select hit_id as example from raw_hits where {_HAS_SECRET}",
        ),
        Nothing(
            "fetched_at is not in the future", "a wrong clock makes an old answer the newest", WARNING,
            "select hit_id as example from raw_hits where fetched_at > now() + interval 1 day",
        ),
    ),
)
