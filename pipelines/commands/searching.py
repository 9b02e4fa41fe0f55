"""Commands that find."""

from pathlib import Path
from typing import Any

import click

from pipelines.commands._shared import Number, Session, as_json, command, path_type, show, which_model


@command('glamlake search "a ship in harbour" --where "year between 1939 and 1945"')
@click.argument("texts", nargs=-1, metavar='["TEXT"]...')
@click.option("--image", "images", multiple=True, metavar="PATH|URL|SAMPLE_ID", help="Search by a picture.")
@click.option("--not", "negative", multiple=True, metavar="TEXT", help="Away from these words.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--weight", type=Number(0, 1), default=0.5, show_default=True,
              help="Of the words, where pictures are given too; 0.5 is half.")
@click.option("--template", "templates", multiple=True, metavar="TEXT",
              help='Around the words: "a map of {}"; without {}, after them: "map".')
@click.option("--hybrid", is_flag=True, help="Also by the catalogue's titles, descriptions and labels.")
@click.option("--diversity", type=Number(0, 1), default=0.0, show_default=True,
              help="How much to avoid pictures like those before.")
@click.option("--collapse/--no-collapse", default=True, show_default=True,
              help="Whether near-duplicates are one result.")
@click.option("--exact", is_flag=True, help="Compare every vector; slow in a large lake, and complete.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Results passed over.")
@click.option("--sheet", type=path_type, metavar="FILE", help="Write the pictures found as one PNG.")
@which_model
@as_json
@click.pass_obj
def search(session: Session, /, as_json: bool, sheet: Path | None, **options: Any) -> None:
    """Search by words, by a picture, or by both."""
    from pipelines import finding

    asked = finding.Asked(**options)
    rows = finding.search_rows(session.lake(), asked)
    if sheet is not None:
        finding.save_sheet(session.lake(), asked, rows, sheet)
    show(rows if as_json else [finding.brief(row) for row in rows], as_json)


COMMANDS = (search,)
