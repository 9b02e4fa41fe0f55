"""How training goes, epoch by epoch: order, schedule, steps, what is kept, and the budget of seconds."""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from lake.errors import EncoderError, LakeError
from models.augment import drawn
from models.bank import PictureBank, one_ahead
from models.clip import Encoder
from models.curves import Curves
from models.methods import prepared, set_training
from models.options import TrainOptions
from models.prompts import Prompt, prompt_of, relation, same_texts
from models.sampling import batches, weights_of
from models.state import Epoch, Progress, changing, load_state, save_state
from models.step import Batch, Stepper, parameter_groups
from models.trial import Trial
from models.words import remembering
from models.world import World

__all__ = ["Epoch", "Examples", "Run", "parameter_groups", "same_texts", "schedule"]

log = logging.getLogger(__name__)

EPOCHS_TO_KNOW = 3         # so many must be over before their time says how many more fit into the budget
EPOCHS_A_LOOK = 5          # where the val split decides nothing, it is looked at now and then
STEPS_A_LOOK = 20          # the loss is looked at now and then: on a GPU looking means waiting


@dataclass(frozen=True)
class Examples:
    """The train split; the bank's pictures are larger than the encoder's input, so that crops have room."""

    pictures: PictureBank
    captions: list[str]
    labels: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.captions)


