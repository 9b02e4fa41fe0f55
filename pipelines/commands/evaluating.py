"""Commands that tell how good an encoder is."""

import json

import click

from pipelines.commands._shared import Session, command, which_model


@command("glamlake evaluate --split val")
@click.option("--split", "splits", multiple=True, default=("val",), show_default=True)
@which_model
@click.pass_obj
def evaluate(session: Session, splits: tuple[str, ...], model_id: str | None) -> None:
    """Retrieval of held-out pictures by their captions, and back, beside chance."""
    from models import evaluate
    from models.encoder import open_encoder

    lake = session.lake()
    found = evaluate.evaluate(lake, open_encoder(lake, model_id), splits)
    click.echo(json.dumps(found, indent=2))


COMMANDS = (evaluate,)
