"""Small lakes for tests: rows given as dictionaries, every column not named is NULL."""

import io
import os
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from lake import Lake
from lake.tables import RAW_IMAGES, Table

NOON = datetime(2026, 1, 2, 12)


def table_of(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """An Arrow table in the contract's schema; a column the contract lacks is an error."""
    rows = list(rows)
    unknown = {name for row in rows for name in row} - set(table.schema.names)
    assert not unknown, f"{table.name} has no column {sorted(unknown)}"
    whole = [dict.fromkeys(table.schema.names) | dict(row) for row in rows]
    return pa.Table.from_pylist(whole, schema=table.schema)


def write_mart(lake: Lake, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one mart as dbt would."""
    lake.marts.mkdir(parents=True, exist_ok=True)
    pq.write_table(table_of(table, rows), lake.mart(table.name))


def write_raw(lake: Lake, table: Table, rows: Iterable[Mapping[str, Any]], archive: str = "demo") -> None:
    """Write one more raw file as dlt would."""
    folder = lake.raw / table.name
    if table is not RAW_IMAGES:
        folder = folder / f"archive={archive}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table_of(table, rows), folder / f"{len(list(folder.iterdir())):06d}.parquet")


@contextmanager
def little_room(n_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes: what a full disk feels like."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with _nothing_compiled_is_kept():
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _nothing_compiled_is_kept() -> Iterator[None]:
    """By this process and those it starts: a module that was cut short would fail whoever imports it next."""
    name = "PYTHONDONTWRITEBYTECODE"
    before = sys.dont_write_bytecode, os.environ.get(name)
    sys.dont_write_bytecode, os.environ[name] = True, "1"
    try:
        yield
    finally:
        sys.dont_write_bytecode, os.environ[name] = before[0], before[1] or ""


def noise_jpeg(seed: int, size: tuple[int, int] = (96, 80), quality: int = 90) -> bytes:
    """A JPEG of smooth coloured noise: different for each seed, with a stable perceptual hash."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    out = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=quality)
    return out.getvalue()
