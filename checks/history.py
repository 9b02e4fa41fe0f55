"""What came of every run of the checks, kept as Parquet: one file a run, never changed."""

from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from checks.kept import write_once
from checks.results import CheckReport
from lake import Lake

RUNS_SCHEMA = pa.schema([
    ("run_id", pa.string()), ("made_at", pa.timestamp("us")), ("table", pa.string()),
    ("expectation", pa.string()), ("severity", pa.string()), ("outcome", pa.string()),
    ("n_found", pa.int64()), ("observed", pa.string()), ("detail", pa.string()),
])


def keep_run(lake: Lake, report: CheckReport) -> Path:
    """Add a run's rows to those kept, atomically; two runs at one moment are two files."""
    rows = [
        {
            "run_id": report.run_id, "made_at": report.made_at.replace(tzinfo=None), "table": row.table,
            "expectation": row.expectation, "severity": row.severity, "outcome": row.outcome,
            "n_found": row.n_found, "observed": row.observed, "detail": row.detail,
        }
        for row in report.rows
    ]
    return write_once(lake.check_runs / f"{report.run_id}.parquet", pa.Table.from_pylist(rows, RUNS_SCHEMA))


def new_run_id(moment: str) -> str:
    """A name for a run that sorts by its moment (in digits) and that no other run has."""
    return f"{moment}-{uuid4().hex[:6]}"
