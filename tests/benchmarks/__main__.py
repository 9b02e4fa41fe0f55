"""Every benchmark in a process of its own, then one table: `python -m tests.benchmarks [--quick] [NAME…]`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from tests.benchmarks._table import RESULTS, ROOT, Measured, verdict

HERE = Path(__file__).parent


def main() -> int:
    """Run them and print the table; 1 where one failed. A target missed is in the table and no failure."""
    found = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(found)}; all by default")
    parser.add_argument("--quick", action="store_true", help="inputs too small to judge by: does it run")
    asked = parser.parse_args()
    if strangers := sorted(set(asked.names) - set(found)):
        parser.error(f"no benchmark named {', '.join(strangers)}; there are: {', '.join(found)}")
    lines: list[Measured] = []
    failed: list[str] = []
    for name in asked.names or found:
        said, is_done = run(name, ["--quick"] * asked.quick)
        lines += said
        failed += [] if is_done else [name]
    print(f"\n{table(lines, failed)}", flush=True)
    return 1 if failed else 0


def run(name: str, options: Sequence[str]) -> tuple[list[Measured], bool]:
    """One benchmark: what it measured, also before it failed, and whether it came to its end."""
    print(f"\n== {name}", flush=True)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        words = [sys.executable, "-m", f"{__package__}.bench_{name}", *options]
        done = subprocess.run(words, cwd=ROOT, env=os.environ | {RESULTS: str(results)})
        said = results.read_text("utf-8").splitlines() if results.exists() else []
    print(f"== {name}: {time.perf_counter() - began:.0f} s, exit status {done.returncode}", flush=True)
    return [Measured(**json.loads(line)) for line in said], done.returncode == 0


def table(lines: Sequence[Measured], failed: Sequence[str] = ()) -> str:
    """The table of all; a benchmark that failed has a line of its own."""
    rows = [
        (line.name, line.what, line.ours, _peer(line), line.ratio, line.target, verdict(line))
        for line in lines
    ]
    rows += [(name, "did not come to its end", None, "", None, "", "failed") for name in failed]
    headers = ("name", "what", "ours", "peer", "ratio", "target", "")
    return tabulate(rows, headers=headers, floatfmt=".4g", disable_numparse=[3])


def _peer(line: Measured) -> str:
    return line.peer_name if line.peer is None else f"{line.peer:.4g} {line.peer_name}".strip()


if __name__ == "__main__":
    sys.exit(main())
