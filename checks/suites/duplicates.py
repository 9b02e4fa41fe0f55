"""Duplicates: pictures that are another copy of a sample, with the evidence."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Finding,
    Limit,
    Nothing,
    Scene,
    between,
    known,
    of_mart,
    one_of,
)
from checks.splits import asked_of_split
from lake.catalog import ask
from lake.tables import DUPLICATES

_RELATIONS = ("same_bytes", "same_pixels", "near")
_BY_ONE_EDGE = ("whole", "border", "crop")      # the kinds of evidence that the limit of one edge is for


def _beyond(scene: Scene) -> Finding:
    """Copies further from their sample than one edge may be, where both numbers are there."""
    limit = asked_of_split(scene.lake).get("near_distance")
    if limit is None or not _has(scene, "evidence"):
        return Finding(0)
    found = ask(scene.con, """
        select sha256 || ' ' || evidence || ' ' || distance as example from duplicates
        where evidence in (select unnest(?)) and distance > ? order by 1
    """, [list(_BY_ONE_EDGE), limit])
    return Finding.of(found["example"].to_pylist())


def _turned_impossibly(scene: Scene) -> Finding:
    if not _has(scene, "orientation"):
        return Finding(0)
    found = ask(scene.con, """
        select sha256 || ' ' || coalesce(orientation::varchar, 'NULL') as example from duplicates
        where coalesce(orientation, 0) not between 1 and 8 order by 1
    """)
    return Finding.of(found["example"].to_pylist())


def _has(scene: Scene, column: str) -> bool:
    return column in ask(scene.con, "select * from duplicates limit 0").column_names


SUITE = of_mart(
    DUPLICATES, "curate",
    known("sha256", "it names the copy"),
    known("sample_id", "a duplicate is one of something"),
    known("relation", "the evidence"),
    one_of("relation", _RELATIONS, "the three kinds of evidence"),
    between("distance", 0, 64, "bits that differ between two hashes of 64"),
    Nothing(
        "no copy is further from its sample than one edge may be",
        "pictures that are not alike would be taken for one", CRITICAL, _beyond,
    ),
    Nothing(
        "orientations are 1 to 8", "EXIF knows eight; search and plots turn pictures by them", CRITICAL,
        _turned_impossibly,
    ),
    Nothing(
        "no picture is a duplicate of itself twice", "the ledger would count it twice", CRITICAL,
        """
        select sha256 || ' ' || image_url as example from duplicates where image_url is not null
        group by sha256, image_url having count(*) > 1
        """,
    ),
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
)
