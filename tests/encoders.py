"""A tiny encoder with random weights, as a checkpoint folder: what tests embed with."""

from pathlib import Path

import torch

from models.checkpoint import write_checkpoint
from models.tiny import tiny_encoder

torch.set_num_threads(1)


def tiny_checkpoint(path: Path, seed: int = 0) -> Path:
    """Write the checkpoint folder `path`; equal seeds give equal weights."""
    encoder = tiny_encoder(seed)
    write_checkpoint(path, encoder.model, encoder.config, {"model_id": encoder.model_id})
    return path
