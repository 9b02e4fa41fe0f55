"""Fetching beside img2dataset: pictures a second, faults, kills, and hostile files.

Pictures of 1000 × 800 from a host on this machine. We decode each, hash it five ways, take its statistics
and keep it as served; img2dataset decodes it, makes it 256 pixels wide and keeps that: its defaults, with a
process for each core as its README advises, and shards small enough that every process has some (its default
of 10,000 pictures a shard leaves one process with all of 5,000; that is measured too). What Numba compiles
once on a machine is compiled before; that the processes start is part of the time.
`python -m tests.benchmarks.bench_fetch [--quick]`; the peer: see `make bench`.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lake import Lake, catalog
from lake.tables import RAW_IMAGES
from pipelines.archives import archive_names
from pipelines.fetch import FetchOptions, fetch
from pipelines.judges import CLERK, Court, JudgePool
from pipelines.transform import CurateOptions, curate, normalise
from tests.benchmarks._table import ask_peer, measured, peak_gb, show
from tests.benchmarks.picture_farm import KINDS, kind_of
from tests.hit_fixtures import load_hits
from tests.lakes import write_raw
from tests.picture_server import records_of
from tests.test_sql_curate import IMAGES, MARTS, OBJECTS

PEER = """
import json, os, sys, time
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
asked = json.load(sys.stdin)
import contextlib
with contextlib.redirect_stdout(sys.stderr):
    from img2dataset import download
    began = time.perf_counter()
    download(url_list=asked["list"], output_folder=asked["folder"], processes_count=2, thread_count=16,
             output_format="files", enable_wandb=False, **asked["options"])
    seconds = time.perf_counter() - began
