"""What training tests train on: drawings of four shapes as an export, and a transformer of two layers."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import webdataset
from open_clip.model import set_model_preprocess_cfg
from PIL import Image, ImageDraw

from models.checkpoint import write_checkpoint
from models.clip import Encoder

SHAPES = ("circle", "square", "cross", "stripes")
WEIGHTS = "open_clip_model.safetensors"
VIT: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
VIT_PREPROCESSING: dict[str, Any] = {
    "size": 32, "mode": "RGB", "mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28],
    "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0,
}


def drawing(shape: str, seed: int) -> bytes:
    """One of four shapes, somewhere, in some grey."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (72, 72), tuple(int(rng.integers(150, 255)) for _ in range(3)))
    (x, y), ink = rng.integers(10, 30, 2).tolist(), (int(rng.integers(0, 60)),) * 3
    draw = ImageDraw.Draw(picture)
    if shape == "circle":
        draw.ellipse((x, y, x + 32, y + 32), fill=ink)
    elif shape == "square":
        draw.rectangle((x, y, x + 30, y + 30), outline=ink, width=5)
    elif shape == "cross":
        draw.line((x, y, x + 32, y + 32), fill=ink, width=6)
        draw.line((x + 32, y, x, y + 32), fill=ink, width=6)
    else:
        for at in range(0, 72, 12):
            draw.line((0, at, 72, at), fill=ink, width=4)
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


def write_shard(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with webdataset.TarWriter(str(path)) as shard:
        for row in rows:
            shard.write(row)


def sample(i: int, split: str) -> dict[str, Any]:
    shape = SHAPES[i % len(SHAPES)]
    seed = i + (1000 if split == "val" else 0)
    return {
        "__key__": f"{seed:016x}", "jpg": drawing(shape, seed), "txt": f"drawing of a {shape}",
        "json": json.dumps({"labels": [shape]}).encode(),
    }


def write_export(folder: Path, n_train: int = 48, n_val: int = 16) -> Path:
    """An export as `glamlake export webdataset` lays it out: drawings to train on, and held out."""
    first = n_train * 2 // 3
    write_shard(folder / "train" / "00000.tar", [sample(i, "train") for i in range(first)])
    write_shard(folder / "train" / "00001.tar", [sample(i, "train") for i in range(first, n_train)])
    write_shard(folder / "val" / "00000.tar", [sample(i, "val") for i in range(n_val)])
    (folder / "manifest.json").write_text(json.dumps({"name": "shapes", "version": "abc123", "counts": {}}))
    return folder


def vit_encoder(seed: int = 0, **more: Any) -> Encoder:
    """Two layers of each tower, random weights; nothing in it depends on the rest of a batch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**VIT, **more)
    set_model_preprocess_cfg(model, VIT_PREPROCESSING)
    config = {"name": "tiny-vit", "model_cfg": {**VIT, **more}, "preprocess_cfg": VIT_PREPROCESSING}
    return Encoder(model, open_clip.SimpleTokenizer(context_length=16), config)


def vit_checkpoint(path: Path, seed: int = 0) -> Path:
    """The same as a checkpoint folder."""
    encoder = vit_encoder(seed)
    write_checkpoint(path, encoder.model, encoder.config, {"model_id": encoder.model_id})
    return path