@dataclass
class Run:
    """One training run: model, data and where it stands; `folder` is where it goes on from after a kill."""

    encoder: Encoder
    examples: Examples
    trial: Trial
    options: TrainOptions      # settled
    world: World
    folder: Path
    identity: Mapping[str, Any]
    started: float
    stopped_by: str = "epochs"
    _best: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        model = self.encoder.model.to(self.world.device, memory_format=torch.channels_last)
        self._model = model
        with torch.random.fork_rng():
            torch.manual_seed(self.options.seed)      # what a method adds begins at random
            self._merge = prepared(model, self.options.method, self.options.rank, self.options.loss)
        model.to(self.world.device)
        if self.options.activation_checkpointing:
            model.set_grad_checkpointing(True)
        self._tokenizer = remembering(self.encoder.tokenizer)
        self._weights = weights_of(self.examples.labels, self.options.balance)
        self._stepper = Stepper(model, self.encoder.preprocessing, self.options, self.world)
        self._progress = Progress()
        self._saved_at = time.monotonic()

    def all_epochs(self) -> tuple[Epoch, list[Epoch]]:
        """Train to the end: the epoch kept, whose weights the model is left with, and all epochs."""
        self._resume()
        history = self._progress.history
        curves = Curves(self.folder, self._progress.steps) if self.world.writes else None
        try:
            while not self._is_patience_over() and len(history) < (planned := self._planned_epochs()):
                self._one_epoch(planned, curves)
        finally:
            if curves is not None:
                curves.close()
        if self._is_patience_over():
            self.stopped_by = "patience"
        elif len(history) < (self.options.epochs or 0):
            self.stopped_by = "clock"
        with torch.no_grad():
            for name, tensor in changing(self._model).items():
                tensor.copy_(self._best[name])
        self._merge()
        return history[(self._progress.kept or 1) - 1], history

    def _resume(self) -> None:
        stepper = self._stepper
        found = load_state(self.folder, self._model, stepper.optimizer, stepper.scaler, self.identity)
        if found is not None:
            self._progress, self._best = found
            self.started -= self._progress.elapsed_s
            place = len(self._progress.history), len(self._progress.losses)
            log.info("resumed after epoch=%d batch=%d", *place)

    def _save(self) -> None:
        self._progress.elapsed_s = self._elapsed()
        if self.world.writes:
            stepper = self._stepper
            save_state(
                self.folder, self._model, stepper.optimizer, stepper.scaler, self._progress, self._best,
                self.identity,
            )
        self._saved_at = time.monotonic()

    def _is_time_to_save(self) -> bool:
        return bool(self.world.agreed(time.monotonic() - self._saved_at >= self.options.save_seconds))

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def _planned_epochs(self) -> int:
        """How many epochs there will be in all, as far as their time so far tells."""
        took, seconds, wanted = self._progress.took, self.options.seconds, self.options.epochs or 0
        if seconds is None or len(took) < EPOCHS_TO_KNOW:
            return wanted
        left = self.world.agreed(seconds - self._elapsed())
        return min(wanted, len(took) + max(0, int(left / median(took))))

    def _one_epoch(self, planned: int, curves: Curves | None) -> None:
        began, progress, rate = time.monotonic(), self._progress, 0.0
        losses, pending = progress.losses, list[Any]()
        set_training(self._model)
        for batch, part in one_ahead(self._batches(len(progress.history), skip=len(losses))):
            if len(pending) >= STEPS_A_LOOK:      # there is a batch to go on with: the end saves for itself
                losses += self._looked_at(pending, rate, curves)
                if self._is_time_to_save():
                    self._save()
            rate = self._rate(part, planned)
            pending.append(self._stepper.step(batch, rate))
            progress.steps += 1
        losses += self._looked_at(pending, rate, curves)
        self._end_epoch(began, planned, rate, curves)

    def _end_epoch(self, began: float, planned: int, rate: float, curves: Curves | None) -> None:
        progress, watch = self._progress, self.options.watch
        number = len(progress.history) + 1
        judged = self.options.keep_best or self.options.patience or number % EPOCHS_A_LOOK == 0
        metrics = self.trial.metrics(self._model, self.world.device) if judged or number == planned else {}
        watched = self.world.agreed(sum(side[watch] for side in metrics.values()) / 2) if metrics else None
        loss, scale = float(np.mean(progress.losses)), float(self._model.logit_scale.detach().exp())
        epoch = Epoch(number, loss, self._elapsed(), metrics, watched, rate, scale)
        kept = progress.history[progress.kept - 1].watched if progress.kept else None
        if kept is None or not self.options.keep_best or (watched is not None and watched > kept):
            progress.kept = number
            self._best = {name: tensor.detach().clone() for name, tensor in changing(self._model).items()}
        progress.history.append(epoch)
        progress.losses = []
        progress.took.append(time.monotonic() - began)
        if curves is not None:
            curves.add(progress.steps, _told(epoch, watch))
        if self.world.writes:
            told = "" if watched is None else f" val={watched:.3f}"
            log.info("epoch=%d/%d loss=%.3f%s", number, planned, loss, told)
        if self._is_time_to_save():
            self._save()

    def _looked_at(self, pending: list[Any], rate: float, curves: Curves | None) -> list[float]:
        """The losses of the last steps as numbers; raises EncoderError where one is none."""
        found: list[float] = torch.stack(pending).float().tolist() if pending else []
        pending.clear()
        if not all(math.isfinite(loss) for loss in found):
            raise EncoderError("the loss is no number any more; give a lower --learning-rate")
        if found and curves is not None:
            curves.add(self._progress.steps, {"train/loss": found[-1], "train/learning_rate": rate})
        return found

    def _is_patience_over(self) -> bool:
        if self.options.patience is None or not self._progress.history:
            return False
        best = max(self._progress.history, key=lambda epoch: (epoch.watched or 0.0, -epoch.number)).number
        return len(self._progress.history) - best >= self.options.patience

    def _rate(self, part: float, planned: int) -> float:
        place = len(self._progress.history) + part
        share = schedule(place, planned, self.options.warmup_epochs or 0.0)
        return share * (self.options.learning_rate or 0.0)

    def _batches(self, epoch: int, skip: int) -> Iterator[tuple[Batch, float]]:
        """The rest of an epoch's batches, each with how much of the epoch is over before it."""
        size = self.options.batch_size * self.options.accumulate * self.world.size
        seed = (self.options.seed, epoch)
        parts = batches(len(self.examples), size, self._weights, seed, self.world.size)
        for i, rows in enumerate(parts):
            if i >= skip:
                yield self._batch(rows.tolist(), epoch, i), i / len(parts)

    def _batch(self, rows: list[int], epoch: int, number: int) -> Batch:
        """One batch: every process draws the same texts and changes, and takes its own share of them."""
        dice = np.random.default_rng([self.options.seed, epoch, number])
        prompts = [self._prompt(row, dice) for row in rows]
        seed = int(dice.integers(2**62))
        changes = None
        if self.options.augmentation is not None:
            changes = drawn(len(rows), self.options.augmentation, torch.Generator().manual_seed(seed))
        share = len(rows) // self.world.size
        own = slice(self.world.rank * share, (self.world.rank + 1) * share)
        return Batch(
            pictures=self.examples.pictures.take(rows[own]), changes=changes and changes.of(own),
            tokens=self._tokenizer([prompt.text for prompt in prompts[own]]),
            pairs=relation(prompts, [self.examples.labels[row] for row in rows]), seed=seed,
        )

    def _prompt(self, row: int, dice: np.random.Generator) -> Prompt:
        return prompt_of(self.examples.captions[row], self.examples.labels[row], self.options.prompts, dice)


def schedule(place: float, planned: float, warmup: float) -> float:
    """The learning rate's share at a place of the plan, both in epochs: a line up, a cosine down to 0."""
    if place < warmup:
        return (place + 0.01) / (warmup + 0.01)
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (place - warmup) / max(planned - warmup, 1e-9)))


def require_room(folder: Path) -> None:
    """Make the folder a run works in; raises LakeError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise LakeError(f"cannot make {folder}: {e.strerror}; mend that, then run again") from e


def _told(epoch: Epoch, watch: str) -> dict[str, float]:
    found = {
        f"val/{side}/{name}": values[name]
        for side, values in epoch.metrics.items() for name in ("R@1", "R@5", "R@10")
    }
    own = {"train/epoch_loss": epoch.loss, "train/scale": epoch.scale}
    mean = {} if epoch.watched is None else {f"val/mean_{watch}": epoch.watched}
    return own | mean | found
