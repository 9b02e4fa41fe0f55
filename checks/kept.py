"""Files that are kept: written once, whole or not at all."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lake.drafts import whole_file


def write_once(path: Path, table: pa.Table) -> Path:
    """Write one Parquet file under its name when it is whole."""
    with whole_file(path) as draft:
        pq.write_table(table, draft, compression="zstd")
    return path
