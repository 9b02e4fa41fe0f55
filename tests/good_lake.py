"""A small lake on which nothing is wrong, at any stage of the flow, and ways to break one thing in it."""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from lake import Lake
from lake.tables import (
    DUPLICATES,
    LABELS,
    PLACEHOLDERS,
    RAW_HARVESTS,
    RAW_HITS,
    RAW_IMAGES,
    RAW_PAGES,
    RECORD_LABELS,
    RECORDS,
    REJECTIONS,
    SAMPLES,
    Table,
)
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.lakes import NOON, write_mart, write_raw

Row = dict[str, Any]
EXPORT = "open-set"
MODEL = ModelInfo("tiny-0123abcd", 4, "tiny", "", "models/tiny", "0123abcd")
CC_BY = "https://creativecommons.org/licenses/by/4.0/"
_FOUND = {"tram": ("1", "2", "3", "6"), "ship": ("1", "4", "5")}   # the native ids of each search
_PICTURES = {"1": "a", "2": "a", "3": "b", "5": "c"}                # whose pictures were fetched: 4 is a 404
_SPLITS = {"a": "train", "b": "val", "c": "train"}


def good_lake(lake: Lake, stage: str = "embed") -> Lake:
    """Fill a lake as far as a stage: harvest, normalise, fetch, curate, embed or export."""
    names = ("harvest", "normalise", "fetch", "curate", "embed", "export")
    for write in (_harvest, _normalise, _fetch, _curate, _embed, _export)[:names.index(stage) + 1]:
        write(lake)
    return lake


def change_rows(lake: Lake, table: Table, change: Callable[[list[Row]], object]) -> None:
    """Change a mart's (or a raw table's) rows in place; the file stays as old as it was."""
    path = next(lake.raw.glob(f"{table.name}/**/*.parquet")) if _is_raw(table) else lake.mart(table.name)
    times = path.stat()
    rows = pq.ParquetFile(path).read().to_pylist()
    change(rows)
    if _is_raw(table):
        path.unlink()
        write_raw(lake, table, rows)
    else:
        write_mart(lake, table, rows)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def row_of(rows: list[Row], **wanted: object) -> Row:
    """The first row with these values."""
    return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


def _is_raw(table: Table) -> bool:
    return any(table is raw for raw in (RAW_HITS, RAW_PAGES, RAW_HARVESTS, RAW_IMAGES))


def hit_id(query: str, native_id: str) -> str:
    """The key of one of the good lake's hits."""
    return f"{len(query):08x}{ord(query[0]):04x}{int(native_id):04x}"


def sha256(letter: str) -> str:
    """The sha256 of one of the good lake's pictures."""
    return hashlib.sha256(_content(letter)).hexdigest()


def _content(letter: str) -> bytes:
    return f"picture {letter}".encode()


def _image_url(native_id: str) -> str:
    return f"https://pictures.invalid/{native_id}.jpg"


def _harvest(lake: Lake) -> None:
    hits, pages, harvests = [], [], []
    for query, ids in _FOUND.items():
        walk = {"run_id": f"run-{query}", "query": query, "slice": "all"}
        hits += [
            walk | {
                "hit_id": hit_id(query, n), "native_id": n, "page": 1, "position": i, "fetched_at": NOON,
                "base_url": "https://archive.invalid", "payload": f'{{"link": "/{n}?wskey=REDACTED"}}',
            }
            for i, n in enumerate(ids)
        ]
        pages.append(walk | {"page": 1, "page_size": 10, "announced": len(ids), "n_items": len(ids),
                             "fetched_at": NOON})
        counts = {"announced": len(ids), "received": len(ids), "pages": 1}
        harvests.append(walk | counts | {"status": "complete", "started_at": NOON, "finished_at": NOON,
                                         "recorded_at": NOON})
    write_raw(lake, RAW_HITS, hits)
    write_raw(lake, RAW_PAGES, pages)
    write_raw(lake, RAW_HARVESTS, harvests)


def _queries(native_id: str) -> list[str]:
    return sorted(query for query, ids in _FOUND.items() if native_id in ids)


def _record(native_id: str) -> Row:
    year = 1930 + int(native_id)
    return {
        "record_id": f"demo:{native_id}", "archive": "demo", "native_id": native_id,
        "title": f"Picture {native_id}", "description": "By the harbour", "language": "en",
        "caption": f"Picture {native_id}. By the harbour.",
        "queries": _queries(native_id), "labels": _queries(native_id), "date_raw": str(year),
        "date_start": date(year, 1, 1), "date_end": date(year, 12, 31), "year": year, "country": "Finland",
        "provider": "Northport City Museum", "creators": ["Lindqvist, Aino"], "subjects": [],
        "concept_uris": [], "rights_uri": CC_BY, "rights_class": "open", "landing_url": f"https://archive.invalid/{native_id}",
        "image_url": _image_url(native_id), "harvested_at": NOON,
    }


