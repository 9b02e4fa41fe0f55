"""A run that was killed goes on and ends with the weights of an undisturbed one; several processes as one."""

import json
import multiprocessing
import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lake.errors import LakeBusy, UsageError
from models.encoder import EncoderSpec
from models.options import Prompts, TrainOptions
from models.state import STATE_FILE
from models.train import train
from tests.training_shapes import WEIGHTS, vit_checkpoint, write_export

SLOW_MACHINE_S = 120
MIXED = Prompts(one_tag=0.5, all_tags=0.5)
OPTIONS = TrainOptions(epochs=3, batch_size=8, save_seconds=0.0, prompts=MIXED, balance=0.5, threads=1)
# clean processes that have torch loaded already: forked from one that never used it
CLEAN = multiprocessing.get_context("forkserver")
CLEAN.set_forkserver_preload(["models.train", "torch.distributed.nn", "open_clip_train.distributed"])


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("exports") / "shapes", 24, 8)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vit_checkpoint(tmp_path_factory.mktemp("models") / "start", seed=3)


def same_weights(one: Path, other: Path) -> bool:
    first, second = load_file(one / WEIGHTS), load_file(other / WEIGHTS)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def progress_of(state: Path) -> dict[str, Any]:
    with safe_open(state, framework="pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["state"])["progress"]
    return found


def kill_once(out: Path, export: Path, options: TrainOptions, epochs: int) -> dict[str, Any]:
    """Train in a process of its own and kill it when its state tells of so many epochs; where it stood."""
    process = CLEAN.Process(target=train, args=(export, out, options))
    process.start()
    state, until = out.with_name(f"{out.name}.training") / STATE_FILE, time.monotonic() + SLOW_MACHINE_S
    while not state.exists() or len(progress_of(state)["history"]) < epochs:
        assert process.is_alive(), "it ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.005)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert not out.exists()
    return progress_of(state)


def test_killed_and_run_again_it_ends_with_the_weights_of_an_undisturbed_run(
    export: Path, start: Path, tmp_path: Path,
) -> None:
    options = replace(OPTIONS, start=EncoderSpec(checkpoint=start), learning_rate=1e-3, epochs=6)
    stood = kill_once(tmp_path / "killed", export, options, epochs=1)
    assert 1 <= len(stood["history"]) < 6
    with pytest.raises(UsageError, match="begun with other patience"):
        train(export, tmp_path / "killed", replace(options, patience=40))
    resumed = train(export, tmp_path / "killed", options)
    undisturbed = train(export, tmp_path / "undisturbed", replace(options, save_seconds=1e9))
    assert same_weights(tmp_path / "killed", tmp_path / "undisturbed")
    assert resumed.model_id == undisturbed.model_id
    assert [epoch.loss for epoch in resumed.history] == [epoch.loss for epoch in undisturbed.history]
    assert not (tmp_path / "killed.training").exists()
    curves = EventAccumulator(str(tmp_path / "killed" / "curves")).Reload()
    assert [event.step for event in curves.Scalars("val/mean_R@5")] == [3 * (i + 1) for i in range(6)]


def test_stopped_within_an_epoch_it_goes_on_with_the_next_batch(
    export: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = EncoderSpec(checkpoint=start)
    options = replace(OPTIONS, start=begun, method="lora", learning_rate=1e-3, epochs=2)
    monkeypatch.setattr("models.epochs.STEPS_A_LOOK", 1)      # look, and save, after every step
    undisturbed = train(export, tmp_path / "whole", options)
    from models.step import Stepper

    step, done = Stepper.step, list[int]()

    def stops(self: Any, *args: Any) -> Any:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(1)
        return step(self, *args)

    monkeypatch.setattr(Stepper, "step", stops)
    with pytest.raises(KeyboardInterrupt):
        train(export, tmp_path / "stopped", options)
    monkeypatch.setattr(Stepper, "step", step)
    stood = progress_of(tmp_path / "stopped.training" / STATE_FILE)
    assert (len(stood["history"]), len(stood["losses"])) == (1, 1)
    assert train(export, tmp_path / "stopped", options).model_id == undisturbed.model_id
    assert same_weights(tmp_path / "stopped", tmp_path / "whole")


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


def one_of_two(rank: int, port: int, export: Path, out: Path, options: TrainOptions) -> None:
    """What torchrun does: a process with its place in the environment."""
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo",
    }
    train(export, out, options)


def test_two_processes_learn_what_one_learns_from_the_same_batches(
    export: Path, start: Path, tmp_path: Path,
) -> None:
    begun = EncoderSpec(checkpoint=start)
    whole = replace(OPTIONS, start=begun, epochs=1, learning_rate=1e-3, weight_decay=0.0, device="cpu")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    halves = replace(whole, batch_size=2, accumulate=2)
    given = [(rank, port, export, tmp_path / "two", halves) for rank in (0, 1)]
    both = [CLEAN.Process(target=one_of_two, args=args) for args in given]
    for process in both:
        process.start()
    for process in both:
        process.join(SLOW_MACHINE_S)
    assert [process.exitcode for process in both] == [0, 0]
    train(export, tmp_path / "one", whole)
    one, two = load_file(tmp_path / "one" / WEIGHTS), load_file(tmp_path / "two" / WEIGHTS)
    card = json.loads((tmp_path / "two" / "model_card.json").read_text())
    assert card["environment"]["processes"] == 2
    # a bias of attention's keys changes nothing, so its gradient is noise that AdamW makes large
    certain = [name for name in one if not name.endswith("in_proj_bias")]
    assert max(float((one[name] - two[name]).abs().max()) for name in certain) < 1e-5
