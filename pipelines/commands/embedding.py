"""Commands that make vectors."""

from typing import Any

import click

from pipelines.commands._shared import Session, command, group_of, path_type, show_counts

encoding = group_of(
    click.option("--model", default="ViT-B-32", show_default=True, help="An open_clip architecture."),
    click.option("--pretrained", default="openai", show_default=True, help="Its pretrained tag."),
    click.option("--checkpoint", type=path_type, metavar="PATH", help="Local weights instead."),
    click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True,
                 help="Pictures encoded at once."),
)


@command("glamlake embed --model ViT-B-32 --pretrained openai")
@encoding
@click.pass_obj
def embed(session: Session, /, batch_size: int, **spec: Any) -> None:
    """Embed the samples that have no vector yet."""
    from models.encoder import EncoderSpec
    from pipelines import embed

    report = embed.embed(session.lake(), EncoderSpec(**spec), batch_size)
    show_counts({"embedded": report.embedded, "already": report.already, "failed": report.failed})


COMMANDS = (embed,)
