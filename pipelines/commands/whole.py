"""Commands that are the whole flow at once."""

import os
from typing import Any

import click

from pipelines.commands._shared import Session, command
from pipelines.commands.curating import curating
from pipelines.commands.embedding import encoding
from pipelines.commands.fetching import fetching
from pipelines.commands.harvesting import asking, undated


@command("glamlake run sa_kuva --query lentokone --limit 100")
@asking
@undated
@fetching
@curating
@encoding
@click.pass_obj
def run(session: Session, /, **options: Any) -> None:
    """Every stage in order: harvest, normalise, fetch, curate, embed, export, check."""
    from lake.ledger import ledger
    from pipelines import plan, run

    asks = run.run_plan(os.environ, options)
    lake = session.lake(create=True)
    reports = run.run(lake, asks)
    from checks.report import run_checks  # seconds; not before they are due

    checked = run_checks(lake)
    click.echo(ledger(lake).text())
    n_failed = len(checked.failed_critical)
    click.echo(f"data quality: {n_failed} critical failures; report: {checked.page}", err=True)
    plan.raise_on_failed(reports)


@command("glamlake demo")
@click.option("--seconds", type=click.IntRange(1), default=75, show_default=True, help="Time to train.")
@click.pass_obj
def demo(session: Session, seconds: int) -> None:
    """The whole flow on a built-in archive of drawn pictures: no network, no key."""
    lake = session.lake(create=True)
    from lake.ledger import ledger
    from pipelines.demo import show

    shown = show.show(lake, seconds)
    from checks.report import run_checks  # seconds; not before they are due

    checked = run_checks(lake)
    click.echo(f"\n{ledger(lake).text()}\n\n{shown.as_text()}\n")
    click.echo(f"report         {checked.page}\nsearch page    glamlake --lake {lake.root} serve")


COMMANDS = (run, demo,)
