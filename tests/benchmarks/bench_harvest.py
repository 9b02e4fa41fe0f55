"""How fast a harvest is, how many requests it makes, and whether its memory grows: 1,000 pages of 100 hits.

    python -m tests.benchmarks.bench_harvest [--quick]

The replay runs in a process of its own and answers from memory; each harvest runs in another, into a new
lake in a temporary folder. Prints one JSON object, then what was promised.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from lake import Lake, catalog
from pipelines.harvest import HarvestOptions, harvest
from pipelines.replay import ReplayServer
from pipelines.replay.answers import Answer, Params, param, text_answer
from tests.benchmarks._table import measured

PAGE_SIZE = 100
SMALL, LARGE = 10_000, 100_000
_NOTE = "a photograph of a harbour with ships, seen from the hill behind the town; " * 12
_ITEM = '{{"id": "sa-kuva.{n}", "title": "Lentokone {n}.", "year": "{year}", "summary": ["' + _NOTE + '"]}}'


class Finna:
    """A Finna of about 1 KB a record, without the searching: the query says how many there are."""

    def matches(self, path: str) -> bool:
        """True for the search."""
        return path == "/v1/search"

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """A page."""
        total, start = int(param(params, "lookfor") or 0), (int(param(params, "page") or 1) - 1) * PAGE_SIZE
        numbers = range(start, min(total, start + PAGE_SIZE))
        records = ", ".join(_ITEM.format(n=n, year=1939 + n % 7) for n in numbers)
        return text_answer(200, f'{{"resultCount": {total}, "records": [{records}], "status": "OK"}}')


def serve() -> None:
    """Play Finna until standard input ends; prints the URL first and the number of requests last."""
    with ReplayServer([Finna()]) as server:
        print(server.url, flush=True)
        sys.stdin.read()
        print(len(server.requests), flush=True)


def measure(url: str, n: int) -> None:
    """Harvest n hits and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        started_at = time.perf_counter()
        report = harvest(lake, "sa_kuva", HarvestOptions([str(n)], base_url=url))
        took_s = time.perf_counter() - started_at
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        loads = len(list(lake.raw.glob("_dlt_loads/*.jsonl")))
        held = catalog.rows(lake, "select count(distinct hit_id) as n from raw_hits")[0]["n"]
    print(json.dumps({
        "hits": held, "status": report.slices[0].status, "hits_a_second": round(n / took_s),
        "seconds": round(took_s, 1), "loads": loads, "peak_mb": round(peak_mb),
    }))


def run_measured(n: int) -> dict[str, float]:
    """One harvest against a fresh replay, each in its own process."""
    here, pipe = [sys.executable, "-m", "tests.benchmarks.bench_harvest"], subprocess.PIPE
    with subprocess.Popen([*here, "serve"], stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout
        url = server.stdout.readline().strip()
        done = subprocess.run([*here, url, str(n)], stdout=subprocess.PIPE, text=True, check=True)
        server.stdin.close()
        requests = int(server.stdout.readline())
    fewest = -(-n // PAGE_SIZE)
    return {**json.loads(done.stdout), "requests": requests, "requests_over_fewest": requests / fewest}


def main(quick: bool) -> None:
    """Both sizes, and how much the peak grew."""
    few, many = (300, 3_000) if quick else (SMALL, LARGE)
    small, large = run_measured(few), run_measured(many)
    print(json.dumps({f"{few}": small, f"{many}": large}, indent=2))
    measured("harvest", f"hits a second, of {many:,}", large["hits_a_second"])
    measured("harvest", "requests over the fewest possible", large["requests_over_fewest"])
    measured("harvest", f"peak MB of memory, {many:,} hits", large["peak_mb"], peer=small["peak_mb"],
             peer_name=f"{few:,} hits", ratio_at_most=1.2)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    elif len(sys.argv) == 3:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main("--quick" in sys.argv)
