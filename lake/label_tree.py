"""The labels of a lake as a table or as a tree, with what carries them."""

from typing import Any

from lake.catalog import ask, connect, require_mart
from lake.errors import UnknownThing
from lake.layout import Lake
from lake.tables import FACETS

Row = dict[str, Any]


def label_rows(lake: Lake, facet: str | None = None) -> list[Row]:
    """One row per facet and label: how many records, records sure of it, and samples carry it; most first."""
    return _asked(lake, _LABELS_SQL, facet)


def tree_rows(lake: Lake, facet: str | None = None) -> list[Row]:
    """One row per place in a hierarchy: its way from the top, and what carries it or a label below it."""
    return _asked(lake, _TREE_SQL, facet)


def tree_text(rows: list[Row]) -> str:
    """The places as an indented tree, facet by facet."""
    lines: list[str] = []
    for n, row in enumerate(rows):
        if n == 0 or row["facet"] != rows[n - 1]["facet"]:
            lines += ["", row["facet"]]
        name = "  " * len(row["path"]) + row["path"][-1]
        lines.append(f"{name:<44}{row['n_records']:>10,} records{row['n_samples']:>10,} samples")
    return "\n".join(lines).lstrip("\n")


def _asked(lake: Lake, sql: str, facet: str | None) -> list[Row]:
    if facet not in (None, *FACETS):
        raise UnknownThing(f"no facet named {facet!r}; there are: {', '.join(FACETS)}")
    require_mart(lake, "record_labels", "normalise")
    with connect(lake) as con:
        found: list[Row] = ask(con, sql, [facet]).to_pylist()
    return found


_SHOWN = """
    shown as (
        select sample_id, unnest(record_ids) as record_id from samples
    )
"""
_LABELS_SQL = f"""
    with {_SHOWN}

    select
        facet,
        label,
        count(distinct record_labels.record_id) as n_records,
        count(distinct record_labels.record_id) filter (confidence >= 0.5) as n_sure_records,
        count(distinct sample_id) as n_samples,
        list_sort(list(distinct source)) as sources,
    from record_labels
    left join shown on shown.record_id = record_labels.record_id
    where $1 is null or facet = $1
    group by facet, label
    order by n_records desc, facet, label
"""
_TREE_SQL = f"""
    with {_SHOWN},

    places as (
        select distinct facet, path, record_id, unnest(range(1, len(path) + 1)) as depth
        from record_labels
        where $1 is null or facet = $1
    )

    select
        facet,
        path[1:depth] as path,
        count(distinct places.record_id) as n_records,
        count(distinct sample_id) as n_samples,
    from places
    left join shown on shown.record_id = places.record_id
    group by facet, path[1:depth]
    order by facet, path
"""
