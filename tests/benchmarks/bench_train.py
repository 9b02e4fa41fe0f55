"""What training learns, and how fast: on the demo's pictures, and where there is a CUDA device also there.

    python -m tests.benchmarks.bench_train [--quick] [--export FOLDER]

(a) Held-out text-to-image R@1 of the demo's encoder after at most 90 s on two cores, over chance.
(b) The multi-positive loss beside plain CLIP for rare labels: see rare_labels.py.
(c) Samples a second of the tiny encoder on one core of this machine, and where there is CUDA of ViT-B-32 at
    batch 256 in bf16: ours with everything a step needs (pictures from the bank, cropped, turned and tinted,
    texts drawn and tokenised), beside a bare open_clip loop on a batch that is where it is needed already.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import open_clip
import torch
from open_clip.model import set_model_preprocess_cfg

from lake import Lake
from lake.tables import RIGHTS_CLASSES
from models.bank import PictureBank, one_ahead
from models.clip import Encoder
from models.encoder import EncoderSpec
from models.epochs import Examples, Run
from models.options import TrainOptions, settled
from models.shards import read_split
from models.step import BETAS, parameter_groups
from models.tiny import tiny_encoder
from models.train import train
from models.trial import Trial
from models.world import World
from pipelines import exports
from pipelines.demo.show import collect
from tests.benchmarks._table import measured
from tests.benchmarks.rare_labels import rare_labels

SECONDS = 90.0
CHANCES = 10.0


@dataclass(frozen=True)
class Course:
    """A model, a batch and a device to take steps with; `copies` of the split fill the batches."""

    name: str
    device: str
    batch: int
    bf16: bool
    steps: int
    warm: int
    copies: int
    ratio_at_least: float | None


ON_CPU = Course("the tiny encoder, batch 64, one core", "cpu", 64, False, 20, 4, 1, None)
ON_CUDA = Course("ViT-B-32, batch 256, bf16", "cuda", 256, True, 40, 10, 30, 0.95)


def main() -> None:
    """Run what this machine can, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two seeds, few epochs: does it run at all")
    parser.add_argument("--export", type=Path, help="the demo's webdataset export, if it is there already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export = asked.export or demo_export(Path(folder))
        demo_learning(export, Path(folder), asked.quick)
        throughput(export, Path(folder), ON_CPU)
        if torch.cuda.is_available():
            throughput(export, Path(folder), ON_CUDA)
        else:
            print("no CUDA device here: ViT-B-32 in bf16 beside a bare open_clip loop is not measured")
        rare_labels(export, Path(folder), asked.quick)


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


def throughput(export: Path, folder: Path, course: Course) -> None:
    """(c): our steps and the bare loop's in turn, three times; the middle ratio."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pairs = [(our_rate(export, folder, course), bare_rate(course)) for _ in range(3)]
    torch.set_num_threads(threads)
    ratios = sorted(ours / bare for ours, bare in pairs)
    print(f"{course.name}: samples a second, ours and bare: {pairs}, ratios {ratios}")
    ours = sorted(ours for ours, _ in pairs)[1]
    measured(
        "train", f"samples a second, {course.name}", ours, peer=ours / ratios[1],
        peer_name="bare open_clip loop", ratio_at_least=course.ratio_at_least,
    )


def encoder_of(course: Course) -> Encoder:
    if course.device == "cpu":
        return tiny_encoder(0)
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32").cuda()
    set_model_preprocess_cfg(model, model.visual.preprocess_cfg)
    config = {"name": "ViT-B-32", "model_cfg": open_clip.get_model_config("ViT-B-32"), "preprocess_cfg": {}}
    return Encoder(model, open_clip.get_tokenizer("ViT-B-32"), config)


def our_rate(export: Path, folder: Path, course: Course) -> float:
    """Our steps with everything they need."""
    encoder = encoder_of(course)
    learning = [example for _ in range(course.copies) for example in read_split(export, "train")]
    bank = PictureBank([example.stored for example in learning], encoder.preprocessing, 9 / 8)
    examples = Examples(bank, [e.caption for e in learning], [e.labels for e in learning])
    trial = Trial(list(read_split(export, "val")), encoder.tokenizer, encoder.preprocessing)
    precision = "bf16" if course.bf16 else "fp32"
    options = TrainOptions(batch_size=course.batch, precision=precision, epochs=1, start=EncoderSpec())
    world = World(torch.device(course.device))
    run = Run(encoder, examples, trial, settled(options), world, folder / "state", {}, time.monotonic())
    encoder.model.train()
    return course.batch * steps_a_second(our_steps(run), course)


def our_steps(run: Run) -> Iterator[None]:
    """Steps of a run without end, as an epoch takes them."""
    for epoch in count():
        for batch, _ in one_ahead(run._batches(epoch, skip=0)):
            run._stepper.step(batch, 1e-5)
            yield


def bare_rate(course: Course) -> float:
    """open_clip's step on one batch that is on the device already."""
    encoder, loss = encoder_of(course), open_clip.ClipLoss()
    model, device = encoder.model.to(memory_format=torch.channels_last).train(), course.device
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.1), lr=1e-5, betas=BETAS, fused=True)
    size = encoder.preprocessing.input_size
    pictures = torch.randn(course.batch, *size, device=device).contiguous(memory_format=torch.channels_last)
    tokens = encoder.tokenizer(["a ship"] * course.batch).to(device)

    def steps() -> Iterator[None]:
        while True:
            optimizer.zero_grad()
            with torch.autocast(device, dtype=torch.bfloat16, enabled=course.bf16):
                found = model(pictures, tokens)
                if isinstance(found, dict):
                    found = [found[name] for name in ("image_features", "text_features", "logit_scale")]
                loss(*found[:3]).backward()
            optimizer.step()
            yield

    return course.batch * steps_a_second(steps(), course)


def steps_a_second(steps: Iterator[None], course: Course) -> float:
    for _ in range(course.warm):
        next(steps)
    wait = torch.cuda.synchronize if course.device == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    for _ in range(course.steps):
        next(steps)
    wait()
    return course.steps / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
