"""How fast hits become records, beside the same job in pandas as it is usually written.

    python -m tests.benchmarks.bench_normalise [--quick] [--sizes 10000 100000 1000000] [--pandas-size 10000]

Hits are made anew, 2 KB each and as untidy as real ones (`untidy_hits.py`). Each run has a process of its
own: seconds (wall and CPU of both cores) and peak memory, and microseconds per hit, which show whether it is
linear. The pandas job (`usual_pandas.py`) is the same one with the same rules, `apply` per row, `groupby.agg`
and CSV out; it takes as long for each hit however many there are, so fewer are enough.
The ratio is of hits a second.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lake import Lake
from tests.benchmarks._table import measured

ROOT = Path(__file__).parent.parent.parent
ARCHIVES = ("europeana", "sa_kuva")


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pandas-size", type=int, default=10_000, help="hits of the pandas run")
    parser.add_argument("--quick", action="store_true", help="500 hits: does it run at all")
    parser.add_argument("--folder", type=Path, help="where to work; needs four times 2 KB per hit")
    parser.add_argument("--job", choices=("normalise", "pandas"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(_do(asked.job, Lake(asked.folder))))
        return
    sizes = [500] if asked.quick else asked.sizes
    ours = {n: _measure("normalise", n, asked.folder) for n in sizes}
    n_pandas = min(asked.pandas_size, sizes[-1])
    beside = _measure("pandas", n_pandas, asked.folder)
    largest = sizes[-1]
    measured("normalise", f"hits a second, of {largest:,}", largest / ours[largest]["seconds"],
             peer=n_pandas / beside["seconds"], peer_name=f"pandas, of {n_pandas:,}", ratio_at_least=20)
    if len(sizes) > 1:
        last, before = (ours[n]["seconds"] * 1e6 / n for n in (largest, sizes[-2]))
        measured("normalise", f"us per hit, of {largest:,}: linear", last, peer=before,
                 peer_name=f"of {sizes[-2]:,}", ratio_at_most=1.25)
    measured("normalise", f"peak GB of memory, {largest:,} hits", ours[largest]["peak_mb"] / 1024, at_most=6)


def _measure(job: str, n_hits: int, folder: Path | None) -> dict[str, float]:
    """Make the hits, do the job in a process of its own and print its line."""
    from tests.benchmarks.untidy_hits import write_untidy_hits

    with tempfile.TemporaryDirectory(dir=folder) as place:
        write_untidy_hits(Lake(Path(place)), n_hits)
        command = [sys.executable, "-m", __spec__.name, "--job", job, "--folder", place]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{job:<10} {n_hits:>9,} hits  {found['seconds']:>8.1f} s  {found['cpu']:>8.1f} CPU s  "
        f"{found['peak_mb']:>6.0f} MB  {found['seconds'] * 1e6 / n_hits:>7.0f} us per hit  "
        f"{found['records']:>9,} records",
        flush=True,
    )
    return found


def _do(job: str, lake: Lake) -> dict[str, float]:
    """One job on a lake: what it took."""
    from pipelines.transform import normalise
    from tests.benchmarks.usual_pandas import records_by_pandas

    began, cpu = time.perf_counter(), time.process_time()
    records = normalise(lake, ARCHIVES)["records"] if job == "normalise" else records_by_pandas(lake)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "records": records,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
