"""Commands that make samples of records and pictures."""

from typing import Any
from unicodedata import normalize

import click

from pipelines.commands._shared import Number, Session, command, group_of, show_counts


def how_many_or_who(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> object:
    # records are NFC; some keyboards and shells give letters and accents apart
    given = tuple(normalize("NFC", name).strip() for name in given)
    is_number = len(given) == 1 and given[0].isascii() and given[0].isdigit()
    return int(given[0]) if is_number else given or 0


curating = group_of(
    click.option("--val-split", type=Number(0, 0.9), default=0.35, show_default=True,
                 help="Share of the samples kept for validation."),
    click.option("--test-split", type=Number(0, 0.9), default=0.0, show_default=True,
                 help="Share kept apart as test_id."),
    click.option("--seed", type=int, default=42, show_default=True, help="Another seed, another split."),
    click.option("--ood-providers", multiple=True, metavar="N|NAME", callback=how_many_or_who,
                 help="Whole providers kept apart as test_ood: how many, or by name (repeat it)."),
    click.option("--near-distance", type=click.IntRange(0, 8), default=4, show_default=True, metavar="BITS",
                 help="How many of 64 bits the hashes of near pictures may differ in."),
    click.option("--near-by-embedding", type=Number(0, 1), is_flag=False, flag_value=0.05,
                 metavar="[DISTANCE]",
                 help="Also compare embeddings, where there are any: 1 - cosine up to this; alone, 0.05."),
    click.option("--tiers", type=click.Choice(["pareto", "counts"]), default="pareto", show_default=True,
                 help="Head, torso and tail: by shares, or by numbers of training samples."),
    click.option("--head-from", type=click.IntRange(1), default=100, show_default=True,
                 help="With --tiers counts: the head begins here."),
    click.option("--tail-below", type=click.IntRange(1), default=20, show_default=True,
                 help="With --tiers counts: the tail is below."),
    click.option("--with-annotations", is_flag=True,
                 help="Take in labels of models that somebody accepted (see `annotate`); train split only."),
)


@command("glamlake curate --val-split 0.2")
@curating
@click.pass_obj
def curate(session: Session, /, **options: Any) -> None:
    """Find duplicates, make samples, split them."""
    from pipelines import archives, transform

    lake = session.lake()
    show_counts(transform.curate(lake, transform.CurateOptions(**options), archives.archive_names()))


COMMANDS = (curate,)
