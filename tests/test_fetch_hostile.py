"""Nothing that a host sends can end a run, hang it or take its memory; each answer ends with its status."""

import csv
import gzip
import multiprocessing
import os
import re
import resource
import socket
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from lake import Lake
from pipelines.fetch import FetchOptions, fetch
from pipelines.http_client import Manners, PoliteClient
from pipelines.judgement import Limits
from pipelines.judges import CLERK, Court, JudgePool
from tests.hostile_files import GOOD, HOSTILE
from tests.picture_server import Page, drip, drip_header, picture_host, records_of, rows_by_path

INSIDE = [
    "127.0.0.1:9", "169.254.169.254/latest", "[::1]:9", "2130706433", "0177.0.0.1", "0x7f.1", "127.1",
    "017700000001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "localhost:9", "inside.example", "10.1.2.3",
    "[fd00::1]", "[fe80::1]", "100.64.0.1", "user@127.0.0.1:9", "127.0.0.1:9#@example.com",
    "127\u30020\u30020\u30021",
]
ELSEWHERE = ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "data:image/png;base64,AAAA", "unix:/docker.sock"]

REDIRECTS = [*(f"http://{place}" for place in INSIDE), *ELSEWHERE]


def pour_zeros(handler: BaseHTTPRequestHandler) -> None:
    """200 MB of zeros, which nobody announced."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(bytes(2**20))


def circle(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.7\r\n")
    handler.close_connection = True


ENDLESS = {"/drip": ("timeout", drip), "/drip-header": ("timeout", drip_header)}
SERVED = {
    **ENDLESS, "/pour": ("too_large", pour_zeros),
    "/circle": ("http_error", circle), "/no-http": ("connection_error", no_http),
    "/announced": ("too_large", Page(b"", headers={"Content-Length": str(200 * 2**20)})),
    "/not-packed": ("connection_error", Page(GOOD, headers={"Content-Encoding": "gzip"})),
    "/packed-bomb": ("too_large", Page(gzip.compress(bytes(2**27)), headers={"Content-Encoding": "gzip"})),
}


@dataclass(frozen=True)
class Aftermath:
    """What a run left: statuses and reasons by path, how long it took, the most memory any process had."""

    statuses: dict[str, object]
    errors: dict[str, object]
    elapsed_s: float
    peak_gb: float


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """Of one run in a process of its own, whose memory nobody else has used."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(fetched, tmp_path_factory.mktemp("hostile")).result()


def peak_kb() -> int:
    """Of this process; `ru_maxrss` may be what the one that started it had at that moment."""
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(told[1]) if told else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fetched(folder: Path) -> Aftermath:
    lake = Lake(folder).open()
    known = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> object:
        return known("169.254.169.254" if host == "inside.example" else host, *rest, **more)

    with picture_host() as host, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        host.pages |= {f"/{name}": Page(body) for name, (_, body) in HOSTILE.items()}
        for i, place in enumerate(REDIRECTS):
            location = place.encode().decode("latin-1")       # as raw bytes: headers are not always ASCII
            host.pages[f"/to/{i}"] = Page(b"", 302, {"Location": location})
        host.pages |= {path: page for path, (_, page) in SERVED.items()}
        began = time.monotonic()
        allowed = frozenset({host.url[7:]})
        patient = Manners(allowed_hosts=allowed, attempts=2, backoff_s=0.01)
        for manners, timeout_s, left in ((patient, 60, ENDLESS), (replace(patient, deadline_s=3), 3, {})):
            records_of(lake, [host.url + path for path in host.pages if path not in left])
            with PoliteClient(manners) as client:
                fetch(lake, FetchOptions(timeout_s=timeout_s, max_bytes=20 * 2**20), client)
        elapsed_s = time.monotonic() - began
        rows = rows_by_path(lake, host)
    CLERK.end()        # the judges' memory is known once their parent was waited for
    peaks = [peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    statuses = {path: row["status"] for path, row in rows.items()}
    errors = {path: row["error"] for path, row in rows.items()}
    return Aftermath(statuses, errors, elapsed_s, max(peaks) / 1e6)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_with_its_status(aftermath, name):
    assert aftermath.statuses[f"/{name}"] == HOSTILE[name][0], aftermath.errors[f"/{name}"]


@pytest.mark.parametrize("path", SERVED)
def test_a_hostile_answer_ends_with_its_status(aftermath, path):
    assert aftermath.statuses[path] == SERVED[path][0], aftermath.errors[path]


@pytest.mark.parametrize("place", range(len(REDIRECTS)), ids=lambda i: ascii(REDIRECTS[i]))
def test_no_redirect_leads_inside_or_off_the_web(aftermath, place):
    assert aftermath.statuses[f"/to/{place}"] == "blocked", aftermath.errors[f"/to/{place}"]


def test_the_run_ends_soon_and_in_little_memory(aftermath):
    assert aftermath.elapsed_s < 200    # of the ten minutes that an answer dripped for
    assert aftermath.peak_gb < 1.5
    assert all(aftermath.errors[path] for path, status in aftermath.statuses.items() if status != "ok")


def test_published_bad_files_are_refused_or_taken_as_their_collectors_propose():
    images = os.environ.get("GLAMLAKE_IMAGES")
    if not images:
        pytest.skip("GLAMLAKE_IMAGES names no folder of test images")
    with (Path(images) / "bad.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wrong = {}
    with JudgePool(Court(Limits(min_side=1, min_bytes=1), seconds=20)) as judges:
        for row in rows:
            found = judges.judge((Path(images) / "bad" / row["file"]).read_bytes())
            taken = found.status in ("ok", "blank")
            if {"accept": not taken, "reject": taken, "either": False}[row["should"]]:
                wrong[row["file"]] = (row["should"], found.status, found.error)
    assert len(rows) == 99
    assert wrong == {}
