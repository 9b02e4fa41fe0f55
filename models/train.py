"""Train a CLIP on an export or the lake: contrastive, seeded, resumed after a kill, within a budget.

With the same data, options and seed the weights come out the same, unless the clock cut epochs off. A run
that was killed goes on where its state file says and ends with the weights it would have had. Pictures are
decoded once and stay in memory while they fit: 16 KB each for the tiny encoder's 64 pixels, 190 KB for 224.
"""

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from lake.drafts import cannot_write
from lake.errors import LakeBusy, UsageError
from models.augment import Augmentation
from models.bank import PictureBank
from models.card import card_page, environment, plain_options
from models.checkpoint import write_checkpoint
from models.clip import Encoder
from models.curves import CURVES_FILE, plot_curves
from models.encoder import load_encoder
from models.epochs import Epoch, Examples, Run, require_room
from models.options import Prompts, TrainOptions, settled
from models.shards import Example
from models.sources import ExportSource, Source
from models.state import STATE_FILE
from models.tiny import tiny_encoder
from models.trial import Trial
from models.words import remembering
from models.world import World, joined

__all__ = ["Augmentation", "Epoch", "Prompts", "TrainOptions", "TrainReport", "train"]

log = logging.getLogger(__name__)

ROOM_FOR_CROPS = 9 / 8     # training pictures are held this much larger than the model's input
RESAMPLES = 1000
SIGLIP_BIAS = -10.0        # where SigLIP's bias begins: most pairs are no pair
CARD_PAGE = "README.md"
# what may differ between a run and the one that goes on with its state
_FREE = ("seconds", "threads", "device", "save_seconds", "start")


@dataclass(frozen=True)
class TrainReport:
    """What came of it; `kept` is the epoch whose weights were written."""

    checkpoint: Path
    model_id: str
    kept: Epoch
    history: list[Epoch]
    stopped_by: str            # 'epochs', 'clock' or 'patience'
    elapsed_s: float

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return asdict(self) | {"checkpoint": str(self.checkpoint)}


def train(data: Path | Source, out: Path, options: TrainOptions, restart: bool = False) -> TrainReport:
    """Train on the `train` split of an export or another source, watch its `val` split, write `out`.

    Raises UsageError or ExportError for data that cannot be trained on, LakeBusy while another process trains
    the same; `out` is written whole or not at all. `restart` throws away what a killed run left.
    """
    started = time.monotonic()
    options, source = settled(options), ExportSource(data) if isinstance(data, Path) else data
    facts = source.facts()
    learning, held_out = _read(source, "train"), _some(_read(source, "val"), options)
    _require_difference(learning, options)
    with joined(options.device) as world, _threads(options), _alone(out, world, restart) as folder:
        encoder = _encoder(options)
        identity = _identity(encoder, learning, held_out, options, world)
        examples = _examples(learning, encoder, options)
        trial = Trial(held_out, remembering(encoder.tokenizer), encoder.preprocessing)
        run = Run(encoder, examples, trial, options, world, folder, identity, started)
        report = _trained(run, out, facts | {"n_train": len(examples), "n_val": len(trial)})
        world.wait()
    return report


def _trained(run: Run, out: Path, facts: dict[str, Any]) -> TrainReport:
    came_from = run.encoder.model_id if run.options.start else None
    kept, history = run.all_epochs()
    kept = replace(kept, metrics=run.trial.metrics(run.encoder.model, run.world.device, RESAMPLES))
    trained = Encoder(run.encoder.model.cpu(), run.encoder.tokenizer, run.encoder.config)
    elapsed_s = time.monotonic() - run.started
    report = TrainReport(out, trained.model_id, kept, history, run.stopped_by, elapsed_s)
    if run.world.writes:
        card = _card(report, run, facts, came_from)
        with _more_files(run.folder, card, report) as more:
            write_checkpoint(out, trained.model, trained.config, card, more)
        shutil.rmtree(run.folder)
        log.info(
            "trained model=%s epochs=%d kept=%d stopped_by=%s elapsed_s=%.1f", report.model_id, len(history),
            kept.number, report.stopped_by, report.elapsed_s,
        )
    return report


@contextmanager
def _more_files(folder: Path, card: dict[str, Any], report: TrainReport) -> Iterator[dict[str, Path]]:
    """What lies beside weights and card: the page, the curves as a picture and as TensorBoard has them."""
    page, plot = folder / CARD_PAGE, folder / CURVES_FILE
    page.write_text(card_page(card), encoding="utf-8")
    plot_curves(report.history, report.kept.number, plot)
    events = {f"curves/{path.name}": path for path in sorted(folder.glob("events.out.tfevents.*"))}
    yield {CARD_PAGE: page, CURVES_FILE: plot, **events}


