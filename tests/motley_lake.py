"""A lake to export with odd titles, extensions and pictures, first rows of nulls, label paths and vectors."""

from typing import Any

import numpy as np

from lake import Lake
from lake.tables import RECORD_LABELS
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.export_lakes import CC0, TITLE, encoded, noise, sample, stock, turned_jpeg
from tests.lakes import NOON, noise_jpeg, write_mart

TITLES = [None, TITLE, "a,b", '"', "=1+1", "NA", "None", "a\r\nb", "日", "a\tb", "|x|"]
PATHS = {
    "object_type": ["vehicle", "rail vehicle", "tram"], "material": ["wood"], "discipline": ["engineering"],
    "topic": ["city", "traffic | transport"],
}
MODEL = ModelInfo(
    "tiny-12345678", 4, "tiny", "", None, "checkpoint:ab", fingerprint="1" * 64, preprocessing={"size": 32},
)


def motley_lake(lake: Lake) -> Lake:
    """Eleven samples, two of them in `val`; the first rows are mostly null."""
    rows = [sample(lake, *_picture(i), split="val" if i % 4 == 3 else "train") for i in range(len(TITLES))]
    rows = sorted(rows, key=lambda row: (row["split"], row["sample_id"]))
    for row, title in zip(rows, TITLES, strict=True):
        row |= {"title": title, "caption": title, "year": None if title is None else 1916}
    rows[0] |= {"label": None, "labels": []}
    records = [_record(i, row) for i, row in enumerate(rows)]
    stock(lake, rows, records)
    write_mart(lake, RECORD_LABELS, [
        {"record_id": record["record_id"], "label": path[-1], "facet": facet, "path": path, "source": "query"}
        for record in records[1:] for facet, path in PATHS.items()
    ])
    _give_vectors(lake, rows[1:])
    return lake


def _picture(i: int) -> tuple[bytes, str]:
    if i == 2:
        return turned_jpeg(i), "JPG"
    return (encoded(noise(i), "PNG"), "PNG") if i == 5 else (noise_jpeg(i), "jpg")


def _record(i: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "record_id": row["record_ids"][0], "archive": "demo", "native_id": f"obj_{i}", "title": row["title"],
        "provider": "Northport City Museum", "rights_uri": CC0, "rights_class": "open", "queries": ["rail"],
        "image_url": f"https://demo.glamlake.invalid/{i}.jpg", "harvested_at": NOON if i else None,
    }


def _give_vectors(lake: Lake, rows: list[dict[str, Any]]) -> None:
    store = VectorStore(lake)
    store.register(MODEL)
    axes = np.eye(4, dtype=np.float32)
    store.add(MODEL.model_id, [
        VectorRow(row["sample_id"], row["sha256"], axes[i % 4]) for i, row in enumerate(rows)
    ])
