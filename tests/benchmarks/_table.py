"""What benchmarks share: tables on stdout, the line for the table of all, the peers' Python, peak memory."""

import json
import os
import resource
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[2]
RESULTS = "GLAMLAKE_BENCH_RESULTS"


@dataclass(frozen=True)
class Measured:
    """One number that somebody promised, in the table of all; `is_met` is None where nothing was promised
    or the peer is missing."""

    name: str
    what: str
    ours: float | None
    peer: float | None
    peer_name: str
    ratio: float | None
    target: str
    is_met: bool | None


def measured(
    name: str, what: str, ours: float | None, *, peer: float | None = None, peer_name: str = "",
    at_least: float | None = None, at_most: float | None = None,
    ratio_at_least: float | None = None, ratio_at_most: float | None = None,
) -> Measured:
    """Judge a number by what was promised, print it, and add it to the table of all where one is made."""
    ratio = ours / peer if ours is not None and peer else None
    bounds = [
        ("≥", ours, at_least), ("≤", ours, at_most),
        ("ratio ≥", ratio, ratio_at_least), ("ratio ≤", ratio, ratio_at_most),
    ]
    promised = [(words, value, bound) for words, value, bound in bounds if bound is not None]
    target = ", ".join(f"{words} {bound:g}" for words, _, bound in promised)
    verdicts = [_holds(words, value, bound) for words, value, bound in promised]
    is_met = None if None in verdicts or not verdicts else all(verdicts)
    line = Measured(name, what, ours, peer, peer_name, ratio, target, is_met)
    keep(line)
    return line


def _holds(words: str, value: float | None, bound: float) -> bool | None:
    if value is None:
        return None
    return value >= bound if words.endswith("≥") else value <= bound


def keep(line: Measured) -> None:
    """Print a line, and append it to the file of results where the runner named one."""
    print(f"{line.name}: {line.what}: {line.ours} {verdict(line)}", flush=True)
    if path := os.environ.get(RESULTS):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")


def verdict(line: Measured) -> str:
    """The last column: met, missed, or why it is neither."""
    if line.is_met is None:
        return f"no {line.peer_name} here" if line.peer_name and line.peer is None else ""
    return "met" if line.is_met else "missed"


def show(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print one table."""
    print(f"\n{title}\n{tabulate([dict(row) for row in rows], headers='keys', floatfmt='.4g')}", flush=True)


def peak_gb() -> float:
    """The most memory this process ever had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def ask_peer(script: str, given: object, peers: str = "curation") -> Any:
    """Run a script with the peers' Python: JSON in, JSON out; None where they are not installed or fail."""
    folder = Path(os.environ.get("GLAMLAKE_PEERS", ROOT / ".venv-bench")) / peers
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        print(f"no peers in {folder}: `make bench` installs them", flush=True)
        return None
    # not the checkout as working folder: its packages are not the peers' business
    asked = json.dumps(given)
    command = [str(python), "-c", script]
    run = subprocess.run(command, input=asked, capture_output=True, text=True, cwd=python.parent)
    if run.returncode:
        print(f"the peer failed: {(run.stderr.strip().splitlines() or ['without a word'])[-1]}", flush=True)
        return None
    return json.loads(run.stdout.splitlines()[-1])
