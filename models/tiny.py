"""The small CLIP that `glamlake demo` trains: a narrow ResNet beside a one-layer text transformer.

Three hundred pictures and a minute are too little for a vision transformer; convolutions know beforehand that
neighbouring pixels belong together. Nearly all of its weights are the 49,408 words of CLIP's vocabulary.
"""

from typing import Any

import open_clip
import torch
from open_clip.model import set_model_preprocess_cfg

from models.clip import Encoder

TINY_NAME = "glamlake-tiny"
TINY_MODEL: dict[str, Any] = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 1},
}
TINY_PREPROCESSING: dict[str, Any] = {
    "size": 64, "mode": "RGB", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic",
    "resize_mode": "squash", "fill_color": 0,
}


def tiny_encoder(seed: int) -> Encoder:
    """The small model with random weights that follow from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**TINY_MODEL)
    set_model_preprocess_cfg(model, TINY_PREPROCESSING)
    tokenizer = open_clip.SimpleTokenizer(context_length=TINY_MODEL["text_cfg"]["context_length"])
    config = {"name": TINY_NAME, "model_cfg": TINY_MODEL, "preprocess_cfg": TINY_PREPROCESSING}
    return Encoder(model, tokenizer, config)