@contextmanager
def _alone(out: Path, world: World, restart: bool) -> Iterator[Path]:
    """The folder where the run keeps its state, `out` with `.training` behind: nobody else works in it."""
    folder = out.with_name(f"{out.name}.training")
    if not world.writes:
        yield folder
        return
    require_room(folder)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as e:
        raise LakeBusy(f"another process trains {out}; wait until it ends, or give another name") from e
    try:
        if restart:
            (folder / STATE_FILE).unlink(missing_ok=True)
        yield folder
    except OSError as e:
        raise cannot_write(e.filename or folder, e) from e
    finally:
        lock.release()
        if folder.exists() and not (folder / STATE_FILE).exists():    # nothing to go on with
            shutil.rmtree(folder)


@contextmanager
def _threads(options: TrainOptions) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads or (before if options.start else 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _encoder(options: TrainOptions) -> Encoder:
    """The encoder to begin with, in float32; for the SigLIP loss with the bias that goes with its scale."""
    encoder = load_encoder(options.start) if options.start else tiny_encoder(options.seed)
    model = encoder.model.float()
    if options.loss == "siglip" and getattr(model, "logit_bias", None) is None:
        model.logit_bias = torch.nn.Parameter(torch.tensor(SIGLIP_BIAS))
        config = dict(encoder.config)
        config["model_cfg"] = {**config["model_cfg"], "init_logit_bias": SIGLIP_BIAS}
        return Encoder(model, encoder.tokenizer, config)
    return encoder


def _examples(learning: Sequence[Example], encoder: Encoder, options: TrainOptions) -> Examples:
    room = ROOM_FOR_CROPS if options.augmentation is not None else 1.0
    bank = PictureBank([example.stored for example in learning], encoder.preprocessing, room)
    return Examples(bank, [example.caption for example in learning], [example.labels for example in learning])


def _read(source: Source, split: str) -> list[Example]:
    found = list(source.examples(split))
    if not found:
        name = source.facts()["name"]
        raise UsageError(f"no {split} pictures in {name}: its shards are empty; export it anew")
    return found


def _some(examples: list[Example], options: TrainOptions) -> list[Example]:
    """At most `val_limit` of the held-out examples, drawn with the seed."""
    if len(examples) <= options.val_limit:
        return examples
    rows = np.random.default_rng(options.seed).permutation(len(examples))[:options.val_limit]
    return [examples[row] for row in sorted(rows.tolist())]


def _require_difference(learning: Sequence[Example], options: TrainOptions) -> None:
    """Raises UsageError where every picture is called the same."""
    captions = {example.caption for example in learning}
    labels = {example.labels for example in learning}
    prompts = options.prompts
    if len(captions) < 2 and (prompts.caption > 0 or len(labels) < 2):
        raise UsageError("the train split has not two different captions; export more samples")
    shared = set[str].intersection(*(set(own) for own in labels))
    if options.loss == "multi-positive" and shared:
        raise UsageError(
            f"every picture of the train split has the label {min(shared)!r}, so none is another's negative; "
            "give --loss clip, or data with more labels"
        )
    if len(labels) < 2 and not prompts.caption:
        raise UsageError("every picture of the train split has the same labels; give --caption-share above 0")


def _identity(
    encoder: Encoder, learning: Sequence[Example], held_out: Sequence[Example], options: TrainOptions,
    world: World,
) -> dict[str, Any]:
    """What a state file must agree in with the run that goes on with it."""
    rows = [(e.sample_id, e.caption, e.labels) for part in (learning, held_out) for e in part]
    digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
    own = {name: value for name, value in plain_options(options).items() if name not in _FREE}
    return own | {"data": digest, "start": encoder.model_id, "processes": world.size}


def _card(report: TrainReport, run: Run, facts: dict[str, Any], came_from: str | None) -> dict[str, Any]:
    """What is told of the model beside its weights."""
    return {
        "model_id": report.model_id, "data": facts, "start": came_from,
        "options": plain_options(run.options), "environment": environment(run.world.device, run.world.size),
        "kept_epoch": report.kept.number, "stopped_by": report.stopped_by,
        "elapsed_s": round(report.elapsed_s, 1), "val": report.kept.metrics,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "history": [
            {"epoch": e.number, "loss": e.loss, f"val_{run.options.watch}": e.watched} for e in report.history
        ],
    }
