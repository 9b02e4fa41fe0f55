"""Labels: one canonical label with its samples."""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Limit,
    Nothing,
    known,
    of_mart,
    one_of,
    unique,
)
from lake.tables import LABELS, TIERS

SUITE = of_mart(
    LABELS, "curate",
    known("label", "the key"),
    unique("labels", "label", "a label must be counted once"),
    one_of("tier", TIERS, "plots and sampling know these three"),
    Nothing(
        "n_samples is the number of samples that bear the label", "classes are weighed by it", CRITICAL,
        """
        with counted as (select unnest(labels) as label, count(*) as n from samples group by 1)
        select label || ': ' || n_samples || ' said, ' || coalesce(n, 0) || ' found' as example
        from labels left join counted using (label) where n_samples is distinct from coalesce(n, 0)
        """,
    ),
    Nothing(
        "every label of a sample is in the table",
        "it would be missing from every plot and class list",
        CRITICAL,
        """
        select distinct label as example from (select unnest(labels) as label from samples)
        where label not in (select label from labels)
        """,
    ),
    Nothing(
        "n_train and n_val are the numbers of samples in these splits", "training weighs classes by them",
        CRITICAL,
        """
        with counted as (
            select
                label, count(*) filter (split = 'train') as train, count(*) filter (split = 'val') as val
            from (select split, unnest(labels) as label from samples) group by label
        )
        select concat_ws(' ', label || ':', n_train, n_val, 'said,', train, val, 'found') as example
        from labels left join counted using (label)
        where n_train is distinct from coalesce(train, 0) or n_val is distinct from coalesce(val, 0)
        """,
    ),
    Nothing(
        "every label has samples enough", "a class without an example cannot be learnt", WARNING,
        "select label || ': ' || n_samples as example from labels where coalesce(n_samples, 0) < $1",
        Limit("samples_of_a_label", 1, 0, 1e9),
    ),
    Nothing(
        "no tier has a label rarer than the next tier's", "head, torso and tail go by training samples",
        WARNING,
        """
        with tiers as (
            select
                list_position(['head', 'torso', 'tail'], tier) as place, tier,
                min(n_train) as least, max(n_train) as most
            from labels group by tier
        )
        select upper.tier || ': ' || upper.least || ', ' || lower.tier || ': ' || lower.most as example
        from tiers as upper join tiers as lower on lower.place > upper.place
        where upper.least < lower.most
        """,
    ),
    Nothing(
        "train and val together are not more than the samples", "a sample is in one split only", CRITICAL,
        "select label as example from labels where n_train + n_val > n_samples",
    ),
)
