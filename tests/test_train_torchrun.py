"""Two processes started by torchrun: what one learns with twice the batch, one killed, gone on with."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lake import Lake
from lake.errors import LakeError
from lake.tables import RAW_HITS
from models.encoder import EncoderSpec
from models.options import TrainOptions
from models.state import STATE_FILE
from models.train import train
from tests.commands import ROOT, Done
from tests.lakes import NOON, write_raw
from tests.ports import quiet_port
from tests.test_train_resume import CLEAN, each_moment, progress_of, same_weights
from tests.training_shapes import WEIGHTS, vit_checkpoint, write_export

SLOW_MACHINE_S = 600
WHOLE = TrainOptions(
    epochs=2, batch_size=8, learning_rate=1e-3, weight_decay=0.0, device="cpu", threads=1, save_seconds=0.0,
)
HALVES = replace(WHOLE, batch_size=2, accumulate=2)
AS_TYPED = (
    "--epochs", "2", "--batch-size", "2", "--accumulate", "2", "--learning-rate", "1e-3",
    "--weight-decay", "0", "--device", "cpu",
)
TWO = ("--standalone", "--nproc-per-node", "2", "--local-addr", "127.0.0.1")
AT_HOME = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("torchrun") / "lake").open()
    write_raw(lake, RAW_HITS, [{"hit_id": "1", "fetched_at": NOON}])
    write_export(lake.exports / "shapes", 24, 8)
    vit_checkpoint(lake.models / "start", seed=3)
    return lake


@pytest.fixture(scope="module")
def ran(lake: Lake) -> Done:
    """The command as docs/commands/train.md has it, to its end."""
    torchrun = str(Path(sys.executable).with_name("torchrun"))
    command = [torchrun, *TWO, "-m", "pipelines", "--lake", str(lake.root), "train", "shapes", "two"]
    return subprocess.run(
        [*command, "--checkpoint", str(lake.models / "start"), *AS_TYPED], cwd=ROOT, capture_output=True,
        text=True, timeout=SLOW_MACHINE_S, check=False, env=os.environ | AT_HOME,
    )


def test_two_processes_learn_what_one_learns_with_twice_the_batch(
    ran: Done, lake: Lake, tmp_path: Path,
) -> None:
    assert ran.returncode == 0, ran.stderr
    begun = EncoderSpec(checkpoint=lake.models / "start")
    train(lake.exports / "shapes", tmp_path / "one", replace(WHOLE, start=begun))
    one, two = load_file(tmp_path / "one" / WEIGHTS), load_file(lake.models / "two" / WEIGHTS)
    before = load_file(lake.models / "start" / WEIGHTS)
    # a bias of attention's keys changes nothing, so its gradient is noise that AdamW makes large
    certain = [name for name in one if not name.endswith("in_proj_bias")]
    assert max(float((one[name] - two[name]).abs().max()) for name in certain) < 1e-5
    assert max(float((before[name] - two[name]).abs().max()) for name in certain) > 1e-3


def test_one_of_them_writes_and_talks(ran: Done, lake: Lake) -> None:
    told = json.loads(ran.stdout)
    assert len(told["history"]) == 2
    assert ran.stderr.count("epoch=2/2") == 1
    card = json.loads((lake.models / "two" / "model_card.json").read_text())
    assert card["environment"]["processes"] == 2
    assert sorted(path.name for path in lake.models.iterdir()) == ["start", "two"]


def one_of_two(rank: int, port: int, out: Path, export: Path, options: TrainOptions, dies: bool) -> None:
    """What torchrun does: a process with its place in the environment; the second may die on the way."""
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo",
    }

    def happens(moment: int) -> None:
        if dies and rank == 1 and moment == 6:
            os.kill(os.getpid(), signal.SIGKILL)

    with each_moment(happens):
        try:
            train(export, out, options)
        except LakeError as e:
            out.with_name("said").write_text(str(e))
            raise


def both(out: Path, export: Path, options: TrainOptions, dies: bool = False) -> list[int | None]:
    """How the two processes ended."""
    port = quiet_port()
    processes = [
        CLEAN.Process(target=one_of_two, args=(rank, port, out, export, options, dies)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SLOW_MACHINE_S)
    return [process.exitcode for process in processes]


@pytest.mark.usefixtures("ran")
def test_one_killed_ends_the_other_with_one_line_and_both_go_on_where_they_were(
    lake: Lake, tmp_path: Path,
) -> None:
    options = replace(HALVES, start=EncoderSpec(checkpoint=lake.models / "start"))
    given = tmp_path / "out", lake.exports / "shapes", options
    assert both(*given, dies=True) == [1, -signal.SIGKILL]
    assert "another process of this training has ended" in (tmp_path / "said").read_text()
    stood = progress_of(tmp_path / "out.training" / STATE_FILE)
    assert not (tmp_path / "out").exists()
    assert 1 <= stood["steps"] < 6
    assert both(*given) == [0, 0]
    assert same_weights(tmp_path / "out", lake.models / "two")
    assert not (tmp_path / "out.training").exists()
