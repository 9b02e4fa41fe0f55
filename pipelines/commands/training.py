"""Commands that train an encoder."""

import json
from typing import Any

import click

from models.options import LOSSES, METHODS, PRECISIONS, WATCHABLE, Prompts, TrainOptions
from pipelines.commands._shared import Number, Session, as_json, command, group_of, path_type, show

_DEFAULT, _PROMPTS = TrainOptions(), Prompts()
_BY_METHOD = "  [default: what suits the method]"


def _option(name: str, kind: Any, words: str, default: Any = None) -> Any:
    """An option whose default the dataclass holds."""
    return click.option(f"--{name}", type=kind, default=default, show_default=default is not None, help=words)


_positive = click.IntRange(1)
_share = Number(0)
start = group_of(
    _option("model", str, "An open_clip architecture to go on from; without it the tiny encoder is trained "
                          "from random weights."),
    _option("pretrained", str, "The architecture's pretrained tag."),
    _option("checkpoint", path_type, "Local weights to go on from."),
)
method = group_of(
    _option("method", click.Choice(METHODS), "Which weights learn.", _DEFAULT.method),
    _option("rank", _positive, "Rank of what lora and adapter add.", _DEFAULT.rank),
    _option("loss", click.Choice(LOSSES), "same-text: equal texts, and tags that fit, are all right; "
            "multi-positive: moreover pictures that share a label are not told apart.", _DEFAULT.loss),
)
texts = group_of(
    _option("caption-share", _share, "How often the text is the caption.", _PROMPTS.caption),
    _option("one-tag-share", _share, "How often it is one of the labels.", _PROMPTS.one_tag),
    _option("all-tags-share", _share, "How often it is all of the labels.", _PROMPTS.all_tags),
    click.option("--template", "templates", multiple=True, default=_PROMPTS.templates, show_default=True,
                 help="What a label stands in, as 'a photograph of a {}'; give several to draw from."),
    _option("dropped-words", Number(0, 1, max_open=True), "Share of a caption's words left out.",
            _PROMPTS.dropped_words),
    _option("balance", _share, "0: each picture once an epoch; 1: each label as often.", _DEFAULT.balance),
    click.option("--no-augmentation", is_flag=True, help="Show pictures as they are: no crop, turn, tint."),
)
pace = group_of(
    _option("seconds", Number(0, min_open=True), "Time budget.  [default: none]"),
    _option("epochs", _positive, f"Epochs at most.{_BY_METHOD}"),
    _option("patience", _positive, "End after so many epochs without a better one."),
    _option("watch", click.Choice(WATCHABLE), "What the best epoch is chosen by, on the val split.",
            _DEFAULT.watch),
    _option("batch-size", click.IntRange(2), "Pictures at once, on each device.", _DEFAULT.batch_size),
    _option("accumulate", _positive, "Batches that make one step, compared as one.", _DEFAULT.accumulate),
    _option("learning-rate", Number(0), f"At its highest.{_BY_METHOD}"),
    _option("weight-decay", Number(0), f"AdamW's.{_BY_METHOD}"),
    _option("warmup-epochs", Number(0), f"Epochs until the rate is at its highest.{_BY_METHOD}"),
    _option("seed", click.IntRange(0), "The same seed, the same weights.", _DEFAULT.seed),
)
machine = group_of(
    _option("precision", click.Choice(PRECISIONS), "What the towers compute in.", _DEFAULT.precision),
    click.option("--activation-checkpointing", is_flag=True, help="Half the memory for a third more time."),
    _option("device", str, "cuda, cuda:1, mps or cpu.  [default: the best there is]"),
    _option("save-seconds", Number(0), "How often the state to resume from is written.",
            _DEFAULT.save_seconds),
)
training = group_of(start, method, texts, pace, machine)


@command("glamlake train EXPORT_NAME my-model --checkpoint PATH --method lora --epochs 5")
@click.argument("source")
@click.argument("name")
@training
@click.option("--restart", is_flag=True, help="Begin anew instead of going on where a killed run was.")
@click.pass_obj
def train(session: Session, /, source: str, name: str, restart: bool, **options: Any) -> None:
    """Train an encoder on SOURCE: a webdataset export, or `lake` for the lake itself.

    `embed --checkpoint` takes the result. Run again after a kill it goes on where it was; look on with
    `tensorboard --logdir`.
    """
    lake = session.lake()
    from models import train, world
    from pipelines import training

    options_ = training.train_options(options)
    report = train.train(training.source_of(lake, source), lake.models / name, options_, restart)
    if world.is_first():
        click.echo(json.dumps(report.as_dict(), indent=2))


@command("glamlake leave-one-out my-model --epochs 20")
@click.argument("name")
@training
@as_json
@click.pass_obj
def leave_one_out(session: Session, /, name: str, as_json: bool, **options: Any) -> None:
    """Train without an archive, test on it, for each archive in turn: one table."""
    lake = session.lake()
    from models import leave_one_out
    from pipelines import training

    rows = leave_one_out.leave_one_out(lake, name, training.train_options(options))
    training.write_report(lake, f"leave-one-out-{name}", rows)
    show(rows if as_json else [leave_one_out.short(row) for row in rows], as_json)


@command("glamlake interpolate my-model my-mix --share 0.5 --outside DIR")
@click.argument("tuned")
@click.argument("name")
@click.option("--share", type=Number(0, 1), default=0.5, show_default=True,
              help="0 is the model before training, 1 after it.")
@click.option("--original", type=path_type, metavar="PATH",
              help="The model before training.  [default: as its card says]")
@click.option("--outside", type=path_type, metavar="DIR",
              help="Labelled pictures from elsewhere, an export or a folder per class: what was forgotten.")
@as_json
@click.pass_obj
def interpolate(session: Session, /, tuned: str, name: str, as_json: bool, **options: Any) -> None:
    """Mix the weights of a trained model with those it began with (WiSE-FT)."""
    lake = session.lake()
    from pipelines import training

    card = training.interpolate_in(lake, tuned, name, **options)
    rows = card["forgetting"] or [{"model_id": card["model_id"], **card["interpolated"]}]
    show(rows, as_json)


COMMANDS = (train, leave_one_out, interpolate)