def _normalise(lake: Lake) -> None:
    ids = ("1", "2", "3", "4", "5")
    write_mart(lake, RECORDS, [_record(n) for n in ids])
    write_mart(lake, REJECTIONS, [
        {"hit_id": hit_id("tram", "6"), "archive": "demo", "native_id": "6", "query": "tram",
         "rule": "no_image", "detail": "the item names no picture"},
    ])
    write_mart(lake, RECORD_LABELS, [
        {"record_id": f"demo:{n}", "label": query, "source": "query", "source_value": query, "facet": "topic",
         "path": [query], "confidence": 0.9}
        for n in ids for query in _queries(n)
    ])


def _fetch(lake: Lake) -> None:
    gone = {"status": "http_error", "http_status": 404, "error": "404 Not Found", "fetched_at": NOON}
    rows: list[Row] = [gone | {"image_url": _image_url("4")}]
    for n, letter in _PICTURES.items():
        path = _path(letter)
        (lake.root / path).parent.mkdir(parents=True, exist_ok=True)
        (lake.root / path).write_bytes(_content(letter))
        rows.append({
            "image_url": _image_url(n), "status": "ok", "http_status": 200, "fetched_at": NOON, "bytes": 9,
            "content_type": "image/jpeg", "sha256": sha256(letter), "pixel_hash": sha256(letter),
            "format": "JPEG", "mode": "RGB", "width": 96, "height": 80, "phash": letter * 16, "entropy": 5.0,
            "rgb_mean": [0.5, 0.4, 0.3], "rgb_std": [0.1, 0.2, 0.3], "path": path,
        })
    write_raw(lake, RAW_IMAGES, rows)


def _path(letter: str) -> str:
    return f"images/{letter}/{letter}/{sha256(letter)}.jpg"


def _sample(letter: str) -> Row:
    ids = sorted(n for n, picture in _PICTURES.items() if picture == letter)
    labels = sorted({query for n in ids for query in _queries(n)})
    first = _record(ids[0])
    return {
        "sample_id": letter * 16, "sha256": sha256(letter), "path": _path(letter),
        "record_ids": [f"demo:{n}" for n in ids], "archives": ["demo"], "labels": labels, "label": labels[0],
        **{name: first[name] for name in ("caption", "title", "description", "year", "rights_class")},
        "attribution": f"{first['title']}. Northport City Museum ({CC_BY})", "cluster_id": letter * 16,
        "split": _SPLITS[letter],
    }


def _curate(lake: Lake) -> None:
    samples = [_sample(letter) for letter in "abc"]
    write_mart(lake, SAMPLES, samples)
    write_mart(lake, PLACEHOLDERS, [])
    write_mart(lake, DUPLICATES, [
        {"sha256": sha256("a"), "sample_id": "a" * 16, "cluster_id": "a" * 16, "relation": "same_bytes",
         "distance": 0},
    ])
    write_mart(lake, LABELS, [
        {"label": label, "tier": "head", "queries": [label], "parents": [],
         "n_samples": sum(label in s["labels"] for s in samples),
         "n_train": sum(label in s["labels"] and s["split"] == "train" for s in samples),
         "n_val": sum(label in s["labels"] and s["split"] == "val" for s in samples)}
        for label in _FOUND
    ])


def _embed(lake: Lake) -> None:
    store = VectorStore(lake)
    store.register(MODEL)
    vectors = dict(zip("abc", np.eye(MODEL.dim, dtype=np.float32), strict=False))
    store.add(MODEL.model_id, [VectorRow(letter * 16, sha256(letter), v) for letter, v in vectors.items()])


def _export(lake: Lake) -> None:
    """A frozen data set as far as the checks look at it."""
    folder = lake.exports / EXPORT
    folder.mkdir(parents=True)
    samples = pq.read_table(lake.mart("samples")).drop_columns(["path"])
    pq.write_table(samples, folder / "samples.parquet")
    (folder / "images").mkdir()
    (folder / "images/a.jpg").write_bytes(_content("a"))
    sign_export(folder)


def sign_export(folder: Path) -> None:
    """Write the manifest of what lies in an export now."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"
    }
    n_samples = pq.read_metadata(folder / "samples.parquet").num_rows
    counts = {"samples": n_samples}
    manifest = {"format": "csv", "options": {"rights": ["open"]}, "files": files, "counts": counts}
    (folder / "manifest.json").write_text(json.dumps(manifest))
