"""Sheets of pictures: what head, torso and tail look like, and what was taken for a copy of what."""

from collections.abc import Iterator, Sequence
from typing import Any

from lake import Lake
from lake.catalog import Connection, ask
from lake.tables import TIERS
from pipelines.contact_sheet import contact_sheet
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._style import count

_COLUMNS = 6
_LABELS, _OF_EACH = 8, 3
_PAIRS = 9
_OF_TIER = f"""
    with

    chosen as (    -- from the most frequent to the rarest, evenly
        select
            label, n_samples, row_number() over (order by n_samples desc, label) as place,
            count(*) over () as n
        from labels where tier = ? and n_samples > 0
        qualify (place - 1) * {_LABELS} // n <> (place - 2) * {_LABELS} // n or place = 1
    ),

    members as (
        select
            chosen.label, chosen.n_samples, samples.sample_id, samples.path, samples.title, samples.year,
            row_number() over (partition by chosen.label order by md5(samples.sample_id)) as rank
        from (select *, unnest(labels) as one from samples) as samples
        join chosen on chosen.label = samples.one
    )

    select * exclude (rank) from members
    where rank <= {_OF_EACH} order by n_samples desc, label, rank limit {_LABELS * _OF_EACH}
"""
_N_LABELS = "select count(*) as n from labels where tier = ? and n_samples > 0"
_COPIES = f"""
    with copies as (
        select
            d.sample_id, d.relation, d.distance, d.sha256, samples.path, samples.title,
            images.path as copy_path
        from duplicates as d
        join samples using (sample_id)
        join (
            select sha256, min(path) as path from images where status = 'ok' group by sha256
        ) as images on images.sha256 = d.sha256
        where d.relation <> 'same_bytes'
        qualify row_number() over (partition by d.sample_id order by d.distance desc, d.sha256) = 1
    )
    select * from copies order by relation = 'near' desc, distance desc, sample_id limit {_PAIRS}
"""
_RELATIONS = """
    select relation, count(*) as n, max(distance) as largest_distance from duplicates
    group by relation order by n desc, relation
"""


def plots(con: Connection, lake: Lake) -> Iterator[Plot]:
    """A sheet for each tier, and one of duplicates."""
    for tier in TIERS:
        yield tier_sheet(con, lake, tier)
    yield duplicates_sheet(con, lake)


def tier_sheet(con: Connection, lake: Lake, tier: str) -> Plot:
    """Some pictures of some labels of a tier, the same ones each time."""
    name = f"sheet_{tier}"
    found = ask(con, _OF_TIER, [tier]).to_pylist()
    if not found:
        return nothing(name, f"No label of the {tier} has a sample, so there is no picture to show.")
    n_labels = ask(con, _N_LABELS, [tier])["n"][0].as_py()
    shown = list(dict.fromkeys(row["label"] for row in found))
    title = f"The {tier}: {count(n_labels, 'label')}, here {len(found)} pictures of {len(shown)} of them."
    sheet = contact_sheet(lake, [(row["path"], _caption(row)) for row in found], _COLUMNS)
    rows = [(row["label"], row["n_samples"], row["sample_id"], row["title"], row["year"]) for row in found]
    alt = f"A sheet of {len(found)} pictures with the labels {', '.join(shown)}; the table names each."
    return Plot(name, title, alt, sheet, ("label", "samples", "sample_id", "title", "year"), rows)


def duplicates_sheet(con: Connection, lake: Lake) -> Plot:
    """Pairs of a sample and the copy that is furthest from it: where a mistake would show first."""
    counts = ask(con, _RELATIONS).to_pylist()
    if not counts:
        return nothing("sheet_duplicates", "No picture was found to be a copy of another.")
    finding = _copies_finding(counts)
    found = ask(con, _COPIES).to_pylist()
    if not found:
        return nothing("sheet_duplicates", f"{finding} All are the same bytes: there is nothing to compare.")
    pairs = [pair for row in found for pair in (
        (row["path"], f"sample: {row['title'] or row['sample_id']}"), (row["copy_path"], _copy_caption(row)),
    )]
    sheet = contact_sheet(lake, pairs, _COLUMNS)
    rows = [(r["sample_id"], r["sha256"], r["relation"], r["distance"], r["title"]) for r in found]
    alt = f"{count(len(found), 'pair')} of pictures: a sample, and beside it what was taken for its copy."
    return Plot("sheet_duplicates", finding, f"{alt} {finding}", sheet,
                ("sample_id", "copy_sha256", "relation", "distance", "title"), rows,
                "Left of each pair the sample, right the copy; the most distant first. "
                "The distance counts the bits of 64 in which two perceptual hashes differ.")


def _copies_finding(counts: Sequence[dict[str, Any]]) -> str:
    total = sum(row["n"] for row in counts)
    parts = ", ".join(f"{row['n']:,} {str(row['relation']).replace('_', ' ')}" for row in counts)
    return f"{count(total, 'picture is a copy', 'pictures are copies')} of a sample: {parts}."


def _caption(row: dict[str, Any]) -> str:
    year = f", {row['year']}" if row["year"] is not None else ""
    return f"{row['label']} ({row['n_samples']:,}): {row['title'] or row['sample_id']}{year}"


def _copy_caption(row: dict[str, Any]) -> str:
    if row["relation"] == "same_pixels":
        return "copy: same pixels in another file"
    return f"copy: near, {count(row['distance'] or 0, 'bit')} differ"
