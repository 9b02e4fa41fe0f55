"""Commands from an archive's answers to records."""

import os
from typing import Any

import click

from pipelines.commands._shared import Session, as_json, command, group_of, path_type, show, show_counts

asking = group_of(
    click.argument("archives", nargs=-1, required=True, metavar="ARCHIVE..."),
    click.option("--query", "queries", multiple=True, metavar="Q",
                 help="A search; may be given more than once."),
    click.option("--query-file", type=path_type, metavar="F", help="Searches, one a line, UTF-8."),
    click.option("--start-date", metavar="D", help="1939, 1939-11 or 1939-11-30."),
    click.option("--end-date", metavar="D", help="As --start-date; the whole year or month counts."),
    click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N hits a search."),
    click.option("--base-url", metavar="URL", help="A mirror or replay of the service."),
    click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
                 help="A setting of the archive (see `glamlake archives`); a list's may be repeated."),
    click.option("--refresh", is_flag=True, help="Ask again what is complete already."),
)


undated = click.option("--undated", type=click.Choice(["keep", "drop"]), default="keep", show_default=True,
                       help="What becomes of records without a date.")


@command("glamlake archives")
@as_json
def archives(as_json: bool) -> None:
    """What can be harvested, which key it needs, how it pages."""
    from pipelines.archives import archive_names, load_archive

    show([load_archive(name).data_sheet() for name in archive_names()], as_json)


@command("glamlake harvest sa_kuva --query lentokone --query juna --limit 200")
@asking
@click.option("--dry-run", is_flag=True, help="Only show the slices and how much there is of each.")
@click.pass_obj
def harvest(session: Session, /, dry_run: bool, **asked: Any) -> None:
    """Ask archives for hits; without a query, the built-in vocabulary is asked.

    What is complete is not asked again. An API key comes from the environment (see `glamlake archives`), and
    so does GLAMLAKE_CONTACT, a mail or web address that the hosts are told. SOURCE_DATE_EPOCH sets the
    instant that rows are dated with, so that two harvests of the same answers are equal to the byte.
    """
    from pipelines import plan

    asks = plan.harvest_plan(os.environ, **asked)
    if dry_run:
        show(plan.dry_run_all(asks), as_json=False)
        return
    reports = plan.harvest_all(session.lake(create=True), asks)
    show([report.summary() for report in reports], as_json=False)
    plan.raise_on_failed(reports)


@command("glamlake normalise --start-date 1939 --end-date 1945 --undated drop")
@click.option("--start-date", metavar="D", help="Only what may be of this day or later: 1939, 1939-11-30.")
@click.option("--end-date", metavar="D", help="Only what may be of this day, month or year, or earlier.")
@undated
@click.pass_obj
def normalise(session: Session, start_date: str | None, end_date: str | None, undated: str) -> None:
    """Turn hits into records, and say why the others are none.

    A record's date is an interval; with a range it stays where the two overlap. What is left out stands in
    `rejections` and comes back with the next `normalise` that does not leave it out.
    """
    from pipelines import archives, queries, transform

    options = transform.NormaliseOptions(*queries.parse_date_range(start_date, end_date), undated)
    show_counts(transform.normalise(session.lake(), archives.archive_names(), options))


COMMANDS = (archives, harvest, normalise,)
