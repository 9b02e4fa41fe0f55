"""A small lake of coloured pictures, and an encoder that knows colours: what the search page is tried on."""

import io
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image

from lake import Lake
from lake.image_store import put
from lake.tables import RAW_HITS, RECORDS, SAMPLES
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.lakes import NOON, table_of, write_mart, write_raw
from web.app import create_app

Vector = NDArray[np.float32]
COLOURS = {"red": (200, 20, 20), "green": (20, 180, 40), "blue": (20, 40, 200), "yellow": (220, 210, 30)}
SHADES = 9    # of each colour: 36 samples, more than a page


class ColourEncoder:
    """Pictures by their mean colour, texts by the colours they name."""

    model_id = "colours"

    def encode_images(self, images: Sequence[Any]) -> Vector:
        return _unit([np.asarray(image.convert("RGB")).mean(axis=(0, 1)) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> Vector:
        named = [[COLOURS[word] for word in text.split() if word in COLOURS] for text in texts]
        return _unit([np.mean(colours or [(111, 110, 110)], axis=0) for colours in named])


def _unit(colours: Sequence[Any]) -> Vector:
    rows = np.array(colours, dtype=np.float32).reshape(-1, 3) - 110
    unit: Vector = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def picture(colour: tuple[int, ...], size: tuple[int, int] = (120, 90), format_: str = "JPEG") -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, format_)
    return out.getvalue()


def open_gallery(folder: Path) -> Lake:
    """A lake with `gallery_rows`, embedded."""
    lake = Lake(folder / "lake").open()
    add_samples(lake, gallery_rows())
    embed(lake, ColourEncoder())
    return lake


def shade(name: str, i: int) -> tuple[int, int, int]:
    """The colour, darker by i."""
    red, green, blue = (max(value - 2 * i, 0) for value in COLOURS[name])
    return red, green, blue


def add_samples(lake: Lake, rows: Sequence[dict[str, Any]]) -> None:
    """Samples, one record each, and their pictures; the keys of a row that a table lacks are not for it."""
    records, samples = [], []
    for i, row in enumerate(rows):
        stored = put(lake, row["content"], row.get("extension", "jpg"))
        facts = {"sample_id": f"{i:016x}", "sha256": stored.sha256, "path": stored.path} | row
        facts |= {"record_ids": [f"{row['archive']}:{i}"], "archives": [row["archive"]]}
        samples.append({name: facts[name] for name in SAMPLES.schema.names if name in facts})
        records.append({name: row[name] for name in RECORDS.schema.names if name in row}
                       | {"record_id": f"{row['archive']}:{i}"})
    write_raw(lake, RAW_HITS, [{"hit_id": "1", "native_id": "1", "payload": "{}", "fetched_at": NOON}])
    write_mart(lake, RECORDS, records)
    more = {name: [row.get(name) for row in rows] for name in ("language", "rights_uri")}
    whole = table_of(SAMPLES, samples)
    for name, values in more.items():    # curate adds them too
        whole = whole.append_column(name, pa.array(values, pa.string()))
    pq.write_table(whole, lake.mart("samples"))


def embed(lake: Lake, encoder: ColourEncoder) -> None:
    """Give every sample its vector."""
    store = VectorStore(lake)
    store.register(ModelInfo("colours", 3, "colours", "", None, "colours"))
    samples = pq.read_table(lake.mart("samples")).to_pylist()
    vectors = encoder.encode_images([Image.open(lake.root / row["path"]) for row in samples])
    store.add("colours", [VectorRow(row["sample_id"], row["sha256"], vector)
                          for row, vector in zip(samples, vectors, strict=True)])


def gallery_rows() -> list[dict[str, Any]]:
    """What `add_samples` makes of every shade of every colour; a darker one is younger."""
    return [
        {"content": picture(shade(name, i)), "title": f"{name} {i}", "archive": ("demo", "sa_kuva")[i % 2],
         "provider": "Northport City Museum", "date_raw": f"ca. {1910 + i}", "year": 1910 + i,
         "rights_class": ("open", "restricted")[i % 2], "landing_url": f"https://archive.invalid/{name}/{i}"}
        for name in COLOURS for i in range(SHADES)
    ]


def client_of(lake: Lake, *rows: dict[str, Any]) -> TestClient:
    """Visits a lake of just these samples, without vectors."""
    add_samples(lake, [{"archive": "demo", "content": picture((9, 9, 9))} | row for row in rows])
    return TestClient(create_app(lake, ColourEncoder()))


def titles(html: str) -> list[str]:
    """The titles on a page, in their order."""
    return re.findall(r'<span title="([^"]*)"', html)


class Seen(HTMLParser):
    """The tags of a page, and every address in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def addresses(self, *names: str) -> list[str]:
        return [value or "" for _, name, value in self.attributes if name in names]
