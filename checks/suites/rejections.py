"""Rejections: the hits that did not become part of a record, and why."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Limit,
    Nothing,
    known,
    matching,
    of_mart,
    unique,
)
from lake.tables import REJECTIONS

SUITE = of_mart(
    REJECTIONS, "normalise",
    known("hit_id", "a rejection is of a hit"),
    unique("rejections", "hit_id", "one row per hit: the first rule that rejected it"),
    known("rule", "nothing is dropped without a reason"),
    matching("rule", r"^[a-z][a-z0-9_]*$", "rule is a short snake_case name", "people count by it"),
    Nothing(
        "every rejection is of a hit in the lake",
        "a rejection of nothing hides a hit that was lost",
        CRITICAL,
        "select hit_id as example from rejections where hit_id not in (select hit_id from raw_hits)",
    ),
    Nothing(
        "no archive has too many of its hits rejected",
        "a rule that is too strict, or a changed service",
        WARNING,
        """
        with asked as (select archive, count(distinct hit_id) as n from raw_hits group by archive),
        rejected as (select archive, count(*) as n from rejections group by archive)
        select archive || ': ' || rejected.n || ' of ' || asked.n as example
        from asked join rejected using (archive) where rejected.n > asked.n * $1
        """,
        Limit("rejected_share", 0.5),
    ),
)
