"""Files that are kept: written once, whole or not at all."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_once(path: Path, table: pa.Table) -> Path:
    """Write one Parquet file under its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}-{os.getpid()}.part")
    pq.write_table(table, draft, compression="zstd")
    return draft.replace(path)
