"""What models are in the lake: encoders that have vectors or were trained here, and heads on vectors."""

import json
from pathlib import Path
from typing import Any

from lake import Lake
from lake.vectors import ModelInfo, VectorStore
from models.encoder import CONFIG_FILE
from models.head_files import CARD, FOLDER

Row = dict[str, Any]

_CARD_OF_ENCODER = "model_card.json"


def model_rows(lake: Lake) -> list[Row]:
    """One row for each model: what it is, where its weights are, what it was made from, how well it does."""
    store = VectorStore(lake)
    known = store.models()
    rows = [_embedded(lake, store, info) for info in known]
    seen = {row["model_id"] for row in rows}
    trained = [_trained(lake, path.parent) for path in sorted(lake.models.glob(f"*/{_CARD_OF_ENCODER}"))]
    rows += [row for row in trained if row["model_id"] not in seen]
    return rows + [_heads(lake, path.parent) for path in sorted(lake.models.glob(f"{FOLDER}/*/*/{CARD}"))]


def _embedded(lake: Lake, store: VectorStore, info: ModelInfo) -> Row:
    card = _read(lake.root / info.checkpoint / _CARD_OF_ENCODER) if info.checkpoint else {}
    return {
        "model_id": info.model_id, "kind": "encoder", "architecture": _architecture(info),
        "weights": info.fingerprint[:12] or None, "n_vectors": store.count(info.model_id), "dim": info.dim,
        "metrics": _evaluated(lake, info.model_id) or _card_metrics(card),
        "data_version": (card.get("data") or {}).get("version"), "made_at": info.embedded_at[:19],
        "place": info.checkpoint,
    }


def _trained(lake: Lake, folder: Path) -> Row:
    card = _read(folder / _CARD_OF_ENCODER)
    config = _read(folder / CONFIG_FILE)
    return {
        "model_id": card.get("model_id"), "kind": "encoder", "architecture": config.get("name"),
        "weights": str(card.get("model_id") or "").rpartition("-")[2] or None, "n_vectors": 0,
        "dim": (config.get("model_cfg") or {}).get("embed_dim"), "metrics": _card_metrics(card),
        "data_version": (card.get("data") or {}).get("version"),
        "made_at": str(card.get("trained_at") or "")[:19] or None,
        "place": str(folder.relative_to(lake.root)),
    }


def _heads(lake: Lake, folder: Path) -> Row:
    card = _read(folder / CARD)
    best = card.get("best")
    found = (card.get("methods") or {}).get(best) or {}
    return {
        "model_id": f"{card.get('model_id')}/{folder.name}", "kind": "heads", "architecture": f"best: {best}",
        "weights": str(card.get("weights") or "")[:12] or None, "n_vectors": None,
        "dim": card.get("dim"), "metrics": _told(found, ("R-Precision", "Acc@1")),
        "data_version": (card.get("data") or {}).get("version"),
        "made_at": str(card.get("trained_at") or "")[:19], "place": str(folder.relative_to(lake.root)),
    }


def _architecture(info: ModelInfo) -> str:
    if not info.checkpoint:
        return f"{info.model} {info.pretrained}".strip()
    return info.model_id.rsplit("-", 1)[0]


def _evaluated(lake: Lake, model_id: str) -> str:
    """The newest evaluation of the model that is kept, in short."""
    kept = sorted(lake.reports.glob(f"evaluation/{model_id}/*/metrics.json"), key=lambda p: p.stat().st_mtime)
    if not kept:
        return ""
    found = _read(kept[-1])
    told = _told(found.get("text_to_image") or {}, ("R@1", "R@10"))
    return f"{'+'.join(found.get('splits', []))}: {told}" if told else ""


def _card_metrics(card: Row) -> str:
    told = _told((card.get("val") or {}).get("text_to_image") or {}, ("R@1", "R@10"))
    return f"val: {told}" if told else ""


def _told(found: Row, names: tuple[str, ...]) -> str:
    """Metrics with their intervals."""
    parts = []
    for name in names:
        if isinstance(found.get(name), float):
            low, high = (found.get("intervals") or {}).get(name, (None, None))
            spread = f" ({low:.3f} to {high:.3f})" if low is not None else ""
            parts.append(f"{name} {found[name]:.3f}{spread}")
    return ", ".join(parts)


def _read(path: Path) -> Row:
    """A card's content; {} where there is none or it is broken, which a list of models has to survive."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
