"""Commands that train an encoder."""

import json
from typing import Any

import click

from pipelines.commands._shared import Session, command


@command("glamlake train EXPORT_NAME my-model --seconds 600")
@click.argument("export_name")
@click.argument("name")
@click.option("--seconds", type=click.IntRange(1), default=600, show_default=True, help="Time budget.")
@click.option("--epochs", type=click.IntRange(1), default=140, show_default=True)
@click.option("--seed", type=int, default=42, show_default=True)
@click.pass_obj
def train(session: Session, /, export_name: str, name: str, **options: Any) -> None:
    """Train a small encoder on a webdataset export; `embed --checkpoint` takes the result."""
    from models import train

    lake = session.lake()
    report = train.train(lake.exports / export_name, lake.models / name, train.TrainOptions(**options))
    click.echo(json.dumps(report.as_dict(), indent=2))


COMMANDS = (train,)
