"""Commands that tell how the lake is."""

from typing import Any

import click

from lake import Lake
from lake.errors import CheckFailed, EmptyLake
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
    """The ledger, and how complete, how fresh and how large the lake is.

    What came in, where it is now, whether it adds up; completeness per archive, failures by reason, which
    stage is behind, coverage by models, disk use.
    """
    from lake.status import status

    say(status(session.lake()), as_json)


@command("glamlake report")
@click.option("--skip-checks", is_flag=True, help="Show only the history of the checks, which take longest.")
@click.pass_obj
def report(session: Session, skip_checks: bool) -> None:
    """One static site for people, to read offline or to print: plots, data quality, ledger, status."""
    from pipelines.report import write_report

    lake = session.lake()
    click.echo(write_report(lake, None if skip_checks else _checked(lake)))


def _checked(lake: Lake) -> dict[str, Any]:
    from checks.report import run_checks  # Great Expectations: seconds to import, and not always wanted

    return run_checks(lake).as_dict()


@command("glamlake drift 20260102 20260301 --json")
@click.argument("before", required=False)
@click.argument("after", required=False)
@as_json
@click.pass_obj
def drift(session: Session, before: str | None, after: str | None, as_json: bool) -> None:
    """What changed in the records between two runs of the checks: fill rates, years, labels, providers.

    BEFORE and AFTER are the beginnings of run ids, such as a day; without them the newest run is compared
    with the last one whose records were others.
    """
    from checks.drift import drift

    found = drift(session.lake(), before, after)
    if found is None:
        raise EmptyLake("no two runs of the checks had different records; `glamlake check` makes one")
    say(found, as_json)


COMMANDS = (check, status, report, drift)