import glob
reports = [json.load(open(path)) for path in glob.glob(asked["folder"] + "/*_stats.json")]
print(json.dumps({"seconds": seconds, "pictures": sum(report["successes"] for report in reports)}))
"""


def main(quick: bool) -> None:
    """Measure and print."""
    n = 400 if quick else 5000
    with tempfile.TemporaryDirectory() as folder:
        _beside_img2dataset(Path(folder), n)
        _with_faults(Path(folder), n)
        _killed(Path(folder), 60 if quick else 300, 3 if quick else 10)
        _killed_while_curating(Path(folder), 2 if quick else 10)


@contextmanager
def _farm(n: int, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.picture_farm", str(n), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def _lake(root: Path, host: str, n: int) -> Lake:
    lake = Lake(root).open()
    records_of(lake, [f"http://{host}/{i}.jpg" for i in range(n)])
    return lake


def _beside_img2dataset(folder: Path, n: int) -> None:
    with JudgePool(Court(), 1) as judges:
        judges.judge(b"")
    CLERK.end()
    with _farm(n) as host:
        lake = _lake(folder / "speed", host, n)
        began = time.perf_counter()
        counts = fetch(lake, FetchOptions(allowed_hosts=(host,)))
        seconds = time.perf_counter() - began
        theirs = _ask_img2dataset(folder / "peer", host, n, {"number_sample_per_shard": n // 4})
        one = _ask_img2dataset(folder / "one", host, n, {})
        as_is = {"resize_mode": "no", "disable_all_reencoding": True, "number_sample_per_shard": n // 4}
        bare = _ask_img2dataset(folder / "bare", host, n, as_is)
    rows: list[dict[str, object]] = [{"tool": "glamlake", "arrived": counts.get("ok"), "seconds": seconds}]
    tools = {
        "img2dataset": theirs, "img2dataset, its default shards": one, "img2dataset, nothing decoded": bare,
    }
    for tool, found in tools.items():
        if found:
            rows.append({"tool": tool, "arrived": found["pictures"], "seconds": found["seconds"]})
    show(f"{n} pictures of 1000 × 800, two cores shared with their host", rows)
    what = "pictures a second"
    for name, found in (("img2dataset", theirs), ("img2dataset, its default shards", one)):
        peer = found["pictures"] / found["seconds"] if found else None
        measured("fetch", what, counts["ok"] / seconds, peer=peer, peer_name=name, ratio_at_least=1.5)
    measured("fetch", "peak GB of the fetching process", peak_gb(), at_most=1.5)


def _ask_img2dataset(folder: Path, host: str, n: int, options: dict[str, object]) -> dict[str, Any] | None:
    folder.mkdir()
    urls = folder / "urls.txt"
    urls.write_text("".join(f"http://{host}/{i}.jpg\n" for i in range(n)), "utf-8")
    given = {"list": str(urls), "folder": str(folder / "out"), "options": options}
    found: dict[str, Any] | None = ask_peer(PEER, given, peers="fetching")
    return found


def _with_faults(folder: Path, n: int) -> None:
    with _farm(n, "--faults") as host:
        lake = _lake(folder / "faults", host, n)
        began = time.perf_counter()
        fetch(lake, FetchOptions(allowed_hosts=(host,)))
        seconds = time.perf_counter() - began
        theirs = _ask_img2dataset(folder / "peer-faults", host, n, {})
    rows = catalog.rows(lake, "select image_url, status, error from images")
    kinds = [kind_of(int(str(row["image_url"]).rsplit("/", 1)[1][:-4]), True) for row in rows]
    expected = [KINDS.get(kind, "ok") for kind in kinds]
    wrong = Counter(
        (kind, str(row["status"])) for kind, row, status in zip(kinds, rows, expected, strict=True)
        if row["status"] != status or (status != "ok" and not row["error"])
    )
    good = expected.count("ok")
    arrived = sum(row["status"] == "ok" for row in rows)
    show(f"{n} pictures, {n - good} of them bad; {seconds:.0f} s", [
        {"tool": "glamlake", "good ones": good, "arrived": arrived, "wrong status": sum(wrong.values())},
        *([{"tool": "img2dataset", "good ones": good, "arrived": theirs["pictures"]}] if theirs else []),
    ])
    if wrong:
        print(f"not as scripted: {dict(wrong)}")
    measured("fetch", "share of good pictures that arrived, a fifth bad", arrived / good, at_least=1)
    measured("fetch", "outcomes other than scripted", sum(wrong.values()) + n - len(rows), at_most=0)


def _killed(folder: Path, n: int, kills: int) -> None:
    """Kill -9 at random moments; whoever comes last must find what an undisturbed run finds."""
    with _farm(n, "--faults") as host:
        undisturbed, killed = _lake(folder / "undisturbed", host, n), _lake(folder / "killed", host, n)
        fetch(undisturbed, FetchOptions(allowed_hosts=(host,)))
        n_killed = _kill(killed, "fetch", kills, host)
    same = _end_state(killed) == _end_state(undisturbed)
    twice = catalog.rows(killed, "select count(*) - count(distinct image_url) as n from raw_images")[0]["n"]
    measured("fetch", f"end states other than undisturbed after {n_killed} kills", float(not same), at_most=0)
    measured("fetch", "outcomes loaded twice after the kills", float(str(twice)), at_most=0)


def _killed_while_curating(folder: Path, kills: int) -> None:
    lakes = [Lake(folder / name) for name in ("as it should be", "curated")]
    for lake in lakes:
        load_hits(lake, "demo", "steam train", OBJECTS)
        normalise(lake, archive_names())
        write_raw(lake, RAW_IMAGES, IMAGES)
    curate(lakes[0], CurateOptions(), archive_names())
    n_killed = _kill(lakes[1], "curate", kills)
    one, other = ([lake.mart(table.name).read_bytes() for table in MARTS] for lake in lakes)
    what = f"end states other than undisturbed after {n_killed} kills of curate"
    measured("fetch", what, float(one != other), at_most=0)


def _kill(lake: Lake, stage: str, kills: int, *host: str) -> int:
    command = [sys.executable, "-m", "tests.killed_stages", str(lake.root), stage, str(kills), "7", *host]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _end_state(lake: Lake) -> list[tuple[object, ...]]:
    rows = catalog.rows(lake, "select image_url, status, sha256, path from images order by image_url")
    stored = {path.name for path in lake.images.rglob("*.*") if path.is_file()}
    return [
        (row["image_url"], row["status"], row["sha256"]) for row in rows
        if row["path"] is None or Path(str(row["path"])).name in stored
    ]


if __name__ == "__main__":
    main("--quick" in sys.argv)
