"""Record labels: which label a record bears, and where that came from."""

from checks.expectations import CRITICAL, Nothing, between, known, of_mart, one_of
from lake.tables import FACETS, RECORD_LABELS

_SOURCES = ("query", "subject", "concept", "catalogue", "model")

SUITE = of_mart(
    RECORD_LABELS, "normalise",
    known("record_id", "a label is a record's"),
    known("label", "the row says nothing without it"),
    known("source", "a label of unknown origin cannot be weighed"),
    one_of("source", _SOURCES, "the five places a label may come from"),
    one_of("facet", FACETS, "the five facets a label may be of"),
    between("confidence", 0, 1, "it is a probability"),
    Nothing(
        "every labelled record exists", "a label of nothing", CRITICAL,
        """
        select distinct record_id as example from record_labels
        where record_id not in (select record_id from records)
        """,
    ),
    Nothing(
        "a record's labels are those of its rows here", "records.labels is only their summary", CRITICAL,
        """
        with summary as (
            select record_id, list_sort(list(distinct label)) as labels from record_labels
            group by record_id
        )
        select record_id as example from records left join summary using (record_id)
        where coalesce(records.labels, []) <> coalesce(summary.labels, [])
        """,
    ),
    Nothing(
        "a label is a word", "an empty label would be a class of its own", CRITICAL,
        "select record_id || ' ' || label as example from record_labels where trim(label) = ''",
    ),
    Nothing(
        "a path ends at its label", "the tree of labels is made of paths", CRITICAL,
        """
        select record_id || ' ' || label as example from record_labels
        where len(path) > 0 and path[-1] is distinct from label
        """,
    ),
    Nothing(
        "no label is given twice with the same origin and path", "it would count double", CRITICAL,
        """
        select record_id || ' ' || label as example from record_labels
        group by record_id, label, source, source_value, facet, path having count(*) > 1
        """,
    ),
)
