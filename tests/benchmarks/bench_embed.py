"""embed: pictures per second from files to vectors beside the bare forward pass of the same model.

    python -m tests.benchmarks.bench_embed [--quick] [--device cuda] [--model ViT-B-32]

Weights are random: speed does not depend on them. Both sides take the same batches in the same run, in turns,
and the best turn of each counts. `files` is what `glamlake embed` does but for its commits: read, decode,
resize, normalise, encode; `forward` is the model alone on tensors that are ready, called as anybody calls it,
with torch's own threads. `files` computes a batch in parts on a processor (models/streams.py).
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

from models.clip import Encoder
from models.pixels import as_input, read_batches
from models.placing import choose_device, has_bf16
from tests.benchmarks._table import measured, show

SIDE = 512
ROUNDS = 3


def main() -> None:
    """Print pictures per second, and the ratios that were promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--model", default="ViT-B-32")
    asked = parser.parse_args()
    device = choose_device(asked.device)
    n, batch_size = (16, 8) if asked.quick else (512 if device.type == "cpu" else 8192, 128)
    encoder = random_encoder(asked.model).placed(str(device), "float32")
    with tempfile.TemporaryDirectory() as folder:
        paths = photographs(Path(folder), min(n, 512)) * max(1, n // 512)
        batches = [paths[i:i + batch_size] for i in range(0, n, batch_size)]
        rows = [run(encoder, batches, "float32")]
        if has_bf16(device):
            rows.append(run(encoder.placed(str(device), "bf16"), batches, "bf16"))
    show(f"{n} JPEGs of {SIDE} px, {asked.model} on {device.type}, {torch.get_num_threads()} threads", rows)
    promised = 0.9 if device.type == "cpu" else 0.8
    for row in rows:
        measured("embed", f"pictures/s from files, {row['precision']}", float(row["files"]),
                 peer=float(row["forward"]), peer_name="bare forward pass", ratio_at_least=promised)
    if len(rows) == 2:
        measured("embed", "pictures/s, bf16 beside float32", float(rows[1]["forward"]),
                 peer=float(rows[0]["forward"]), peer_name="float32", ratio_at_least=2.5)


def run(encoder: Encoder, batches: Sequence[Sequence[Path]], precision: str) -> dict[str, str | float]:
    """Pictures per second of both sides, in turns."""
    pixels, loaders = encoder.pixels(), torch.get_num_threads()
    in_processes = not encoder.place.startswith("cpu")
    read = read_batches(batches, pixels, loaders)
    ready = [as_input(batch.pixels, encoder.preprocessing, encoder._like) for batch in read]

    def files() -> None:
        for batch in read_batches(batches, pixels, loaders, in_processes):
            encoder.encode_pixels(batch.pixels)

    def forward() -> None:
        with torch.inference_mode():
            for tensor in ready:
                encoder.model.encode_image(tensor)
        if in_processes:
            torch.cuda.synchronize()

    forward()
    n = sum(len(batch) for batch in batches)
    turns = [(n / seconds(files), n / seconds(forward)) for _ in range(ROUNDS)]
    from_files, bare = (max(side) for side in zip(*turns, strict=True))
    return {"precision": precision, "files": from_files, "forward": bare, "ratio": from_files / bare}


def seconds(work: Callable[[], None]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def random_encoder(name: str) -> Encoder:
    """An architecture of open_clip's with random weights."""
    torch.manual_seed(0)
    structure = open_clip.get_model_config(name)
    model = open_clip.create_model(name, load_weights=False, pretrained_text=False)
    return Encoder(model, open_clip.SimpleTokenizer(), {"name": name, "model_cfg": structure})


def photographs(folder: Path, n: int) -> list[Path]:
    """JPEGs of the size archives give as previews, with the detail and the bytes of photographs."""
    dice = np.random.default_rng(0)
    paths = []
    for i in range(n):
        coarse = Image.fromarray(dice.integers(0, 255, (24, 24, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        grain = dice.normal(0, 6, (SIDE, SIDE, 1))
        drawn = np.clip(np.asarray(coarse, dtype=np.float64) + grain, 0, 255).astype(np.uint8)
        paths.append(folder / f"{i:05}.jpg")
        Image.fromarray(drawn).save(paths[-1], quality=85)
    return paths


if __name__ == "__main__":
    main()
