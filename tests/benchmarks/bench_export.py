"""How fast pictures leave: an export beside a plain copy of the same files, and reading it back shuffled.

    python -m tests.benchmarks.bench_export [--quick] [--pictures 20000] [--folder DIR]

Prints megabytes per second of a plain copy (shutil, file by file), of the webdataset export, and their ratio;
the export's peak memory, in a process of its own; then samples per second that PyTorch's loaders give in
random order, from the shards (webdataset) and from the copied folder (torchvision's ImageFolder): decoded,
cropped to 224 × 224, in batches, by two workers each. The median of three rounds, both sides in turn.
"""

import argparse
import io
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lake import Lake, image_store
from lake.tables import RAW_HITS, RECORDS, SAMPLES
from pipelines.exports import export
from tests.benchmarks._table import measured
from tests.lakes import NOON, write_mart, write_raw

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 3
SHUFFLED = 1000
BATCH, WORKERS = 64, 2


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="500 pictures: does it run at all")
    parser.add_argument("--folder", type=Path, help="where to work; needs four times the pictures' size")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        measure(Lake(Path(folder) / "lake"), 500 if asked.quick else asked.pictures)


def measure(lake: Lake, n: int) -> None:
    """Copy, export and read back n pictures."""
    megabytes = fill(lake.open(), n) / 1e6
    print(f"{n} pictures of {megabytes * 1000 / n:.0f} KB on average, {megabytes:.0f} MB", flush=True)
    copies, exports = [], []
    for _ in range(ROUNDS):
        copies.append(megabytes / timed(lambda: copy_all(lake)))
        facts = export_in_own_process(lake)
        exports.append(megabytes / facts["seconds"])
    rounds = ", ".join(f"{made / copied:.2f}" for made, copied in zip(exports, copies, strict=True))
    print(f"export over copy, round by round: {rounds}", flush=True)
    measured("export", "MB a second, webdataset", statistics.median(exports),
             peer=statistics.median(copies), peer_name="plain copy", ratio_at_least=0.7)
    measured("export", "peak MB of memory", facts["peak_mb"], at_most=500)
    few = min(n, 2000)
    rates = [(few / timed(lambda: read_shards(lake, few)), few / timed(lambda: read_folder(lake, few)))
             for _ in range(ROUNDS)]
    from_shards, from_folder = (statistics.median(side) for side in zip(*rates, strict=True))
    rates_text = f"{from_shards:.0f} from the shards, {from_folder:.0f} from an image folder"
    print(f"samples a second, shuffled: {rates_text}", flush=True)
    measured("export", "samples a second read back shuffled", from_shards,
             peer=from_folder, peer_name="image folder")


def fill(lake: Lake, n: int) -> int:
    """A lake of n pictures of 1024 × 768 that differ in their bytes; how many bytes that is."""
    bases = [drawn(seed) for seed in range(8)]
    rows = [row_of(lake, bases[i % len(bases)], i) for i in range(n)]
    write_raw(lake, RAW_HITS, [{"hit_id": "0" * 16, "fetched_at": NOON}])
    write_mart(lake, SAMPLES, [sample for sample, _ in rows])
    write_mart(lake, RECORDS, [record for _, record in rows])
    return sum((lake.root / sample["path"]).stat().st_size for sample, _ in rows)


def drawn(seed: int) -> bytes:
    """A JPEG of colour fields with the grain of a scanned print."""
    rng = np.random.default_rng(seed)
    fields = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize((1024, 768))
    grain = rng.normal(0, 9, (768, 1024, 1))
    out = io.BytesIO()
    pixels = np.clip(np.asarray(fields) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=85)
    return out.getvalue()


def row_of(lake: Lake, base: bytes, i: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sample and record of picture i: the base with its number in a comment."""
    stored = image_store.put(lake, base[:2] + b"\xff\xfe\x00\x0a" + i.to_bytes(8) + base[2:], "jpg")
    shared = {
        "title": f"Tram number {i} at the station", "description": "A long description. " * 12,
        "caption": f"Tram number {i} at the station. " + "It waits for the people. " * 4,
        "labels": ["station", "tram"], "year": 1900 + i % 50, "rights_class": "open",
    }
    sample = {
        "sample_id": stored.sha256[:16], "sha256": stored.sha256, "path": stored.path, "label": "tram",
        "record_ids": [f"demo:{i}"], "archives": ["demo"], "attribution": "Northport City Museum",
        "cluster_id": stored.sha256[:16], "split": "val" if i % 3 == 0 else "train",
    }
    record = {
        "record_id": f"demo:{i}", "archive": "demo", "native_id": str(i), "queries": ["tram"],
        "provider": "Northport City Museum", "creators": ["A. Maker"], "subjects": ["stations", "trams"],
        "rights_uri": "http://creativecommons.org/publicdomain/zero/1.0/", "harvested_at": NOON,
        "landing_url": f"https://demo.glamlake.invalid/{i}",
        "image_url": f"https://demo.glamlake.invalid/{i}.jpg",
    }
    return shared | sample, shared | record


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def stored_files(lake: Lake) -> list[Path]:
    """Every picture's file, in the order an export takes them."""
    return sorted(lake.images.rglob("*.jpg"))


def copy_folder(lake: Lake) -> Path:
    """Where the plain copies go, as the one class of an image folder."""
    return lake.root / "copies" / "pictures"


def copy_all(lake: Lake) -> None:
    """Copy every picture into one folder, anew."""
    target = copy_folder(lake)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in stored_files(lake):
        shutil.copyfile(path, target / path.name)


def export_in_own_process(lake: Lake) -> dict[str, float]:
    """Seconds of one export, and the most memory its process held."""
    shutil.rmtree(lake.exports / "set", ignore_errors=True)
    words = [sys.executable, "-m", "tests.benchmarks.bench_export", "_export", str(lake.root)]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    facts: dict[str, float] = json.loads(done.stdout)
    return facts


def export_once(root: Path) -> None:
    """What the process of its own does."""
    seconds = timed(lambda: export(Lake(root), "webdataset", "set"))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb}))


def transform() -> Any:
    """What both loaders do with a decoded picture."""
    from torchvision import transforms

    return transforms.Compose([transforms.RandomResizedCrop(224), transforms.ToTensor()])


def read_shards(lake: Lake, n: int) -> None:
    """Load n samples from the shards: shards in random order, samples shuffled in a buffer."""
    import webdataset

    shards = sorted(map(str, (lake.exports / "set").glob("*/*.tar")))
    samples = webdataset.WebDataset(shards, shardshuffle=len(shards)).shuffle(SHUFFLED).decode("pil")
    pairs = samples.to_tuple("jpg", "txt").map_tuple(transform(), str).batched(BATCH)
    take(webdataset.WebLoader(pairs, batch_size=None, num_workers=WORKERS), n)


def read_folder(lake: Lake, n: int) -> None:
    """Load n pictures of the copied folder in an order drawn anew."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder

    pictures = ImageFolder(copy_folder(lake).parent, transform())
    take(DataLoader(pictures, batch_size=BATCH, shuffle=True, num_workers=WORKERS), n)


def take(batches: Iterable[Any], n: int) -> None:
    """Use up batches until n samples have come."""
    n_come = 0
    for batch in batches:
        n_come += len(batch[0])
        if n_come >= n:
            return
    raise RuntimeError(f"only {n_come} of {n} samples came")


if __name__ == "__main__":
    if sys.argv[1:2] == ["_export"]:
        export_once(Path(sys.argv[2]))
    else:
        main()
