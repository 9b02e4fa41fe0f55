"""Duplicates: pictures that are another copy of a sample, with the evidence."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Limit,
    Nothing,
    Suite,
    as_agreed,
    between,
    known,
    made_by,
    one_of,
)
from lake.tables import DUPLICATES

_RELATIONS = ("same_bytes", "same_pixels", "near")

SUITE = Suite(
    table="duplicates",
    view="duplicates",
    not_yet=made_by("curate", "duplicates"),
    expectations=(
        as_agreed(DUPLICATES, "duplicates"),
        known("sha256", "it names the copy"),
        known("sample_id", "a duplicate is one of something"),
        known("relation", "the evidence"),
        one_of("relation", _RELATIONS, "the three kinds of evidence"),
        between("distance", 0, 64, "bits that differ between two hashes of 64"),
        Nothing(
            "every duplicate belongs to a sample", "its picture would be in no data set at all", CRITICAL,
            "select sha256 as example from duplicates where sample_id not in (select sample_id from samples)",
        ),
        Nothing(
            "a duplicate is in the cluster of its sample", "the split goes by cluster", CRITICAL,
            """
            select d.sha256 as example from duplicates d join samples s using (sample_id)
            where d.cluster_id is distinct from s.cluster_id
            """,
        ),
        Nothing(
            "the same bytes are called same_bytes",
            "another name would mean that the hashes were not compared",
            CRITICAL,
            """
            select d.sha256 as example from duplicates d join samples s using (sample_id)
            where (d.sha256 = s.sha256) <> (d.relation = 'same_bytes')
            """,
        ),
        Nothing(
            "what is the same has no distance", "the evidence would contradict itself", CRITICAL,
            """
            select sha256 || ' ' || relation || ' ' || distance as example from duplicates
            where relation in ('same_bytes', 'same_pixels') and distance <> 0
            """,
        ),
        Nothing(
            "no sample has too many copies",
            "a blank page or a placeholder swallows pictures that are not alike",
            WARNING,
            """
            select sample_id || ': ' || count(*) || ' copies' as example from duplicates
            group by sample_id having count(*) > $1
            """,
            Limit("copies_of_one_sample", 200, 1, 1e9),
        ),
    ),
)
