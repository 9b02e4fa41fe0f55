"""Samples: one distinct picture, with its labels, rights and split."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Finding,
    Limit,
    Nothing,
    Scene,
    filled,
    known,
    matching,
    of_mart,
    one_of,
    unique,
)
from checks.splits import asked_of_split
from lake.catalog import ask
from lake.tables import RIGHTS_CLASSES, SAMPLES, SPLITS

_RECORDS_OF_SAMPLES = "(select sample_id, rights_class, unnest(record_ids) as record_id from samples)"
_STRICTNESS = "list_position(['open', 'noncommercial', 'unknown', 'restricted'], {})"
_TEXTS = ("caption", "title", "description", "attribution", "label")
_EMPTY = " or ".join(f"trim({column}) in ('', 'None', 'null', 'NULL', 'nan', 'NaN')" for column in _TEXTS)
_USUAL_VAL_SPLIT = 0.35     # what `curate` takes where it is not told
_VAL_SHARE_OFF = Limit("val_share_off", 0.1)


def _far_from_the_split_asked_for(scene: Scene) -> Finding:
    """Whether the share of val is further off than allowed and than chance makes it in so few pictures."""
    counts = ask(scene.con, """
        select count(*) filter (split = 'val') as n_val, count(*) filter (split <> 'test_ood') as n
        from samples
    """).to_pylist()[0]
    asked, n = asked_of_split(scene.lake).get("val_split", _USUAL_VAL_SPLIT), counts["n"]
    if not n:
        return Finding(0)
    share, chance = counts["n_val"] / n, 2 / n ** 0.5
    is_far = abs(share - asked) > scene.thresholds["samples.val_share_off"] + chance
    return Finding.of([f"{share:.1%} of {n:,} are in val, {asked:.1%} were asked for"] if is_far else [])


SUITE = of_mart(
    SAMPLES, "curate",
    known("sample_id", "vectors and exports refer to it"),
    unique("samples", "sample_id", "one picture must not become two"),
    matching(
        "sample_id", r"^[0-9a-f]{16}$", "sample_id is 16 hex digits", "it is part of file names and URLs",
    ),
    known("sha256", "it names the picture"),
    unique("samples", "sha256", "the same bytes are the same picture"),
    known("path", "a sample is a picture that can be opened"),
    known("cluster_id", "near-duplicates are kept together by it"),
    known("split", "a sample without one is trained on or tested by accident"),
    one_of("split", SPLITS, "training and evaluation know these four"),
    known("rights_class", "exports choose by it"),
    one_of("rights_class", RIGHTS_CLASSES, "filters and exports know these four"),
    Nothing(
        "no cluster lies in two splits",
        "a near-copy of a training picture in a test makes the test worthless",
        CRITICAL, "select cluster_id as example from samples group by 1 having count(distinct split) > 1",
    ),
    Nothing(
        "every sample's picture is an ok image",
        "its bytes were never fetched, or its row was lost",
        CRITICAL,
        """
        select sample_id as example from samples
        where not exists (
            from images
            where status = 'ok' and images.sha256 = samples.sha256 and images.path = samples.path
        )
        """,
    ),
    Nothing(
        "every sample has a record", "a picture nobody can look up", CRITICAL,
        "select sample_id as example from samples where coalesce(len(record_ids), 0) = 0",
    ),
    Nothing(
        "the records of every sample exist",
        "its title, date and rights would come from nowhere",
        CRITICAL,
        f"""
        select distinct sample_id as example from {_RECORDS_OF_SAMPLES}
        where record_id not in (select record_id from records)
        """,
    ),
    Nothing(
        "no sample is freer than its records",
        "rights are the strictest of a picture's records",
        CRITICAL,
        f"""
        select distinct sample_id || ' ' || s.rights_class as example from {_RECORDS_OF_SAMPLES} as s
        join records using (record_id)
        where {_STRICTNESS.format('s.rights_class')} < {_STRICTNESS.format('records.rights_class')}
        """,
    ),
    Nothing(
        "a picture whose licence asks for credit names whom to credit",
        "without the line, whoever shows it breaks the licence",
        CRITICAL,
        f"""
        select distinct sample_id as example from samples
        semi join (
            select s.sample_id from {_RECORDS_OF_SAMPLES} as s join records using (record_id)
            where contains(rights_uri, '/licenses/by')
        ) as asking using (sample_id)
        where attribution is null
        """,
    ),
    Nothing(
        "unknown text is NULL",
        "'' and 'None' look like values to every program that comes after",
        CRITICAL,
        f"select sample_id as example from samples where {_EMPTY}",
    ),
    Nothing(
        "the primary label is one of the labels",
        "two tables of labels would contradict each other",
        CRITICAL,
        "select sample_id as example from samples where not list_contains(coalesce(labels, []), label)",
    ),
    Nothing(
        "lists are sorted and distinct", "so that two runs give the same bytes", CRITICAL,
        """
        select sample_id as example from samples
        where record_ids <> list_sort(list_distinct(record_ids))
           or archives <> list_sort(list_distinct(archives)) or labels <> list_sort(list_distinct(labels))
        """,
    ),
    Nothing(
        "a sample's archives are those of its records", "credit and filters go by them", CRITICAL,
        f"""
        with found as (
            select sample_id, list_sort(list(distinct archive)) as archives
            from {_RECORDS_OF_SAMPLES} join records using (record_id) group by sample_id
        )
        select sample_id as example from samples join found using (sample_id)
        where samples.archives <> found.archives
        """,
    ),
    Nothing(
        "a sample's year is that of one of its records", "filters on time would find the wrong pictures",
        CRITICAL,
        """
        with found as (
            select sample_id, list(records.year) as years
            from (select sample_id, unnest(record_ids) as record_id from samples where year is not null)
            join records using (record_id) group by sample_id
        )
        select sample_id || ' ' || year as example from samples join found using (sample_id)
        where not list_contains(years, year)
        """,
    ),
    Nothing(
        "train and val both have samples", "without one nothing is learnt, without the other not judged",
        WARNING,
        """
        select part as example from (values ('train'), ('val')) as parts(part)
        where part not in (select split from samples where split is not null)
            and (select count(*) from samples) >= 20
        """,
    ),
    Nothing(
        "the share of val is about what was asked for",
        "a split that went wrong shows here first; see reports/splits.json",
        WARNING, _far_from_the_split_asked_for, _VAL_SHARE_OFF,
    ),
    Nothing(
        "no frequent label lies on one side only",
        "what is only in val cannot be learnt, what is only in train is never judged",
        WARNING,
        """
        select label || ': ' || n_train || ' train, ' || n_val || ' val' as example
        from (
            select
                label,
                count(*) filter (split = 'train') as n_train,
                count(*) filter (split = 'val') as n_val
            from (select split, unnest(labels) as label from samples)
            group by label
        )
        where n_train + n_val >= $1 and least(n_train, n_val) = 0
            and (select count(distinct split) from samples where split in ('train', 'val')) = 2
        """,
        Limit("frequent_label", 50, 2, 1e9),
    ),
    filled("label", 0.8, "a sample without a label is of no use to a classifier"),
    filled("caption", 0.8, "a sample without a caption is of no use to a vision-language model"),
    filled("year", 0.5, "undated pictures are left out of every filter on time"),
    filled("attribution", 0.8, "whoever shows a picture owes its holder a name"),
)
