"""`python -m tests.killed_stages LAKE fetch|curate N_KILLS SEED [HOST:PORT]`: killed and killed, then run on.

A moment to be killed at is a change of a file, counted from the start of a run, so no clock decides which it
is. Prints how many runs were killed.
"""

import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lake import Lake
from pipelines.archives import archive_names
from pipelines.fetch import FetchOptions, fetch
from pipelines.transform import CurateOptions, curate
from tests.killed_loads import KILLED, Watch, in_child

Stage = Callable[[Lake], object]


def stage_named(name: str, host: str) -> Stage:
    """What is run, with the defaults; `fetch` from that host only."""
    if name == "curate":
        return lambda lake: curate(lake, CurateOptions(), archive_names())
    return lambda lake: fetch(lake, FetchOptions(workers=1, allowed_hosts=(host,)))


def n_changes(lake: Lake, stage: Stage, watch: Watch) -> int:
    """Changes of files that an undisturbed run makes, in a copy of the lake."""
    def work() -> int:
        watch.is_on = True
        stage(copy)
        return len(watch.seen)

    with tempfile.TemporaryDirectory() as folder:
        copy = Lake(Path(folder) / "copy")
        shutil.copytree(lake.root, copy.root)
        status, said = in_child(work)
    assert status == 0, said
    return int(said)


def killed(lake: Lake, stage: Stage, watch: Watch, fatal: int) -> bool:
    """Whether a run was ended before its `fatal`-th change; it may have had fewer to make."""
    def work() -> None:
        watch.fatal, watch.is_on = fatal, True
        stage(lake)

    status, said = in_child(work)
    assert status in (0, KILLED), said
    return status == KILLED


def main(lake: Lake, name: str, n_kills: int, seed: int, host: str = "") -> None:
    """Kill, kill, kill, then run to the end."""
    stage, watch, rng = stage_named(name, host), Watch(), random.Random(seed)
    n = n_changes(lake, stage, watch)
    # a fetch goes on where it was: a kill at every second share of its changes leaves some for the last one
    latest = n if name == "curate" else 2 * n // n_kills
    n_killed = sum(killed(lake, stage, watch, rng.randint(1, latest)) for _ in range(n_kills))
    status, said = in_child(lambda: (stage(lake), None)[1])
    assert status == 0, said
    print(n_killed)


if __name__ == "__main__":
    main(Lake(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
