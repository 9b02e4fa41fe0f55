"""A run that was killed goes on and ends with the weights of an undisturbed one."""

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lake.errors import LakeBusy, UsageError
from models import epochs
from models.curves import Curves
from models.encoder import EncoderSpec
from models.options import Prompts, TrainOptions
from models.state import STATE_FILE
from models.step import Stepper
from models.train import TrainReport, train
from tests.training_shapes import WEIGHTS, vit_checkpoint, write_export

SLOW_MACHINE_S = 600
MIXED = Prompts(one_tag=0.5, all_tags=0.5)
OPTIONS = TrainOptions(
    epochs=3, batch_size=8, learning_rate=1e-3, save_seconds=0.0, prompts=MIXED, balance=0.5, threads=1,
)
# clean processes that have torch loaded already: forked from one that never used it
CLEAN = multiprocessing.get_context("forkserver")
CLEAN.set_forkserver_preload(["models.train", "torch.distributed.nn", "open_clip_train.distributed"])

# every way to train, each killed twice; options that do not touch each other share a case
WAYS: dict[str, dict[str, Any]] = {
    "parts of a batch, multi-positive": {"batch_size": 4, "accumulate": 2, "activation_checkpointing": True},
    "lora, in parts, bf16, until nothing gets better": {
        "method": "lora", "batch_size": 4, "accumulate": 2, "precision": "bf16", "patience": 1, "epochs": 9,
    },
    "adapter, siglip": {"method": "adapter", "loss": "siglip", "balance": 0.0},
    "locked image tower, clip, each label as often": {"method": "lock-image", "loss": "clip", "balance": 1.0},
    "locked text tower, fp16": {"method": "lock-text", "precision": "fp16", "loss": "same-text"},
    "projection, until nothing gets better": {"method": "projection", "patience": 1, "epochs": 9},
    "the tiny encoder from random weights, bf16": {"start": None, "epochs": 2, "precision": "bf16"},
}


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("exports") / "shapes", 24, 8)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vit_checkpoint(tmp_path_factory.mktemp("models") / "start", seed=3)


def same_weights(one: Path, other: Path) -> bool:
    first, second = load_file(one / WEIGHTS), load_file(other / WEIGHTS)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def progress_of(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["state"])["progress"]
    return found


@contextmanager
def each_moment(happens: Callable[[int], None]) -> Iterator[None]:
    """Look, and save, after every step; `happens` is told the number of each moment a kill could fall on:
    before a step, before a line of the curves, when a state is written and not yet in place."""
    told = 0

    def before(function: Any) -> Any:
        def told_first(*args: Any, **more: Any) -> Any:
            nonlocal told
            told += 1
            happens(told)
            return function(*args, **more)
        return told_first

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epochs, "STEPS_A_LOOK", 1)
        patch.setattr(Stepper, "step", before(Stepper.step))
        patch.setattr(Curves, "add", before(Curves.add))
        patch.setattr("models.state.save_file", before(save_file))
        yield


def counted(out: Path, export: Path, options: TrainOptions) -> tuple[TrainReport, int]:
    """Train undisturbed: the report, and how many moments there were."""
    moments = list[int]()
    with each_moment(moments.append):
        report = train(export, out, options)
    return report, len(moments)


def die_at(moment: int, out: Path, export: Path, options: TrainOptions) -> None:
    """Train, until this moment."""
    with each_moment(lambda n: os.kill(os.getpid(), signal.SIGKILL) if n == moment else None):
        train(export, out, options)


def kill(moment: int, out: Path, export: Path, options: TrainOptions) -> None:
    """Train in a process of its own, killed at this moment of its life; nothing is there but its state."""
    process = CLEAN.Process(target=die_at, args=(moment, out, export, options))
    process.start()
    process.join(SLOW_MACHINE_S)
    assert process.exitcode == -signal.SIGKILL
    assert not out.exists()


def told(report: TrainReport) -> list[dict[str, Any]]:
    """The history, without what the clock says."""
    return [{**asdict(epoch), "elapsed_s": None} for epoch in (*report.history, report.kept)]


def curves_of(out: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows."""
    events = EventAccumulator(str(out / "curves")).Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.mark.parametrize("way", WAYS)
def test_killed_twice_it_ends_with_weights_history_and_curves_of_an_undisturbed_run(
    export: Path, start: Path, tmp_path: Path, way: str,
) -> None:
    options = replace(OPTIONS, **{"start": EncoderSpec(checkpoint=start)} | WAYS[way])
    undisturbed, n_moments = counted(tmp_path / "whole", export, options)
    dice = random.Random(way)
    first = dice.randrange(n_moments // 3, n_moments)
    for moment in (first, dice.randint(1, max(1, (n_moments - first) // 2))):
        kill(moment, tmp_path / "killed", export, options)
    resumed, n_left = counted(tmp_path / "killed", export, options)
    assert n_left < n_moments
    assert same_weights(tmp_path / "killed", tmp_path / "whole")
    assert resumed.model_id == undisturbed.model_id
    assert (told(resumed), resumed.stopped_by) == (told(undisturbed), undisturbed.stopped_by)
    assert curves_of(tmp_path / "killed") == curves_of(tmp_path / "whole")
    assert not (tmp_path / "killed.training").exists()


def test_killed_when_patience_was_over_it_learns_no_more(export: Path, start: Path, tmp_path: Path) -> None:
    begun = EncoderSpec(checkpoint=start)
    options = replace(OPTIONS, start=begun, patience=1, epochs=9, learning_rate=1e-9)
    undisturbed, n_moments = counted(tmp_path / "whole", export, options)
    assert undisturbed.stopped_by == "patience"
    kill(n_moments, tmp_path / "killed", export, options)     # its weights were on their way to the disk
    resumed, n_left = counted(tmp_path / "killed", export, options)
    assert n_left == 1
    assert (told(resumed), resumed.stopped_by) == (told(undisturbed), "patience")
    assert same_weights(tmp_path / "killed", tmp_path / "whole")


def test_other_options_do_not_go_on_with_its_state(export: Path, start: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, start=EncoderSpec(checkpoint=start))
    kill(9, tmp_path / "out", export, options)
    stood = progress_of(tmp_path / "out.training" / STATE_FILE)
    with pytest.raises(UsageError, match="begun with other patience"):
        train(export, tmp_path / "out", replace(options, patience=40))
    assert progress_of(tmp_path / "out.training" / STATE_FILE) == stood


def test_restart_forgets_what_was_there(export: Path, tmp_path: Path) -> None:
    state = tmp_path / "out.training" / STATE_FILE
    state.parent.mkdir()
    state.write_bytes(b"torn")
    with pytest.raises(UsageError, match="--restart"):
        train(export, tmp_path / "out", replace(OPTIONS, epochs=1))
    assert len(train(export, tmp_path / "out", replace(OPTIONS, epochs=1), restart=True).history) == 1
    assert not state.parent.exists()


def test_two_processes_do_not_train_the_same_model(export: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out.training").mkdir()
    held = FileLock(tmp_path / "out.training" / "lock")
    with held, pytest.raises(LakeBusy, match="another process trains"):
        train(export, tmp_path / "out", OPTIONS)
    assert (tmp_path / "out.training").exists()
