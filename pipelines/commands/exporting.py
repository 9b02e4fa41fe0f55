"""Commands that freeze samples as data sets."""

from typing import Any

import click

from pipelines.commands._shared import Command, Session, as_json, say, which_model


class _ExportCommand(Command):
    """`export FORMAT NAME`, and `export diff A B`, which has arguments and options of its own."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> click.Context:
        """Hand what follows `diff` to its own command."""
        if args[:1] == ["diff"]:
            return export_diff.make_context(f"{info_name} diff", args[1:], *rest, **more)
        return super().make_context(info_name, args, *rest, **more)


@click.command(cls=_ExportCommand, example="glamlake export webdataset ships --split train --label ship")
@click.argument("format_", metavar="FORMAT")
@click.argument("name")
@click.option("--split", "splits", multiple=True, help="train, val, test_id or test_ood.")
@click.option("--label", "labels", multiple=True, help="Only samples with one of these labels.")
@click.option("--rights", multiple=True, default=("open",), show_default=True, help="Rights classes let out.")
@click.option("--archive", "archives", multiple=True, help="Only samples from these archives.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N samples.")
@click.option("--max-side", type=click.IntRange(16), metavar="PX", help="Larger pictures as smaller JPEGs.")
@click.option("--shard-size", type=click.IntRange(1), default=1000, show_default=True, metavar="N",
              help="Samples in a shard, where the format has shards.")
@click.option("--by-archive", is_flag=True,
              help="csv: a folder for each archive, and HISTORY_XN of all N merged.")
@which_model
@click.pass_obj
def export(session: Session, /, format_: str, name: str, **options: Any) -> None:
    """Freeze samples as a data set: webdataset, huggingface, csv, eufcc or vectors.

    `glamlake export diff A B` tells what one has otherwise than another.
    """
    from pipelines import exports

    click.echo(exports.export(session.lake(), format_, name, exports.ExportOptions(**options)))


@click.command(cls=Command, example="glamlake export diff ships-2025 ships-2026 --json")
@click.argument("before")
@click.argument("after")
@as_json
@click.pass_obj
def export_diff(session: Session, before: str, after: str, as_json: bool) -> None:
    """What export AFTER has otherwise than BEFORE: samples added, removed, changed, moved between splits.

    Each is a name in the lake or the path of an export.
    """
    from pipelines import exports

    say(exports.diff_exports(session.lake(), before, after), as_json)


COMMANDS = (export,)
