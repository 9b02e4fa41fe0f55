"""How training goes, epoch by epoch: order, schedule, steps, and the budget of seconds."""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
import torch

from lake.errors import UsageError
from models.augment import Augmentation, augmented
from models.clip import Encoder
from models.encoder import EncoderSpec
from models.evaluate import retrieval
from models.loss import MultiPositiveLoss
from models.words import remembering

log = logging.getLogger(__name__)

EPOCHS_TO_KNOW = 3         # so many must be over before their time says how many more fit into the budget
HIGHEST_SCALE = 100.0      # CLIP's own bound on its inverse temperature
BETAS = (0.9, 0.98)         # CLIP's: in few steps 0.999 would remember the first ones for ever
WATCHED = "R@5"


@dataclass(frozen=True)
class TrainOptions:
    """How to train. `start` is the encoder to go on from; without one the tiny one begins at random weights.

    `seconds` is the whole budget, reading the export included; None is none. `label_share` of the texts are a
    label of the picture instead of its caption; captions lose `dropped_words` of their words, drawn anew.
    `keep_best` keeps the epoch that did best on the val split (which is no unseen data then), else the last
    one. `threads` are torch's; None is 1 for the tiny encoder, whose threads on busy cores wait more than
    they work, and torch's own choice for others.
    """

    start: EncoderSpec | None = None
    seed: int = 42
    epochs: int = 140
    seconds: float | None = 75.0
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1.5
    warmup_epochs: float = 8.0
    label_share: float = 0.4
    dropped_words: float = 0.2
    keep_best: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)
    threads: int | None = None


@dataclass(frozen=True)
class Examples:
    """The train split; pictures (n, 3, side, side) are bytes, larger than the input so crops have room."""

    pictures: Any
    captions: list[str]
    labels: list[tuple[str, ...]]


@dataclass(frozen=True)
class Trial:
    """The val split: pictures as the encoder prepares them, never augmented."""

    inputs: list[Any]
    captions: list[str]


@dataclass(frozen=True)
class Epoch:
    """How one epoch went: mean loss over the train split, retrieval on the val split."""

    number: int
    loss: float
    elapsed_s: float
    metrics: dict[str, Any]

    @property
    def watched(self) -> float:
        """What the best epoch is chosen by: the mean of both directions."""
        return float(self.metrics["text_to_image"][WATCHED] + self.metrics["image_to_text"][WATCHED]) / 2


