"""The page's API under twenty clients at once, over as many pictures as the Library of Congress has maps.

Server (as one process and as two) and clients share this machine's cores. Every client asks again as soon as
it was answered, and in a second run after the pause that a person makes: searches by words, with filters, for
what is like a picture, leafing, facets, single pictures. Words are encoded before (an encoder's time is its
own matter); nothing is asked twice, so that few answers come out of a cache. How long one waits depends on
what else the machine does; the server's own processor time hardly does, so it is told too.
`python -m tests.benchmarks.bench_serve [--quick]`
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake import Lake
from lake.freshness import keep_fresh
from lake.tables import RECORD_LABELS, RECORDS
from tests.benchmarks._table import ROOT, measured, show
from tests.benchmarks.bench_search import GivenVectors, clustered, write_samples, write_vectors
from tests.ports import quiet_port

CLIENTS = 20
PAUSE_S = 1.0
Timed = tuple[str, float, int]


def main(quick: bool) -> None:
    """Measure and print."""
    n, each = (20_000, 10) if quick else (562_842, 60)
    with tempfile.TemporaryDirectory(prefix="glamlake-bench-") as folder:
        lake = Lake(Path(folder) / "lake").open()
        make_lake(lake, n, 2 * CLIENTS * each)
        for workers in (1, 2):
            with served(lake, workers) as (port, process_id):
                for pause_s in (0.0, PAUSE_S):
                    began, busy_s = time.perf_counter(), processor_s(process_id)
                    answers = [answer for client in ask_all(port, n, each, pause_s) for answer in client]
                    elapsed_s, busy_s = time.perf_counter() - began, processor_s(process_id) - busy_s
                    report(answers, elapsed_s, busy_s, pause_s, workers)


def make_lake(lake: Lake, n: int, n_queries: int) -> None:
    """As bench_search makes it, with records and label paths for the page to show."""
    vectors, queries, themes = clustered(n, n_queries)
    np.save(lake.root / "queries.npy", queries)
    facts = write_samples(lake, themes)
    sizes = {name: pa.array(np.full(n, side, np.int32)) for name, side in (("width", 800), ("height", 600))}
    for name, column in sizes.items():
        facts = facts.append_column(name, column)
    pq.write_table(facts, lake.mart("samples"))
    write_records(lake, facts)
    write_vectors(lake, vectors, facts["sample_id"].to_pylist())
    keep_fresh(lake, "bench")


def write_records(lake: Lake, facts: pa.Table) -> None:
    """One record a sample, and the place of each label."""
    ids = [f"bench:{number}" for number in range(len(facts))]
    known = {
        "record_id": pa.array(ids), "archive": pa.array(["bench"] * len(ids)), "title": facts["title"],
        "provider": facts["providers"].combine_chunks().flatten(), "year": facts["year"],
        "landing_url": facts["landing_urls"].combine_chunks().flatten(),
    }
    pq.write_table(_filled(RECORDS.schema, known, len(ids)), lake.mart("records"))
    labels = facts["label"]
    paths = pa.array([["themes", label] for label in labels.to_pylist()])
    facet = pa.array(["topic"] * len(ids))
    told = {"record_id": pa.array(ids), "label": labels, "path": paths, "facet": facet}
    pq.write_table(_filled(RECORD_LABELS.schema, told, len(ids)), lake.mart("record_labels"))


def _filled(schema: pa.Schema, known: dict[str, pa.Array], n: int) -> pa.Table:
    columns = {field.name: known.get(field.name, pa.nulls(n, field.type)) for field in schema}
    return pa.table(columns).cast(schema)


@contextmanager
def served(lake: Lake, workers: int = 1) -> Iterator[tuple[int, int]]:
    """The page in a process of its own, or several below it: port and process, once each is warm."""
    port = quiet_port()
    asked = ["--serve", str(port), str(lake.root), str(workers)]
    command = [sys.executable, "-m", "tests.benchmarks.bench_serve", *asked]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for(port, process)
        seconds = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:    # of so many connections each worker takes some
            list(pool.map(lambda _: _warm_up(port), range(1 if workers == 1 else 8 * workers)))
        show(f"warm-up, {workers} workers", [{"seconds": time.perf_counter() - seconds}])
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _warm_up(port: int) -> None:
    """A question of each kind."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    for path in questions(0, 1_000, 10):
        _answer(connection, path)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server did not start")
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def questions(client: int, n: int, each: int) -> Iterator[str]:
    """What one client asks, none of it asked by another; no two clients are at the same kind all along."""
    rng = np.random.default_rng(client)
    for number in range(client * each, (client + 1) * each):
        year, sample = int(rng.integers(1000, 1900)), f"{int(rng.integers(0, n)):016x}"
        kinds = [
            f"search?q={number}", f"search?q={number}&page=2", f"search?q={number}&from={year}",
            f"search?q={number}&label=theme+{number % 50}", f"search?like={sample}", f"samples/{sample}",
            f"search?q={number}&like={sample}&weight=0.3", f"facets?from={year}",
            f"search?provider=provider+{number % 12}&from={year}", f"search?q={number}",
        ]
        yield "/api/" + kinds[(number + client) % len(kinds)]


