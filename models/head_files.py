"""A facet's annotator as files: safetensors for the weights, a JSON card for everything else."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lake import Lake
from lake.drafts import cannot_write, in_place_of
from lake.errors import EmptyLake, EncoderError
from models.calibration import Platt
from models.ensemble import Annotator
from models.head_layout import layout_of
from models.heads import Head

WEIGHTS, CARD = "heads.safetensors", "card.json"
FOLDER = "heads"


def heads_folder(lake: Lake, model_id: str) -> Path:
    """Where the heads on one model's vectors lie, one folder for each facet."""
    return lake.models / FOLDER / model_id


def write_annotator(folder: Path, annotator: Annotator, card: Mapping[str, Any]) -> None:
    """Write the folder, in place of an older one; it appears whole or not at all.

    Raises LakeError where that cannot be done, for want of room mostly; what was there is then as it was.
    """
    tensors = {"prompts": annotator.prompts}
    for kind, head in annotator.heads.items():
        tensors |= {f"{kind}.weight": head.weight, f"{kind}.bias": head.bias}
    told = {
        "facet": annotator.facet, "labels": list(annotator.labels), "ways": [list(w) for w in annotator.ways],
        "penalties": {kind: head.penalty for kind, head in annotator.heads.items()},
        "temperature": annotator.temperature, "methods": annotator.methods, "best": annotator.best,
        "curves": {name: asdict(curve) for name, curve in annotator.curves.items()},
    }
    about = {**card, "dim": annotator.prompts.shape[1], "annotator": told}
    plain = {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}
    try:
        _write(folder, plain, about)
    except SafetensorError as e:
        raise cannot_write(folder, e) from e


def _write(folder: Path, tensors: dict[str, Any], about: dict[str, Any]) -> None:
    with in_place_of(folder) as draft:
        save_file(tensors, draft / WEIGHTS)
        (draft / WEIGHTS).chmod(draft.stat().st_mode & 0o666)     # it comes readable by its owner only
        about["weights"] = hashlib.sha256((draft / WEIGHTS).read_bytes()).hexdigest()
        text = json.dumps(about, indent=2, ensure_ascii=False)
        (draft / CARD).write_text(text + "\n", encoding="utf-8")


def read_annotators(lake: Lake, model_id: str) -> dict[str, tuple[Annotator, dict[str, Any]]]:
    """Every facet's annotator on a model's vectors, with its card; raises EmptyLake where there is none."""
    folders = sorted(path.parent for path in heads_folder(lake, model_id).glob(f"*/{CARD}"))
    if not folders:
        raise EmptyLake(f"no head was trained on the vectors of {model_id} yet; run `glamlake heads` first")
    found = [read_annotator(folder) for folder in folders]
    return {annotator.facet: (annotator, card) for annotator, card in found}


def read_annotator(folder: Path) -> tuple[Annotator, dict[str, Any]]:
    """An annotator and its card; raises EncoderError where the files are broken."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text("utf-8"))
        tensors = load_file(folder / WEIGHTS)
        return _annotator(card["annotator"], tensors), card
    except (OSError, ValueError, KeyError, SafetensorError) as e:
        raise EncoderError(f"the head in {folder} cannot be read ({e}); run `glamlake heads` again") from e


def _annotator(told: dict[str, Any], tensors: Mapping[str, Any]) -> Annotator:
    ways = [tuple(way) for way in told["ways"]]
    heads = {
        kind: Head(
            kind, tensors[f"{kind}.weight"], tensors[f"{kind}.bias"], penalty, told["labels"], ways,
            layout_of(kind, told["labels"], ways),
        )
        for kind, penalty in told["penalties"].items()
    }
    return Annotator(
        told["facet"], told["labels"], ways, heads, tensors["prompts"], told["temperature"], told["methods"],
        told["best"], {name: Platt(**curve) for name, curve in told["curves"].items()},
    )
