"""One step of the optimiser: features of both towers, the loss over the whole batch, the weights moved."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from models.augment import Changes
from models.bank import normalised
from models.loss import loss_of
from models.options import TrainOptions
from models.prompts import Relation
from models.world import World

HIGHEST_SCALE = 100.0      # CLIP's own bound on its inverse temperature
BETAS = (0.9, 0.98)         # CLIP's: in few steps 0.999 would remember the first ones for ever
_KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Batch:
    """A process's pictures (n, 3, h, w) as bytes, how each is changed, its tokens; pairs of all processes."""

    pictures: Any
    changes: Changes | None
    tokens: Any
    pairs: Relation
    seed: int


class Stepper:
    """Moves a model's weights, batch by batch."""

    def __init__(self, model: Any, wanted: Any, options: TrainOptions, world: World) -> None:
        self._model = model
        self._wanted = wanted
        self._options = options
        self._world = world
        self._called = model
        if world.size > 1:
            places = None if world.device.type == "cpu" else [world.device]
            self._called = DistributedDataParallel(model, device_ids=places)
        self.optimizer = torch.optim.AdamW(
            parameter_groups(model, options.weight_decay or 0.0), lr=0.0, betas=BETAS, fused=True,
        )
        self.scaler = torch.amp.GradScaler(world.device.type, enabled=options.precision == "fp16")
        self._loss = loss_of(options.loss, world.rank, world.size)

    def step(self, batch: Batch, rate: float) -> Any:
        """One step at this learning rate; the loss before it, still on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        parts = list(self._parts(batch))
        cached = self._cached(parts, batch.seed) if len(parts) > 1 else []
        pairs = batch.pairs.to(self._world.device)
        for j, part in enumerate(parts):
            with self._sync(last=j == len(parts) - 1):
                loss = self._loss_of_part(part, j, cached, pairs, batch.seed)
                self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        with torch.no_grad():
            self._model.logit_scale.clamp_(0, math.log(HIGHEST_SCALE))
        return loss.detach()

    def _loss_of_part(self, part: Any, j: int, cached: list[Any], pairs: Relation, seed: int) -> Any:
        """The batch's loss with part j's features alive and the others' as they were cached.

        The parts' gradients add up to the whole batch's; the temperature, which all of them see, learns once.
        """
        seen, read, scale, bias = self._features(part, seed + j)
        if cached:
            last = j == len(cached) - 1
            scale, bias = (x if last or x is None else x.detach() for x in (scale, bias))
            seen = torch.cat([*(c[0] for c in cached[:j]), seen, *(c[0] for c in cached[j + 1:])])
            read = torch.cat([*(c[1] for c in cached[:j]), read, *(c[1] for c in cached[j + 1:])])
        return self._loss(seen, read, scale, bias, pairs)

    def _cached(self, parts: list[Any], seed: int) -> list[Any]:
        with torch.no_grad():
            return [self._features(part, seed + j)[:2] for j, part in enumerate(parts)]

    def _features(self, part: tuple[Any, Any], seed: int) -> tuple[Any, Any, Any, Any]:
        """Both towers' features as float32, the inverse temperature, the bias or None."""
        with _dice_of_its_own(seed, self._world.device), self._autocast():
            found = self._called(*part)
        if isinstance(found, dict):
            found = [found.get(n) for n in ("image_features", "text_features", "logit_scale", "logit_bias")]
        seen, read, scale, *bias = found
        return seen.float(), read.float(), scale, bias[0] if bias else None

    def _parts(self, batch: Batch) -> Iterator[tuple[Any, Any]]:
        """The batch in `accumulate` parts: pictures as the model's input, and tokens, on the device."""
        n = len(batch.tokens)
        size = -(-n // self._options.accumulate)
        for start in range(0, n, size):
            rows = slice(start, start + size)
            yield self._input(batch, rows), batch.tokens[rows].to(self._world.device, non_blocking=True)

    def _input(self, batch: Batch, rows: slice) -> Any:
        pictures = batch.pictures[rows].to(self._world.device, non_blocking=True).float() / 255
        if batch.changes is not None:
            height, width = self._wanted.input_size[1:]
            pictures = batch.changes.of(rows).applied(pictures, (height, width))
        return normalised(pictures, self._wanted)

    def _sync(self, last: bool) -> AbstractContextManager[Any]:
        alone = self._world.size == 1
        return nullcontext() if last or alone else self._called.no_sync()

    def _autocast(self) -> AbstractContextManager[Any]:
        kind = _KINDS.get(self._options.precision)
        return torch.autocast(self._world.device.type, dtype=kind) if kind else nullcontext()


@contextmanager
def _dice_of_its_own(seed: int, device: Any) -> Iterator[None]:
    """Dropout that follows from the seed alone, so that nothing random has to be remembered."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def parameter_groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases, norms and the temperature do not. What is frozen is in neither."""
    learning = [p for p in model.parameters() if p.requires_grad]
    decayed = [p for p in learning if p.ndim >= 2]
    free = [p for p in learning if p.ndim < 2]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
