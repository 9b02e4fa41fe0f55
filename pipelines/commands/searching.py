"""Commands that find."""

from typing import Any

import click

from pipelines.commands._shared import Session, as_json, command, show, which_model


@command('glamlake search "a ship in harbour" --where "year between 1939 and 1945"')
@click.argument("texts", nargs=-1, metavar='["TEXT"]...')
@click.option("--image", "images", multiple=True, metavar="PATH|URL|SAMPLE_ID", help="Search by a picture.")
@click.option("--not", "negative", multiple=True, metavar="TEXT", help="Away from these words.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--weight", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Of the words, where pictures are given too.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@which_model
@as_json
@click.pass_obj
def search(session: Session, /, as_json: bool, **asked: Any) -> None:
    """Search by words, by a picture, or by both."""
    from pipelines import finding

    rows = finding.search_rows(session.lake(), finding.Asked(**asked))
    show(rows if as_json else [finding.brief(row) for row in rows], as_json)


COMMANDS = (search,)
