"""A page that several processes answer: they share what visitors sent, and end with the server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.colour_gallery import COLOURS, open_gallery, picture
from tests.ports import quiet_port

SERVE = """
import sys
from pathlib import Path

from lake import Lake
from tests.colour_gallery import ColourEncoder
from web.server import serve

def load():
    return ColourEncoder()

if __name__ == "__main__":
    serve(Lake(Path(sys.argv[1])), port=int(sys.argv[2]), encoder_loader=load, workers=int(sys.argv[3]))
"""
Served = tuple["subprocess.Popen[bytes]", str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process, address = start(tmp_path_factory.mktemp("workers"), 2)
    try:
        eventually(lambda: len(workers(process)) == 2 and is_answering(address))
        yield process, address
    finally:
        process.kill()
        process.wait()


def start(folder: Path, n_workers: int) -> Served:
    script = folder / "serve_gallery.py"
    script.write_text(SERVE, "utf-8")
    (folder / "temporary").mkdir()
    port = quiet_port()
    process = subprocess.Popen(
        [sys.executable, str(script), str(open_gallery(folder).root), str(port), str(n_workers)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(folder / "temporary")},
    )
    return process, f"http://127.0.0.1:{port}"


def test_a_picture_sent_to_one_worker_is_known_to_all(served: Served) -> None:
    _, address = served
    mine = {"upload": ("mine.png", picture(COLOURS["green"], format_="PNG"))}
    token = httpx.post(f"{address}/api/search", files=mine, timeout=60).json()["asked"]["picture"][0]
    for _ in range(12):    # each on a connection of its own, which any worker may take
        answer = httpx.get(f"{address}/api/search", params={"picture": token}, timeout=60)
        found = answer.json()["results"]
        assert found[0]["title"].startswith("green")
        assert httpx.get(f"{address}/uploads/{token}", timeout=60).status_code == 200


def test_a_worker_that_was_killed_is_replaced(served: Served) -> None:
    process, address = served
    before = workers(process)
    os.kill(before[0], signal.SIGKILL)
    eventually(lambda: len(workers(process)) == 2 and workers(process) != before)
    assert is_answering(address)


def test_no_worker_outlives_the_server(served: Served) -> None:
    process, address = served
    left = workers(process)
    process.kill()
    process.wait()
    eventually(lambda: not any(map(is_alive, left)))
    assert not is_answering(address)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_what_visitors_sent_goes_when_the_server_is_told_to_end(tmp_path: Path, n_workers: int) -> None:
    process, address = start(tmp_path, n_workers)
    try:
        eventually(lambda: is_answering(address))
        assert any((tmp_path / "temporary").glob("glamlake-uploads-*"))
        process.terminate()
        assert process.wait(300) == 0
        assert not any((tmp_path / "temporary").glob("glamlake-uploads-*"))
    finally:
        process.kill()
        process.wait()


def workers(process: "subprocess.Popen[bytes]") -> list[int]:
    """The processes below it that answer; one more looks after what they share."""
    told = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    return [int(pid) for pid in told if b"spawn_main" in command_of(pid)]


def command_of(pid: str) -> bytes:
    """Nothing where the process has just gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_answering(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/health", timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to be")