class Run:
    """One training run: model, data and where it stands."""

    def __init__(
        self, encoder: Encoder, examples: Examples, trial: Trial, options: TrainOptions, started: float,
    ) -> None:
        self._encoder = encoder
        self._model = encoder.model.to(memory_format=torch.channels_last)   # a third faster on a CPU
        encoder.tokenizer = remembering(encoder.tokenizer)
        self._examples = examples
        self._trial = trial
        self._options = options
        self._started = started
        groups = parameter_groups(self._model, options.weight_decay)
        self._optimizer = torch.optim.AdamW(groups, lr=0.0, betas=BETAS, fused=True)
        self._loss = MultiPositiveLoss()
        self._took: list[float] = []

    def all_epochs(self) -> tuple[Epoch, list[Epoch]]:
        """Train to the end: the epoch kept, whose weights the model is left with, and all epochs."""
        history: list[Epoch] = []
        kept, weights = None, None
        while len(history) < (planned := self._planned_epochs()):
            epoch = self._one_epoch(len(history), planned)
            history.append(epoch)
            if kept is None or not self._options.keep_best or epoch.watched > kept.watched:
                kept, weights = epoch, {k: v.clone() for k, v in self._model.state_dict().items()}
        if kept is None:
            raise UsageError(f"{self._options.epochs} epochs are no training; give at least one")
        self._model.load_state_dict(weights)
        return kept, history

    def _planned_epochs(self) -> int:
        """How many epochs there will be in all, as far as their time so far tells."""
        done, seconds = len(self._took), self._options.seconds
        if seconds is None or done < EPOCHS_TO_KNOW:
            return self._options.epochs
        left = seconds - (time.monotonic() - self._started)
        return min(self._options.epochs, done + max(0, int(left / median(self._took))))

    def _one_epoch(self, number: int, planned: int) -> Epoch:
        began = time.monotonic()
        self._model.train()
        losses = [self._step(batch, number, part, planned) for batch, part in self._batches(number)]
        self._model.eval()
        metrics = self._metrics()
        self._took.append(time.monotonic() - began)
        epoch = Epoch(number + 1, float(np.mean(losses)), time.monotonic() - self._started, metrics)
        log.info("epoch=%d/%d loss=%.3f val=%.3f", epoch.number, planned, epoch.loss, epoch.watched)
        return epoch

    def _batches(self, number: int) -> Iterator[tuple[list[int], float]]:
        """The examples in a new order, in almost equal parts, each with how much of the epoch is over."""
        order = np.random.default_rng([self._options.seed, number]).permutation(len(self._examples.captions))
        parts = np.array_split(order, math.ceil(len(order) / self._options.batch_size))
        for i, part in enumerate(parts):
            yield part.tolist(), i / len(parts)

    def _step(self, batch: list[int], number: int, part: float, planned: int) -> float:
        """One step, that much of epoch `number` being over; gives the loss before it."""
        for group in self._optimizer.param_groups:
            share = schedule(number + part, planned, self._options.warmup_epochs)
            group["lr"] = self._options.learning_rate * share
        dice = np.random.default_rng([self._options.seed, number, batch[0]])
        texts = self._texts(batch, dice)
        pictures = self._inputs(batch, torch.Generator().manual_seed(int(dice.integers(2**62))))
        seen, read, scale = self._model(pictures, self._encoder.tokenizer(texts))[:3]
        loss = self._loss(seen, read, scale, same_texts(texts))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        with torch.no_grad():
            self._model.logit_scale.clamp_(0, math.log(HIGHEST_SCALE))
        return float(loss.detach())

    def _texts(self, batch: list[int], dice: np.random.Generator) -> list[str]:
        return [self._text(self._examples.captions[i], self._examples.labels[i], dice) for i in batch]

    def _text(self, caption: str, labels: tuple[str, ...], dice: np.random.Generator) -> str:
        """One of the labels now and then, else the caption with some of its words left out."""
        if labels and dice.random() < self._options.label_share:
            return labels[dice.integers(len(labels))]
        words = caption.split()
        kept = [word for word in words if dice.random() >= self._options.dropped_words]
        return " ".join(kept or words)

    def _inputs(self, batch: list[int], dice: torch.Generator) -> Any:
        """Augmented pictures as the model's input: normalised here, and only here."""
        wanted = self._encoder.preprocessing
        tones = self._examples.pictures[batch].float() / 255
        pictures = augmented(tones, wanted.input_size[1], self._options.augmentation, dice)
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (wanted.mean, wanted.std))
        return ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)

    def _metrics(self) -> dict[str, Any]:
        captions, group = np.unique(self._trial.captions, return_inverse=True)
        pictures = self._encoder.encode_prepared(self._trial.inputs)
        texts = self._encoder.encode_texts(captions.tolist())
        return retrieval(pictures, texts, group, np.arange(len(captions)))


def schedule(place: float, planned: float, warmup: float) -> float:
    """The learning rate's share at a place of the plan, both in epochs: a line up, a cosine down to 0."""
    if place < warmup:
        return (place + 0.01) / (warmup + 0.01)
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (place - warmup) / max(planned - warmup, 1e-9)))


def same_texts(texts: list[str]) -> Any:
    """Which pairs of texts are equal: (n, n) bool."""
    group = torch.tensor(np.unique(texts, return_inverse=True)[1])
    return group.unsqueeze(0) == group.unsqueeze(1)


def parameter_groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases, norms and the temperature do not."""
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    free = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
