"""Lakes with samples to export, and what to read an export back with."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from lake import Lake, image_store
from lake.tables import RAW_HITS, RECORDS, SAMPLES
from tests.lakes import NOON, noise_jpeg, write_mart, write_raw

TITLE = 'Höyryveturi "Pikku", Ähtäri\nkuva 1; Straße – Ж'
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"


def sample(lake: Lake, content: bytes, extension: str = "jpg", **columns: Any) -> dict[str, Any]:
    """A row of `samples` whose picture is in the store: open and in `train` unless told otherwise."""
    stored = image_store.put(lake, content, extension)
    return {
        "sample_id": stored.sha256[:16], "cluster_id": stored.sha256[:16], "sha256": stored.sha256,
        "path": stored.path, "record_ids": [f"demo:{stored.sha256[:4]}"], "archives": ["demo"],
        "labels": ["tram"], "label": "tram", "rights_class": "open", "split": "train",
    } | columns


def stock(lake: Lake, samples: list[dict[str, Any]], records: list[dict[str, Any]] | None = None) -> None:
    """Write the marts an export reads; one record per sample unless others are given."""
    write_raw(lake, RAW_HITS, [{"hit_id": "0" * 16, "fetched_at": NOON}])
    write_mart(lake, SAMPLES, samples)
    write_mart(lake, RECORDS, [record_of(row) for row in samples] if records is None else records)


def record_of(row: dict[str, Any]) -> dict[str, Any]:
    """The record behind a sample."""
    digits = row["sha256"][:4]
    return {
        "record_id": f"demo:{digits}", "archive": "demo", "title": row.get("title"), "labels": ["tram"],
        "queries": ["tram", "rail"], "provider": "Northport City Museum", "rights_class": row["rights_class"],
        "rights_uri": CC0, "landing_url": f"https://demo.glamlake.invalid/{digits}", "date_raw": "ca. 1916",
    }


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """A picture's bytes in a format."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def noise(seed: int, size: tuple[int, int] = (96, 80)) -> Image.Image:
    """The pixels of `noise_jpeg`."""
    return Image.open(io.BytesIO(noise_jpeg(seed, size))).convert("RGB")


def turned_jpeg(seed: int) -> bytes:
    """A JPEG that lies on its side and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(noise(seed), "JPEG", quality=95, exif=exif)


def ten_samples(lake: Lake) -> Lake:
    """Ten samples in four splits, three of them not open."""
    rights = ["open"] * 7 + ["noncommercial", "unknown", "unknown"]
    splits = ["train", "train", "train", "val", "val", "test_id", "test_ood", "train", "train", "val"]
    labels = [["tram"], ["ship", "tram"], ["ship"]]
    stock(lake, [
        sample(
            lake, noise_jpeg(i), rights_class=rights[i], split=splits[i], labels=labels[i % 3],
            label=labels[i % 3][0], title=TITLE, caption=f"{TITLE} {i}", year=1900 + i,
        )
        for i in range(10)
    ])
    return lake


def members(folder: Path) -> dict[str, bytes]:
    """Every member of every shard, by `<split>/<name>`."""
    found = {}
    for path in sorted(folder.glob("*/*.tar")):
        with tarfile.open(path) as tar:
            for info in tar:
                file = tar.extractfile(info)
                assert file is not None
                found[f"{path.parent.name}/{info.name}"] = file.read()
    return found


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def manifest(folder: Path) -> dict[str, Any]:
    """What an export says of itself."""
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


def read_csv(path: Path) -> pd.DataFrame:
    """A table as the manifest's note says it is read."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])
