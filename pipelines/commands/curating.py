"""Commands that make samples of records and pictures."""

from typing import Any

import click

from pipelines.commands._shared import Session, command, group_of, show_counts


def how_many_or_who(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> object:
    return given if given and not (len(given) == 1 and given[0].isdigit()) else int(*given)


curating = group_of(
    click.option("--val-split", type=click.FloatRange(0, 0.9), default=0.35, show_default=True,
                 help="Share of the samples kept for validation."),
    click.option("--test-split", type=click.FloatRange(0, 0.9), default=0.0, show_default=True,
                 help="Share kept apart as test_id."),
    click.option("--seed", type=int, default=42, show_default=True, help="Another seed, another split."),
    click.option("--ood-providers", multiple=True, metavar="N|NAME", callback=how_many_or_who,
                 help="Whole providers kept apart as test_ood: how many, or by name (repeat it)."),
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
