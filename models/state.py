"""Where a training run stands, as one file: weights that learn, the optimiser's memory, the place reached.

Order, texts, augmentation and dropout follow from the seed and the place, so no dice have to be kept. The
file appears whole or not at all; it is safetensors, with what is no tensor as JSON in its header.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lake.drafts import cannot_write
from lake.errors import UsageError

STATE_FILE = "state.safetensors"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Epoch:
    """How one epoch went: mean loss over the train split, retrieval on the val split.

    `watched` is what the best epoch is chosen by: a metric, as the mean of both directions. An epoch that was
    not judged has None, and no metrics.
    """

    number: int
    loss: float
    elapsed_s: float
    metrics: dict[str, Any]
    watched: float | None
    rate: float = 0.0
    scale: float = 0.0


@dataclass
class Progress:
    """The place reached: epochs done, batches done of the next one, and what both told."""

    history: list[Epoch] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)    # of the epoch that has begun, one a batch
    kept: int | None = None                               # number of the epoch whose weights are kept
    took: list[float] = field(default_factory=list)      # seconds of each epoch
    elapsed_s: float = 0.0
    steps: int = 0


def save_state(
    folder: Path, model: Any, optimizer: Any, scaler: Any, progress: Progress, best: Mapping[str, Any],
    identity: Mapping[str, Any],
) -> None:
    """Write the state of a run in place of an older one; raises LakeError where that cannot be done."""
    tensors = {f"model.{name}": tensor for name, tensor in changing(model).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for name, weight in _learning(model).items():
        moments = optimizer.state.get(weight, {})
        tensors |= {f"{moment}.{name}": moments[moment] for moment in _MOMENTS if moment in moments}
    told = {"progress": asdict(progress), "identity": identity, "scaler": scaler.state_dict()}
    write_tensors(folder / STATE_FILE, tensors, {"state": json.dumps(told)})


def load_state(
    folder: Path, model: Any, optimizer: Any, scaler: Any, identity: Mapping[str, Any],
) -> tuple[Progress, dict[str, Any]] | None:
    """Put a run where its file says; its progress and its best weights, or None where there is no file.

    Raises UsageError for a file of another run, or one that cannot be read.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    told, tensors = _read(path)
    _require_same(path, told["identity"], identity)
    here = changing(model)
    with torch.no_grad():
        for name, tensor in here.items():
            tensor.copy_(tensors[f"model.{name}"])
        for name, weight in _learning(model).items():
            if f"exp_avg.{name}" in tensors:
                optimizer.state[weight] = _moments(weight, name, tensors)
    scaler.load_state_dict(told["scaler"])
    best = {name: tensors[f"best.{name}"] for name in here if f"best.{name}" in tensors}
    return _progress(told["progress"]), best


def changing(model: Any) -> dict[str, Any]:
    """What a run changes, by name: weights that learn, buffers, and weights under peft's additions.

    Its attention layers add to those and take away again at each step, which leaves rounding behind.
    """
    kept = {name for name, _ in model.named_buffers()} | set(_learning(model))
    kept |= {name for name, _ in model.named_parameters() if ".base_layer." in name}
    return {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if name in kept}


def write_tensors(path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file that appears whole or not at all; raises LakeError where that cannot be."""
    draft = path.with_name(f".{path.name}.draft")
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(plain, draft, dict(metadata or {}))
        draft.chmod(path.parent.stat().st_mode & 0o666)     # it comes readable by its owner only
        draft.replace(path)
    except (OSError, SafetensorError) as e:
        with suppress(OSError):
            draft.unlink()
        raise cannot_write(path, e) from e


def _learning(model: Any) -> dict[str, Any]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def _moments(weight: Any, name: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """AdamW's memory of a weight, laid out as the weight is: its kernels walk both side by side."""
    moments = {
        moment: torch.empty_like(weight).copy_(tensors[f"{moment}.{name}"])
        for moment in ("exp_avg", "exp_avg_sq")
    }
    return {"step": tensors[f"step.{name}"].to(weight.device), **moments}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is no mapping
            told = json.loads((file.metadata() or {})["state"])
    except (SafetensorError, OSError, ValueError, KeyError) as e:
        raise UsageError(f"{path} cannot be read; begin anew with --restart") from e
    return told, tensors


def _require_same(path: Path, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    plain = json.loads(json.dumps(ours))
    others = sorted(key for key in plain.keys() | theirs.keys() if plain.get(key) != theirs.get(key))
    if others:
        raise UsageError(
            f"{path.parent} holds training begun with other {', '.join(others)}; give them as they were, "
            "or begin anew with --restart"
        )


def _progress(told: dict[str, Any]) -> Progress:
    return Progress(**{**told, "history": [Epoch(**epoch) for epoch in told["history"]]})
