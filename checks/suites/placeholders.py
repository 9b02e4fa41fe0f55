"""Placeholders: files that an archive answers with where it has no picture."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Limit,
    Nothing,
    between,
    known,
    of_mart,
    one_of,
)
from lake.tables import PLACEHOLDERS

_EVIDENCE = ("many_urls", "plain")

SUITE = of_mart(
    PLACEHOLDERS, "curate",
    known("sha256", "it names the file"),
    known("archive", "a file is a placeholder of an archive"),
    known("evidence", "a picture is not left out without a reason"),
    one_of("evidence", _EVIDENCE, "the two kinds of evidence"),
    between("n_urls", 2, 1e12, "one address alone is no evidence"),
    Nothing(
        "a file is an archive's placeholder once", "it would be counted twice", CRITICAL,
        """
        select archive || ' ' || sha256 as example from placeholders
        group by archive, sha256 having count(*) > 1
        """,
    ),
    Nothing(
        "every placeholder was fetched", "the evidence is about a file that is not there", CRITICAL,
        """
        select sha256 as example from placeholders
        where sha256 not in (select sha256 from raw_images where sha256 is not null)
        """,
    ),
    Nothing(
        "no placeholder is a sample", "“image not available” would be learnt as a picture", CRITICAL,
        "select sample_id as example from samples where sha256 in (select sha256 from placeholders)",
    ),
    Nothing(
        "no archive has too many of its pictures called placeholders",
        "either it has none to give, or a good picture was taken for one",
        WARNING,
        """
        with fetched as (
            select
                archive, count(*) as n, count(*) filter (is_placeholder) as n_placeholders
            from records join images using (image_url)
            where images.sha256 is not null group by archive
        )
        select archive || ': ' || n_placeholders || ' of ' || n as example from fetched
        where n_placeholders > n * $1 and n >= 20
        """,
        Limit("share_of_an_archive", 0.3),
    ),
)
