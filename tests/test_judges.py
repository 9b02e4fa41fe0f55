"""Judges come from a clerk's process, and go with whoever asked for them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipelines.judges import CLERK, Court, JudgePool
from tests.lakes import noise_jpeg

DIES_AT_WORK = """
import os, signal
from pipelines.judges import CLERK, Court, JudgePool
from tests.lakes import noise_jpeg
judges = JudgePool(Court(), n=1)
judges.judge(noise_jpeg(1, (200, 160)))
print(CLERK._process.pid, judges._all[0].pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):    # the second where it ended while it was read of
        return False


def test_a_clerk_that_was_killed_is_replaced():
    content = noise_jpeg(1, (200, 160))
    with JudgePool(Court(), n=1) as judges:
        judges.judge(content)
        assert CLERK._process is not None
        os.kill(CLERK._process.pid, signal.SIGKILL)
        judges._all[0].end()
        assert judges.judge(content).status == "ok"
    with JudgePool(Court(), n=1) as judges:
        assert judges.judge(content).status == "ok"


def test_a_judge_ends_with_its_pool():
    with JudgePool(Court(), n=1) as judges:
        judges.judge(b"")
        pid = judges._all[0].pid
        assert _is_running(pid)
    assert not _is_running(pid)


def test_no_judge_outlives_a_process_that_was_killed():
    command = [sys.executable, "-c", DIES_AT_WORK]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]).stdout
    pids = [int(word) for word in told.split()]
    patience = time.monotonic() + 200
    while any(map(_is_running, pids)) and time.monotonic() < patience:
        time.sleep(0.02)
    assert len(pids) == 2
    assert not any(map(_is_running, pids))


def test_files_that_are_named_like_modules_are_not_run(tmp_path, monkeypatch):
    for name in ("json", "logging", "numpy", "pipelines"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run by mistake')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)    # which may name the folder one is in
    CLERK.end()
    with JudgePool(Court(), n=1) as judges:
        assert judges.judge(noise_jpeg(1, (200, 160))).status == "ok"
    CLERK.end()
