"""Commands that tell how the lake is."""

import click

from lake.errors import CheckFailed
from pipelines.commands._shared import Session, as_json, command, say


@command("glamlake check")
@as_json
@click.pass_obj
def check(session: Session, as_json: bool) -> None:
    """Check the data, write the report; exit status 1 where a critical expectation fails."""
    from checks.report import run_checks

    report = run_checks(session.lake())
    say(report, as_json)
    click.echo(f"report: {report.page}", err=True)
    if report.failed_critical:
        raise CheckFailed(f"{len(report.failed_critical)} critical expectations fail; read {report.page}")


@command("glamlake status")
@as_json
@click.pass_obj
def status(session: Session, as_json: bool) -> None:
    """The ledger: what came in, where it is now, and whether it adds up."""
    from lake.ledger import ledger

    say(ledger(session.lake()), as_json)


COMMANDS = (check, status,)
