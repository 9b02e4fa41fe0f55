"""Commands that tell how good a model is, and let it predict labels."""

import json
from pathlib import Path
from typing import Any

import click

from pipelines.commands._shared import (
    Number,
    Session,
    as_json,
    command,
    path_type,
    show,
    show_counts,
    which_model,
)


@command("glamlake evaluate --split val")
@click.option("--split", "splits", multiple=True, default=("val",), show_default=True,
              help="train, val, test_id or test_ood; repeat it for several at once.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(["captions", "labels", "composed"]),
              help="Only this; repeat it. All if not given.")
@click.option("--facet", "facets", multiple=True, help="Only labels of this facet; repeat it.")
@click.option("--template", "templates", multiple=True, metavar="TEXT",
              help="What a label becomes before it is encoded, with {} for it; repeat it.")
@click.option("--queries", type=path_type, metavar="FILE",
              help="Composed queries, CSV or JSON with id1, query, id2 (EUFCC-CIR's); else made from labels.")
@click.option("--resamples", type=click.IntRange(0), default=1000, show_default=True,
              help="Bootstrap samples for the intervals; 0 for none.")
@click.option("--seed", type=int, default=42, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON instead of tables.")
@which_model
@click.pass_obj
def evaluate(
    session: Session, /, splits: tuple[str, ...], model_id: str | None, as_json: bool, **asked: Any,
) -> None:
    """Retrieval by captions, prediction of labels, composed queries: with intervals, beside chance.

    Also written to reports/evaluation: JSON, CSV, plots, hits and misses.
    """
    from models import evaluate
    from models.encoder import open_encoder
    from pipelines.evaluation_report import evaluation_text, save_evaluation

    lake = session.lake()
    found = evaluate.evaluate(lake, open_encoder(lake, model_id), splits, _options(**asked))
    folder = save_evaluation(lake, found)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else evaluation_text(found))
    click.echo(f"report: {folder}", err=True)


def _options(
    tasks: tuple[str, ...], facets: tuple[str, ...], templates: tuple[str, ...], queries: Path | None,
    resamples: int, seed: int,
) -> Any:
    from models.baselines import TEMPLATES
    from models.evaluate import TASKS, EvaluateOptions
    from models.intervals import Resampling

    return EvaluateOptions(
        tasks=tasks or TASKS, facets=facets, templates=templates or TEMPLATES, queries=queries,
        resampling=Resampling(resamples, seed),
    )


@command("glamlake heads --facet topic")
@click.option("--facet", "facets", multiple=True, help="Only labels of this facet; repeat it.")
@click.option("--split", "splits", multiple=True, default=("val",), show_default=True,
              help="What they are compared on; repeat it for several at once.")
@click.option("--resamples", type=click.IntRange(0), default=1000, show_default=True,
              help="Bootstrap samples for the intervals; 0 for none.")
@click.option("--seed", type=int, default=42, show_default=True)
@which_model
@as_json
@click.pass_obj
def heads(
    session: Session, /, facets: tuple[str, ...], splits: tuple[str, ...], resamples: int, seed: int,
    model_id: str | None, as_json: bool,
) -> None:
    """Train heads that predict labels from a model's vectors; compare them with it and each other."""
    from models.encoder import open_encoder
    from models.head_training import HeadOptions, comparison_rows, train_heads
    from models.intervals import Resampling

    lake = session.lake()
    options = HeadOptions(facets=facets, splits=splits, resampling=Resampling(resamples, seed))
    found = train_heads(lake, open_encoder(lake, model_id), options)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    show(comparison_rows(found), as_json=False)
    for note in ["* what annotate uses", *found["notes"]]:
        click.echo(note, err=True)


@command("glamlake annotate --min-confidence 0.7")
@click.option("--facet", "facets", multiple=True, help="Only labels of this facet; repeat it.")
@click.option("--method", help="One that `heads` compares, as softmax+zero_shot; else each facet's best.")
@click.option("--min-confidence", type=Number(0, 1), default=0.5, show_default=True)
@click.option("--most", type=click.IntRange(1), default=5, show_default=True,
              help="Labels of a picture and facet at most.")
@click.option("--split", "splits", multiple=True,
              help="Only pictures of this split; repeat it. Labels count only in train.")
@click.option("--review", "reviewed", type=path_type, metavar="FILE",
              help="Take a reviewed sheet in instead: a CSV with annotation_id and decision.")
@click.option("--reviewer", help="With --review: who decided.")
@which_model
@click.pass_obj
def annotate(
    session: Session, /, reviewed: Path | None, reviewer: str | None, model_id: str | None,
    splits: tuple[str, ...], **asked: Any,
) -> None:
    """Predict labels for people to accept or refuse; what a catalogue says is never touched.

    `curate --with-annotations` takes in what was accepted.
    """
    from lake.tables import SPLITS
    from pipelines import annotate

    lake = session.lake()
    if reviewed is not None:
        show_counts(annotate.review(lake, reviewed, reviewer))
        return
    done = annotate.annotate(lake, annotate.AnnotateOptions(splits=splits or SPLITS, **asked), model_id)
    show_counts({"pictures": done.n_pictures, "labels": done.n_annotations, **done.by_facet})
    click.echo(f"review sheet: {done.folder or 'none, there is nothing new to review'}", err=True)


@command("glamlake models")
@as_json
@click.pass_obj
def models(session: Session, as_json: bool) -> None:
    """What models are in the lake: encoders with vectors or trained here, and heads on their vectors."""
    from pipelines.model_list import model_rows

    show(model_rows(session.lake()), as_json)


COMMANDS = (evaluate, heads, annotate, models)
