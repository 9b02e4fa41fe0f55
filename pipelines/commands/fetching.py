"""Commands that bring and keep pictures."""

import os
from typing import Any

import click

from pipelines.commands._shared import Number, Session, as_json, command, group_of, say, show_counts


def shard_of(_context: click.Context, _option: click.Parameter, given: str | None) -> object:
    from pipelines.shard import Shard

    return Shard() if given is None else Shard.parse(given)


def age_of(_context: click.Context, _option: click.Parameter, given: str | None) -> object:
    from pipelines.fetch_options import parse_age

    return None if given is None else parse_age(given)


fetching = group_of(
    click.option("--workers", type=click.IntRange(1, 256), default=12, show_default=True,
                 help="Pictures fetched at once."),
    click.option("--max-side", type=click.IntRange(16), metavar="PX", help="Keep a smaller JPEG instead."),
    click.option("--larger-than-mb", type=Number(0), metavar="MB",
                 help="Keep the smaller one only of pictures with more MB."),
    click.option("--min-side", type=click.IntRange(1), default=64, show_default=True, metavar="PX",
                 help="A picture with a shorter side is too_small."),
    click.option("--min-bytes", type=click.IntRange(0), default=2560, show_default=True, metavar="N",
                 help="A file with fewer bytes is too_small."),
    click.option("--retry-failed", is_flag=True, help="Ask again for what may come right."),
    click.option("--retry-status", "retry_statuses", multiple=True, metavar="STATUS",
                 help="Ask again for all with this status (repeat it)."),
    click.option("--revisit", is_flag=True, help="Ask whether the pictures here have changed."),
    click.option("--older-than", metavar="AGE", callback=age_of,
                 help="Ask again only for what was asked so long ago: 12h, 7d."),
    click.option("--timeout", "timeout_s", type=Number(1), default=20.0, show_default=True,
                 metavar="SECONDS", help="For one picture to arrive."),
    click.option("--allow-private-hosts", is_flag=True, help="Permit pictures on private addresses."),
    click.option("--insecure-host", "insecure_hosts", multiple=True, metavar="HOST",
                 help="Accept this host's broken TLS certificate."),
)


@command("glamlake fetch --workers 24 --max-side 1024")
@fetching
@click.option("--shard", metavar="I/N", callback=shard_of, help="Only the I-th of N shares of the URLs.")
@click.pass_obj
def fetch(session: Session, /, **options: Any) -> None:
    """Fetch the records' pictures; each URL ends with a status."""
    from pipelines import fetch

    asked = fetch.FetchOptions(**options, contact=os.environ.get("GLAMLAKE_CONTACT"))
    counts = fetch.fetch(session.lake(), asked)
    if counts:
        show_counts(counts)
    else:
        click.echo("Every URL asked for has its outcome; --retry-failed or --revisit asks again.")


@command("glamlake verify --json")
@click.option("--mend", is_flag=True, help="Set altered and stray files aside.")
@as_json
@click.pass_obj
def verify(session: Session, /, mend: bool, as_json: bool) -> None:
    """Hash every stored picture again: missing, altered, stray files."""
    from lake import verify
    from pipelines.progress import progress

    found = verify.verify(session.lake(), mend, lambda files, n: progress(files, "hashing", n, "file"))
    say(found, as_json)
    found.raise_if_broken()


@command("glamlake recheck --sample 200")
@click.option("--sample", "n", type=click.IntRange(1), default=100, show_default=True,
              help="How many URLs, of all archives alike.")
@click.option("--seed", type=int, default=42, show_default=True, help="Another seed, another sample.")
@click.option("--workers", type=click.IntRange(1, 256), default=6, show_default=True,
              help="URLs asked at once.")
@click.option("--allow-private-hosts", is_flag=True, help="Permit pictures on private addresses.")
@click.option("--insecure-host", "insecure_hosts", multiple=True, metavar="HOST",
              help="Accept this host's broken TLS certificate.")
@as_json
@click.pass_obj
def recheck(session: Session, /, n: int, seed: int, as_json: bool, **options: Any) -> None:
    """Ask some URLs again: gone, changed, now a placeholder, or the same."""
    from pipelines import fetch_options, recheck

    asking = fetch_options.FetchOptions(**options, contact=os.environ.get("GLAMLAKE_CONTACT"))
    say(recheck.recheck(session.lake(), n, seed, asking), as_json)


COMMANDS = (fetch, verify, recheck)
