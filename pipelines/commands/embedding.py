"""Commands that make vectors."""

from typing import Any

import click

from pipelines.commands._shared import Session, command, group_of, path_type, show_counts

encoding = group_of(
    click.option("--model", metavar="NAME",
                 help="An open_clip architecture, or hf-hub:ORG/REPO.  [default: ViT-B-32-SigLIP2-256: it "
                      "learned from 109 languages, runs on a laptop, and is under Apache 2.0]"),
    click.option("--pretrained", metavar="TAG", help="Its pretrained tag.  [default: open_clip's first]"),
    click.option("--checkpoint", type=path_type, metavar="PATH",
                 help="Local weights instead: a folder, or a file (.safetensors, .pt) of --model."),
    click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True,
                 help="Pictures encoded at once."),
    click.option("--precision", type=click.Choice(["auto", "float32", "bf16"]), default="auto",
                 show_default=True, help="What the model computes in; auto: bf16 where the hardware has it."),
    click.option("--device", default="auto", show_default=True, help="cuda, cuda:1, mps or cpu."),
    click.option("--loaders", type=click.IntRange(1), metavar="N",
                 help="Threads or processes that decode pictures.  [default: one per processor]"),
    click.option("--dtype", type=click.Choice(["float32", "float16"]),
                 help="What vectors are kept as; float16 takes half the room.  [default: float32]"),
)


@command("glamlake embed --model ViT-B-32 --pretrained openai")
@encoding
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts, for N machines at once.")
@click.option("--import", "vector_file", type=path_type, metavar="FILE",
              help="Take vectors made elsewhere: .parquet, .npy, .safetensors or .pt.")
@click.option("--ids", "ids_file", type=path_type, metavar="FILE",
              help="Names of its rows: .txt, .json, .csv, .npy or .parquet.  [default: beside FILE]")
@click.option("--name", "model_id", metavar="MODEL_ID", help="What to call the model of imported vectors.")
@click.option("--known-only", is_flag=True, help="Pass over imported vectors of what the lake does not have.")
@click.pass_obj
def embed(session: Session, /, vector_file: Any, **options: Any) -> None:
    """Embed the samples that have no vector yet, or import their vectors."""
    from pipelines import embed, vector_import

    if vector_file is not None:
        asked = vector_import.import_options(options)
        imported = vector_import.import_vectors(session.lake(), vector_file, asked)
        show_counts({"imported": imported.imported, "unknown": imported.unknown})
        return
    report = embed.embed(session.lake(), *embed.from_options(options))
    show_counts({"embedded": report.embedded, "already": report.already, "failed": report.failed})


COMMANDS = (embed,)
