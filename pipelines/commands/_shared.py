"""What all commands share: the session, how their help looks, their options, how they answer."""

import json
import math
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
        """The order in which they were added."""
        return list(self.commands)


class Number(click.FloatRange):
    """A number within bounds; what is not a number, or endless, is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; fails as bad usage."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number to count with.", param, ctx)
        return number


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


path_type = click.Path(path_type=Path)
as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
as_format = click.option("--format", "format_", type=click.Choice(["table", "csv", "json", "parquet"]),
                          default="table", show_default=True)
which_model = click.option("--model", "model_id", metavar="MODEL_ID",
                            help="Which model's vectors; the newest if not given.")


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    as_text = json.dumps(rows, indent=2, default=str, ensure_ascii=False)
    click.echo(as_text if as_json else console.table(rows))


def say(found: Any, as_json: bool) -> None:
    """Something that knows itself as plain values and as text."""
    click.echo(json.dumps(found.as_dict(), indent=2, default=str) if as_json else found.text())


def show_counts(counts: dict[str, int]) -> None:
    show([{"what": name, "count": count} for name, count in counts.items()], as_json=False)
