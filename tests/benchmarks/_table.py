"""What benchmarks share: a small table on stdout, the peers' Python, peak memory."""

import json
import os
import resource
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[2]


def show(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print one table."""
    print(f"\n{title}\n{tabulate([dict(row) for row in rows], headers='keys', floatfmt='.4g')}", flush=True)


def peak_gb() -> float:
    """The most memory this process ever had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def ask_peer(script: str, given: object) -> Any:
    """Run a script with the peers' Python: JSON in, JSON out; None where they are not installed."""
    python = Path(os.environ.get("GLAMLAKE_PEERS", ROOT / ".venv-bench")) / "bin" / "python"
    if not python.exists():
        print(f"no peers in {python.parent.parent}: `make bench` installs them", flush=True)
        return None
    # not the checkout as working folder: its packages are not the peers' business
    asked = json.dumps(given)
    command = [python, "-c", script]
    run = subprocess.run(command, input=asked, capture_output=True, text=True, cwd=python.parent)
    if run.returncode:
        print(f"the peer failed: {run.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    return json.loads(run.stdout.splitlines()[-1])
