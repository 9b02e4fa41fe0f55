"""What is told of a trained model beside its weights: as JSON for programs, as a page for people."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from models.options import TrainOptions

_TOLD = ("glamlake", "torch", "open_clip_torch", "torchvision", "numpy", "pillow", "safetensors", "peft")


def environment(device: Any, world_size: int) -> dict[str, Any]:
    """Machine and versions, as far as they can change what comes out."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu"
    return {
        "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
        "device": f"{device.type} ({name})", "processes": world_size, "threads": torch.get_num_threads(),
        "versions": {package: found for package in _TOLD if (found := _version(package))},
    }


def plain_options(options: TrainOptions) -> dict[str, Any]:
    """The options as JSON takes them."""
    return dict(_plain(asdict(options)))


def card_page(card: Mapping[str, Any]) -> str:
    """The card as Markdown: what it is, what it was made from, how well it finds."""
    data, options, env = card["data"], card["options"], card["environment"]
    start = card["start"] or "random weights"
    parts = [
        f"# {card['model_id']}",
        f"A CLIP that glamlake trained on `{data['name']}`, version {data['version']} ({data['n_train']} "
        f"pictures to learn from, {data['n_val']} held out), from {start}, by `{options['method']}` with the "
        f"{options['loss']} loss. Kept: epoch {card['kept_epoch']} of {len(card['history'])}, ended by "
        f"{card['stopped_by']}.",
        "## How well it finds\n\n" + _table(card["val"], card["options"]["keep_best"]),
        "## How to use it\n\n    glamlake embed --checkpoint FOLDER\n    "
        "open_clip.create_model_and_transforms('local-dir:FOLDER')",
        "## Limits\n\nIt knows the words and pictures it was shown, with the prejudices of those who "
        "described them. Pictures keep the rights of their holders; see the data set's attributions.",
        "## Options\n\n" + _list(options),
        "## Environment\n\n" + _list(env),
    ]
    return "\n\n".join(parts) + "\n"


def _table(val: Mapping[str, Any], chosen_by_it: bool) -> str:
    lines = ["| val split | found | 95 % interval | chance |", "|---|---|---|---|"]
    for side, found in val.items():
        for name in ("R@1", "R@5", "R@10"):
            low, high = found["intervals"][name]
            row = (f"{side.replace('_', ' ')} {name}", f"{found[name]:.3f}", f"{low:.3f} to {high:.3f}")
            lines.append(f"| {' | '.join(row)} | {found['chance'][name]:.3f} |")
    if chosen_by_it:
        lines.append("\nThe epoch was chosen by this split, so these numbers flatter it.")
    return "\n".join(lines)


def _list(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in values.items())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value