def ask_all(port: int, n: int, each: int, pause_s: float) -> list[list[Timed]]:
    """All clients at once, each on a connection that it keeps; pauses differ, as people's do."""
    def ask(client: int) -> Iterator[Timed]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        pauses = np.random.default_rng(client).uniform(0, 2 * pause_s, each).tolist()
        for path, pause in zip(questions(client, n, each), pauses, strict=True):
            time.sleep(pause)
            yield _answer(connection, path)

    first = CLIENTS if pause_s else 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda client: list(ask(client)), range(first, first + CLIENTS)))


def _answer(connection: http.client.HTTPConnection, path: str) -> Timed:
    began = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    content = response.read()
    elapsed_s = time.perf_counter() - began
    is_sound = response.status == 200 and bool(json.loads(content))
    kind = path.removeprefix("/api/").split("?")[0].split("/")[0]
    return kind, elapsed_s, response.status if is_sound else 0


def processor_s(process_id: int) -> float:
    """What a process and those below it have taken of the processor, all their threads together."""
    times = Path(f"/proc/{process_id}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text("ascii").split()
    own_s = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return own_s + sum(processor_s(int(child)) for child in children)


def report(
    answers: Sequence[Timed], elapsed_s: float, busy_s: float, pause_s: float, workers: int = 1,
) -> None:
    """The table, and what was promised."""
    rows = []
    for kind in ("search", "facets", "samples", "all"):
        ms = [1000 * seconds for name, seconds, _ in answers if kind in (name, "all")]
        rows.append({"kind": kind, "answers": len(ms), "p50 ms": np.median(ms),
                     "p99 ms": np.quantile(ms, 0.99), "slowest ms": max(ms)})
    how = f"each with pauses of {pause_s:g} s" if pause_s else "each asking again at once"
    how += f", {workers} processes" if workers > 1 else ""
    show(f"{CLIENTS} clients, {how}: {len(answers) / elapsed_s:.0f} answers a second", rows)
    measured("serve", f"the server's processor ms for an answer, {how}", 1000 * busy_s / len(answers))
    measured("serve", f"p99 ms, {CLIENTS} clients, {how}", float(rows[-1]["p99 ms"]), at_most=150)
    n_errors = sum(status != 200 for _, _, status in answers)
    measured("serve", f"answers that were errors, {how}", n_errors, at_most=0)


def given(root: Path) -> GivenVectors:
    """The encoder that knows its answers."""
    return GivenVectors(np.load(root / "queries.npy"))


if __name__ == "__main__":
    if "--serve" in sys.argv:
        from web.server import serve

        port, root, workers = int(sys.argv[-3]), Path(sys.argv[-2]), int(sys.argv[-1])
        serve(Lake(root), port=port, encoder_loader=partial(given, root), workers=workers)
    else:
        main("--quick" in sys.argv)
