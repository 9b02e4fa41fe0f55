"""What training learns, and how fast: on the demo's pictures, and where there is a CUDA device also there.

    python -m tests.benchmarks.bench_train [--quick] [--seeds 5]

(a) Held-out text-to-image R@1 of the demo's encoder after at most 90 s on two cores, over chance.
(b) The multi-positive loss beside plain CLIP on the demo's labels, few of which are common: Recall@10 of
    held-out pictures by their label, for the third of the labels with the fewest training pictures, with
    95 % intervals (bootstrap over labels) for each seed, and of the seeds' paired differences (bootstrap over
    seeds). Each picture's text is one of its labels, in half the split at once: where others' texts are right
    too is where the two losses differ.
(c) Samples a second of ViT-B-32 at batch 256 in bf16, data loading included, beside a bare open_clip loop on
    a batch that lies on the card already. Needs CUDA.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.model import set_model_preprocess_cfg
from scipy.sparse import csr_array

from lake import Lake
from lake.tables import RIGHTS_CLASSES
from models.bank import PictureBank, one_ahead
from models.clip import Encoder
from models.encoder import EncoderSpec, load_encoder
from models.epochs import Examples, Run
from models.intervals import Resampling, interval
from models.metrics import cosines, measure
from models.options import Prompts, TrainOptions, settled
from models.shards import Example, read_split
from models.step import BETAS, parameter_groups
from models.train import train
from models.trial import Trial
from models.world import World
from pipelines import exports
from pipelines.demo.show import collect
from tests.benchmarks._table import measured, show

SECONDS = 90.0
CHANCES = 10.0
BATCH, STEPS, WARM = 256, 40, 10
TAGGED = TrainOptions(prompts=Prompts(caption=0, one_tag=1), batch_size=123, epochs=25, keep_best=False)


def main() -> None:
    """Run what this machine can, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two seeds, few epochs: does it run at all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--export", type=Path, help="the demo's webdataset export, if it is there already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export = asked.export or demo_export(Path(folder))
        demo_learning(export, Path(folder), asked.quick)
        tail_recall(export, Path(folder), 2 if asked.quick else asked.seeds, asked.quick)
        if torch.cuda.is_available():
            throughput(export, Path(folder))
        else:
            print("no CUDA device here: samples a second beside a bare open_clip loop are not measured")


def demo_export(folder: Path) -> Path:
    """The demo's pictures as an export, made as `glamlake demo` makes it."""
    lake = Lake(folder / "lake").open()
    collect(lake)
    return exports.export_by_content(lake, "webdataset", exports.ExportOptions(rights=RIGHTS_CLASSES))


def demo_learning(export: Path, folder: Path, quick: bool) -> None:
    """(a): as the demo trains, with the clock as its only other limit."""
    options = TrainOptions(seconds=SECONDS, keep_best=False, epochs=6 if quick else None)
    report = train(export, folder / "demo", options)
    found = report.kept.metrics["text_to_image"]
    low, high = found["intervals"]["R@1"]
    print(
        f"demo: {len(report.history)} epochs in {report.elapsed_s:.0f} s, R@1 {found['R@1']:.3f} "
        f"({low:.3f} to {high:.3f}), chance {found['chance']['R@1']:.4f}",
    )
    by_chance = found["chance"]["R@1"]
    judged = [epoch for epoch in report.history if epoch.metrics]
    early = [e for e in judged if e.metrics["text_to_image"]["R@1"] >= CHANCES * by_chance]
    if early:
        print(f"{CHANCES:.0f} times chance after {early[0].number} epochs, {early[0].elapsed_s:.0f} s")
    chances = found["R@1"] / by_chance
    measured("train", "demo: held-out text-to-image R@1 over chance", chances, at_least=CHANCES)
    measured("train", "demo: seconds of training", report.elapsed_s, at_most=SECONDS)


def tail_recall(export: Path, folder: Path, n_seeds: int, quick: bool) -> None:
    """(b): both losses with each seed, same data, same batches."""
    held_out = list(read_split(export, "val"))
    counts = Counter(label for example in read_split(export, "train") for label in example.labels)
    tail = tail_labels(counts, held_out)
    recalls: dict[str, list[NDArray[np.float64]]] = {"multi-positive": [], "clip": []}
    rows = []
    for seed in range(n_seeds):
        for loss, found in recalls.items():
            options = replace(TAGGED, loss=loss, seed=seed, epochs=2 if quick else TAGGED.epochs)
            out = train(export, folder / f"{loss}-{seed}", options).checkpoint
            found.append(label_recall(load_encoder(EncoderSpec(checkpoint=out)), held_out, tail))
            rows.append({"loss": loss, "seed": seed, **told(found[-1])})
    rows += [{"loss": loss, "seed": "all", **told(np.mean(found, axis=1))} for loss, found in recalls.items()]
    gain = np.mean(recalls["multi-positive"], axis=1) - np.mean(recalls["clip"], axis=1)
    rows.append({"loss": "multi-positive − clip", "seed": "all", **told(gain)})
    show(f"Recall@10 of {len(tail)} tail labels, {len(held_out)} held-out pictures", rows)
    ours, peer = (float(np.mean(recalls[loss])) for loss in ("multi-positive", "clip"))
    measured("train", "tail Recall@10", ours, peer=peer, peer_name="plain CLIP loss", ratio_at_least=1.0)


