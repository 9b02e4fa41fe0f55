"""Commands that bring and keep pictures."""

import os
from typing import Any

import click

from pipelines.commands._shared import Session, command, group_of, show_counts

fetching = group_of(
    click.option("--workers", type=click.IntRange(1, 256), default=12, show_default=True,
                 help="Pictures fetched at once."),
    click.option("--max-side", type=click.IntRange(16), metavar="PX", help="Keep a smaller JPEG instead."),
    click.option("--retry-failed", is_flag=True, help="Ask again for what may come right."),
    click.option("--allow-private-hosts", is_flag=True, help="Permit pictures on private addresses."),
    click.option("--insecure-host", "insecure_hosts", multiple=True, metavar="HOST",
                 help="Accept this host's broken TLS certificate."),
)


@command("glamlake fetch --workers 24 --max-side 1024")
@fetching
@click.pass_obj
def fetch(session: Session, /, **options: Any) -> None:
    """Fetch the records' pictures; each URL ends with a status."""
    from pipelines import fetch

    contact = os.environ.get("GLAMLAKE_CONTACT")
    show_counts(fetch.fetch(session.lake(), fetch.FetchOptions(**options, contact=contact)))


COMMANDS = (fetch,)
