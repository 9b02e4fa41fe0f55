"""Train a CLIP on a webdataset export: contrastive, seeded, within a budget of seconds and epochs.

With the same export, options and seed the weights come out the same, unless the clock cut epochs off.
Pictures are decoded once and stay in memory: 16 KB each for the tiny encoder's 64 pixels, 190 KB for 224.
"""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from open_clip.transform import image_transform_v2

from lake.errors import UsageError
from models.augment import Augmentation
from models.checkpoint import write_checkpoint
from models.clip import Encoder
from models.encoder import load_encoder
from models.epochs import WATCHED, Epoch, Examples, Run, TrainOptions, Trial
from models.shards import read_manifest, read_split
from models.tiny import tiny_encoder

__all__ = ["Augmentation", "Epoch", "TrainOptions", "TrainReport", "train"]

log = logging.getLogger(__name__)

ROOM_FOR_CROPS = 9 / 8     # training pictures are held this much larger than the model's input


@dataclass(frozen=True)
class TrainReport:
    """What came of it; `kept` is the epoch whose weights were written."""

    checkpoint: Path
    model_id: str
    kept: Epoch
    history: list[Epoch]
    stopped_by: str            # 'epochs' or 'clock'
    elapsed_s: float

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return asdict(self) | {"checkpoint": str(self.checkpoint)}


def train(export: Path, out: Path, options: TrainOptions) -> TrainReport:
    """Train on the export's `train` split, watch its `val` split, write the checkpoint folder `out`.

    Raises UsageError or ExportError for an export that cannot be trained on; `out` is written whole or not at
    all.
    """
    started = time.monotonic()
    manifest = read_manifest(export)
    with _threads(options):
        encoder = load_encoder(options.start) if options.start else tiny_encoder(options.seed)
        run = Run(encoder, _read_examples(export, encoder), _read_trial(export, encoder), options, started)
        kept, history = run.all_epochs()
    trained = Encoder(encoder.model, encoder.tokenizer, encoder.config)   # with the id of its weights now
    stopped_by = "epochs" if len(history) == options.epochs else "clock"
    report = TrainReport(out, trained.model_id, kept, history, stopped_by, time.monotonic() - started)
    write_checkpoint(out, trained.model, trained.config, _card(report, options, manifest))
    log.info(
        "trained model=%s epochs=%d kept=%d stopped_by=%s elapsed_s=%.1f", report.model_id, len(history),
        kept.number, stopped_by, report.elapsed_s,
    )
    return report


@contextmanager
def _threads(options: TrainOptions) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads or (before if options.start else 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _read_examples(export: Path, encoder: Encoder) -> Examples:
    side = math.ceil(encoder.preprocessing.input_size[1] * ROOM_FOR_CROPS)
    larger = replace(encoder.preprocessing, size=side, mean=(0.0,) * 3, std=(1.0,) * 3)
    transform = image_transform_v2(larger, is_train=False)
    pictures, captions, labels = [], [], []
    for example in read_split(export, "train"):
        pictures.append(transform(example.picture).mul(255).round().byte())
        captions.append(example.caption)
        labels.append(example.labels)
    if len(set(captions)) < 2:
        raise UsageError(f"the train split of {export} has not two different captions; export more samples")
    return Examples(torch.stack(pictures), captions, labels)


def _read_trial(export: Path, encoder: Encoder) -> Trial:
    read = [(encoder.prepare(example.picture), example.caption) for example in read_split(export, "val")]
    return Trial([picture for picture, _ in read], [caption for _, caption in read])


def _card(report: TrainReport, options: TrainOptions, manifest: dict[str, Any]) -> dict[str, Any]:
    """What is told of the model beside its weights."""
    plain = asdict(options)
    if options.start and options.start.checkpoint:
        plain["start"]["checkpoint"] = str(options.start.checkpoint)
    return {
        "model_id": report.model_id,
        "data": {key: manifest.get(key) for key in ("name", "version", "counts")},
        "options": plain, "kept_epoch": report.kept.number, "stopped_by": report.stopped_by,
        "elapsed_s": round(report.elapsed_s, 1), "val": report.kept.metrics,
        "history": [{"epoch": e.number, "loss": e.loss, f"val_{WATCHED}": e.watched} for e in report.history],
    }