def tail_labels(counts: Counter[str], held_out: Sequence[Example]) -> list[str]:
    """The third of the labels that are in both splits with the fewest training pictures."""
    there = {label for example in held_out for label in example.labels if counts[label]}
    ordered = sorted(there, key=lambda label: (counts[label], label))
    return ordered[:max(1, len(ordered) // 3)]


def label_recall(encoder: Encoder, held_out: Sequence[Example], labels: Sequence[str]) -> NDArray[np.float64]:
    """Recall@10 of each label: its held-out pictures among the ten nearest to its name."""
    pictures = encoder.encode_images([example.picture for example in held_out])
    right = csr_array(np.array([[float(label in e.labels) for e in held_out] for label in labels]))
    found = measure(cosines(encoder.encode_texts(labels), pictures), {"labels": right}, (10,))
    return found["labels"].values["Recall@10"]


def told(values: NDArray[np.float64]) -> dict[str, Any]:
    low, high = interval(values.reshape(-1, 1), Resampling())
    return {"Recall@10": float(values.mean()), "95 % interval": f"{low[0]:.3f} to {high[0]:.3f}"}


def throughput(export: Path, folder: Path) -> None:
    """(c): our run and the bare loop in turn, three times; the middle ratio."""
    ours, bare = [], []
    for _ in range(3):
        ours.append(our_rate(export, folder))
        bare.append(bare_rate())
    ratios = sorted(a / b for a, b in zip(ours, bare, strict=True))
    print(f"samples a second: ours {ours}, bare {bare}, ratios {ratios}")
    middle = sorted(ours)[1]
    measured(
        "train", "samples a second, ViT-B-32, batch 256, bf16", middle, peer=middle / ratios[1],
        peer_name="bare open_clip loop", ratio_at_least=0.95,
    )


def vit() -> Any:
    torch.manual_seed(0)
    return open_clip.create_model("ViT-B-32").cuda().train()


def our_rate(export: Path, folder: Path) -> float:
    """Our steps with everything they need: pictures cut and toned, texts drawn and tokenised."""
    model = vit()
    set_model_preprocess_cfg(model, model.visual.preprocess_cfg)
    config = {"name": "ViT-B-32", "model_cfg": open_clip.get_model_config("ViT-B-32"), "preprocess_cfg": {}}
    encoder = Encoder(model, open_clip.get_tokenizer("ViT-B-32"), config)
    learning = [example for _ in range(30) for example in read_split(export, "train")]
    bank = PictureBank([example.stored for example in learning], encoder.preprocessing, 9 / 8)
    examples = Examples(bank, [e.caption for e in learning], [e.labels for e in learning])
    trial = Trial(list(read_split(export, "val")), encoder.tokenizer, encoder.preprocessing)
    options = settled(TrainOptions(batch_size=BATCH, precision="bf16", epochs=1, start=EncoderSpec()))
    world = World(torch.device("cuda"))
    run = Run(encoder, examples, trial, options, world, folder / "state", {}, time.monotonic())
    return BATCH * steps_a_second(our_steps(run))


def our_steps(run: Run) -> Iterator[None]:
    """Steps of a run without end, as an epoch takes them."""
    for epoch in count():
        for batch, _ in one_ahead(run._batches(epoch, skip=0)):
            run._stepper.step(batch, 1e-5)
            yield


def bare_rate() -> float:
    """open_clip's step on one batch that is on the card already."""
    model, loss = vit(), open_clip.ClipLoss()
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.1), lr=1e-5, betas=BETAS, fused=True)
    pictures = torch.randn(BATCH, 3, 224, 224, device="cuda").contiguous(memory_format=torch.channels_last)
    tokens = open_clip.get_tokenizer("ViT-B-32")(["a ship"] * BATCH).cuda()

    def steps() -> Iterator[None]:
        while True:
            optimizer.zero_grad()
            with torch.autocast("cuda", dtype=torch.bfloat16):
                seen, read, scale = model(pictures, tokens)[:3]
                loss(seen, read, scale).backward()
            optimizer.step()
            yield

    return BATCH * steps_a_second(steps())


def steps_a_second(steps: Iterator[None]) -> float:
    for _ in range(WARM):
        next(steps)
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(STEPS):
        next(steps)
    torch.cuda.synchronize()
    return STEPS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
