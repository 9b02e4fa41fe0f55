"""How well a loss serves rare labels: multi-positive beside plain CLIP on the demo, few of whose labels
are common.

Eight labels of the demo (a bus among cars, a seaplane among aeroplanes) have 3 or 4 pictures to learn
from, the others 18 and more. Its val split has 13 pictures of the eight, which measures nothing: so
fresh scenes are drawn, 30 of each rare label, as three galleries, and each label is asked for by its
name.

Training is as `glamlake train` does it where somebody cares for rare labels: its own prompts and
batches, and `--balance 1`. That is where the two losses differ for them: a rare label is then several
times in a batch, and plain CLIP takes its pictures for each other's negatives. How this was chosen is
in docs/commands/train.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from models.bank import PictureBank, normalised
from models.encoder import EncoderSpec, load_encoder
from models.metrics import cosines, measure
from models.options import TrainOptions
from models.shards import StoredPicture, read_split
from models.train import train
from pipelines.demo.pictures import print_of
from pipelines.demo.scenes import SUBJECTS, choose_scenes
from pipelines.demo.scenes_model import Scene
from tests.benchmarks._table import measured, show

LOSSES = ("multi-positive", "clip")
SEEDS = (200, 201, 202, 203, 204)      # none of them helped to choose anything
GALLERIES = (5_000_000, 5_000_001, 5_000_002)
OF_A_RARE_KIND, OF_OTHERS = 10, 5
BALANCED = TrainOptions(balance=1.0, epochs=60, keep_best=False)
RARE = {
    "bus": "bus", "lorry": "lorry", "seaplane": "seaplane", "child": "child", "soldier": "soldier",
    "fishing boat": "fishing", "sailing ship": "sailing ship", "warship": "warship",
}
LABEL_OF_SUBJECT = {"tent camp": "camp"}    # where the vocabulary has another word than the drawing
RESAMPLES = 4000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gallery:
    """Drawn pictures that no model has seen, and for each label asked for which of them are right."""

    pictures: list[Path]
    right: Any


def rare_labels(export: Path, folder: Path, quick: bool) -> None:
    """Train with both losses, seed by seed; print Recall@10 of both with intervals, and their difference."""
    counts = Counter(label for example in read_split(export, "train") for label in example.labels)
    labels = (*RARE.values(), *sorted(set(counts) - {*RARE.values(), "winter"}))
    galleries = [gallery(folder / str(seed), seed, labels) for seed in GALLERIES[:1 if quick else None]]
    found: dict[str, list[Floats]] = {loss: [] for loss in LOSSES}
    for seed in SEEDS[:2 if quick else None]:
        for loss, recalls in found.items():
            options = replace(BALANCED, loss=loss, seed=seed, epochs=2 if quick else BALANCED.epochs)
            out = train(export, folder / f"{loss}-{seed}", options).checkpoint
            recalls.append(np.mean([recall(out, one, labels) for one in galleries], axis=0))
    tables = {loss: np.array(recalls) for loss, recalls in found.items()}
    rows = [row for seed in range(len(tables["clip"])) for row in _rows(tables, slice(seed, seed + 1))]
    spans, n = [_span(counts, part) for part in (labels[:len(RARE)], labels[len(RARE):])], len(galleries)
    title = "Recall@10: rare labels ({} training pictures), others ({}); {} galleries of {} fresh pictures"
    show(title.format(*spans, n, len(galleries[0].pictures)), [*rows, *_rows(tables, slice(None))])
    ours, peer = (float(tables[loss][:, :len(RARE)].mean()) for loss in LOSSES)
    measured("train", "tail Recall@10", ours, peer=peer, peer_name="plain CLIP loss", ratio_at_least=1.0)


def gallery(folder: Path, seed: int, labels: Sequence[str]) -> Gallery:
    """Scenes of every kind, drawn anew; each kind of a subject that has rare kinds is there equally often."""
    folder.mkdir()
    pictures, shown = list[Path](), []
    for scene in _scenes(seed):
        pictures.append(folder / f"{len(pictures)}.jpg")
        print_of(scene).convert("RGB").save(pictures[-1], quality=92)
        names = {LABEL_OF_SUBJECT.get(scene.subject, scene.subject), RARE.get(scene.kind)}
        shown.append([float(label in names) for label in labels])
    return Gallery(pictures, csr_array(np.array(shown).T))


def _scenes(seed: int) -> Iterator[Scene]:
    for name, subject in SUBJECTS.items():
        each = OF_A_RARE_KIND if RARE.keys() & set(subject.kinds) else OF_OTHERS
        yield from choose_scenes(name, each * len(subject.kinds), seed)


def recall(checkpoint: Path, drawn: Gallery, labels: Sequence[str]) -> Floats:
    """Recall@10 of each label: how many of its pictures are among the ten nearest to its name."""
    encoder = load_encoder(EncoderSpec(checkpoint=checkpoint))
    bank = PictureBank([StoredPicture(path) for path in drawn.pictures], encoder.preprocessing)
    inputs = normalised(bank.take(range(len(bank))).float() / 255, encoder.preprocessing)
    with torch.inference_mode():
        seen = encoder.model.encode_image(inputs, normalize=True).numpy()
    found = measure(cosines(encoder.encode_texts(labels), seen), {"labels": drawn.right}, (10,))
    return found["labels"].values["Recall@10"]


def _rows(tables: dict[str, Floats], seeds: slice) -> Iterator[dict[str, Any]]:
    """Both losses and their difference, over some of the seeds."""
    name = "all" if seeds == slice(None) else SEEDS[seeds.start]
    differences = {"multi-positive − clip": tables["multi-positive"] - tables["clip"]}
    for what, table in {**tables, **differences}.items():
        rare, others = table[seeds, :len(RARE)], table[seeds, len(RARE):]
        low, high = interval_over_both(rare)
        yield {
            "loss": what, "seed": name, "rare": rare.mean(), "95 % interval": f"{low:.3f} to {high:.3f}",
            "others": others.mean(),
        }


def interval_over_both(table: Floats) -> tuple[float, float]:
    """A bootstrap interval of the mean: seeds (rows) and labels (columns) are both drawn anew."""
    dice = np.random.default_rng(42)
    n_seeds, n_labels = table.shape
    seeds, labels = (dice.integers(0, n, (RESAMPLES, n)) for n in (n_seeds, n_labels))
    means = table[seeds[:, :, None], labels[:, None, :]].mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _span(counts: Counter[str], labels: Sequence[str]) -> str:
    own = [counts[label] for label in labels]
    return f"{min(own)} to {max(own)}"
