"""A trained model as a folder that plain open_clip loads as `local-dir:FOLDER`; it appears whole or not."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lake.drafts import in_place_of
from models.encoder import CONFIG_FILE, WEIGHTS_FILE
from models.state import write_tensors

CARD_FILE = "model_card.json"


def write_checkpoint(
    out: Path, model: Any, config: Mapping[str, Any], card: Mapping[str, Any],
    more: Mapping[str, Path] | None = None,
) -> None:
    """Write config, weights, card and `more` files as the folder `out`, in place of an older one.

    Raises LakeError where there is no room; what was there is then as it was.
    """
    with in_place_of(out) as draft:
        _write_json(draft / CONFIG_FILE, config)
        _write_json(draft / CARD_FILE, card)
        for name, path in (more or {}).items():
            (draft / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, draft / name)
        write_tensors(draft / WEIGHTS_FILE, model.state_dict())


def read_card(folder: Path) -> dict[str, Any]:
    """The model card in a checkpoint folder; empty where there is none."""
    path = folder / CARD_FILE
    card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return card


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
