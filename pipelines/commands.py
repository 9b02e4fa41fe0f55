"""What all commands share: the session, how their help looks, their options, how they answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lake import Lake
from pipelines import console


@dataclass(frozen=True)
class Session:
    """What every command is handed: which lake, and how much to say."""

    root: Path
    verbose: bool

    def lake(self, create: bool = False) -> Lake:
        """The lake, logging into it; a command that writes may make it."""
        return console.open_lake(Lake(self.root), create, self.verbose)


class Command(click.Command):
    """A command whose help ends with its example, as it is typed."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, not re-wrapped."""
        formatter.write(f"\nExample:\n  {self._example}\n")


class InOrder(click.Group):
    """Lists its commands in the order of the flow, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order in which they stand in this file."""
        return list(self.commands)

def command(example: str, name: str | None = None) -> Callable[[Callable[..., None]], click.Command]:
    """A command of its own, to be added to the group; its help ends with the example."""
    return click.command(name, cls=Command, example=example)


def group_of(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Options that several commands share, in the order given."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def how_many_or_who(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> object:
    return given if given and not (len(given) == 1 and given[0].isdigit()) else int(*given)


path_type = click.Path(path_type=Path)
as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
as_format = click.option("--format", "format_", type=click.Choice(["table", "csv", "json", "parquet"]),
                          default="table", show_default=True)
which_model = click.option("--model", "model_id", metavar="MODEL_ID",
                            help="Which model's vectors; the newest if not given.")
asking = group_of(
    click.argument("archives", nargs=-1, required=True, metavar="ARCHIVE..."),
    click.option("--query", "queries", multiple=True, metavar="Q",
                 help="A search; may be given more than once."),
    click.option("--query-file", type=path_type, metavar="F", help="Searches, one a line, UTF-8."),
    click.option("--start-date", metavar="D", help="1939, 1939-11 or 1939-11-30."),
    click.option("--end-date", metavar="D", help="As --start-date; the whole year or month counts."),
    click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N hits a search."),
    click.option("--base-url", metavar="URL", help="A mirror or replay of the service."),
    click.option("--refresh", is_flag=True, help="Ask again what is complete already."),
)
fetching = group_of(
    click.option("--workers", type=click.IntRange(1, 256), default=12, show_default=True,
                 help="Pictures fetched at once."),
    click.option("--max-side", type=click.IntRange(16), metavar="PX", help="Keep a smaller JPEG instead."),
    click.option("--retry-failed", is_flag=True, help="Ask again for what may come right."),
    click.option("--allow-private-hosts", is_flag=True, help="Permit pictures on private addresses."),
    click.option("--insecure-host", "insecure_hosts", multiple=True, metavar="HOST",
                 help="Accept this host's broken TLS certificate."),
)
curating = group_of(
    click.option("--val-split", type=click.FloatRange(0, 0.9), default=0.35, show_default=True,
                 help="Share of the samples kept for validation."),
    click.option("--test-split", type=click.FloatRange(0, 0.9), default=0.0, show_default=True,
                 help="Share kept apart as test_id."),
    click.option("--seed", type=int, default=42, show_default=True, help="Another seed, another split."),
    click.option("--ood-providers", multiple=True, metavar="N|NAME", callback=how_many_or_who,
                 help="Whole providers kept apart as test_ood: how many, or by name (repeat it)."),
)
encoding = group_of(
    click.option("--model", default="ViT-B-32", show_default=True, help="An open_clip architecture."),
    click.option("--pretrained", default="openai", show_default=True, help="Its pretrained tag."),
    click.option("--checkpoint", type=path_type, metavar="PATH", help="Local weights instead."),
    click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True,
                 help="Pictures encoded at once."),
)

def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    as_text = json.dumps(rows, indent=2, default=str, ensure_ascii=False)
    click.echo(as_text if as_json else console.table(rows))


def say(found: Any, as_json: bool) -> None:
    """Something that knows itself as plain values and as text."""
    click.echo(json.dumps(found.as_dict(), indent=2, default=str) if as_json else found.text())


def show_counts(counts: dict[str, int]) -> None:
    show([{"what": name, "count": count} for name, count in counts.items()], as_json=False)
