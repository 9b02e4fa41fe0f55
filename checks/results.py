"""What came out of a run of the suites."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from checks.drift import Drift
from checks.expectations import CRITICAL, Severity
from lake.ledger import Ledger

Outcome = Literal["ok", "failed", "error", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("failed", "error", "skipped", "ok")


@dataclass(frozen=True)
class Row:
    """One expectation and its outcome; `error` says that it could not be judged, not that the data is bad."""

    table: str
    expectation: str
    reason: str
    severity: Severity
    outcome: Outcome
    observed: str = ""
    detail: str = ""
    n_found: int | None = None


@dataclass(frozen=True)
class CheckReport:
    """Every expectation of every suite; `page` is where it can be read, once written.

    There is no ledger when a table lacks a column that it counts; `drift` is from the last run whose records
    were others, `profile` what they look like now.
    """

    rows: tuple[Row, ...]
    ledger: Ledger | None
    made_at: datetime
    run_id: str = ""
    drift: Drift | None = None
    profile: pa.Table | None = None
    page: Path | None = None

    @property
    def failed_critical(self) -> tuple[Row, ...]:
        """Critical expectations that the data breaks, or that could not be judged."""
        return tuple(r for r in self.rows if r.severity == CRITICAL and r.outcome in ("failed", "error"))

    def with_outcome(self, outcome: Outcome, severity: Severity | None = None) -> tuple[Row, ...]:
        """The rows of one outcome (and severity)."""
        return tuple(r for r in self.rows if r.outcome == outcome and severity in (None, r.severity))

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "run_id": self.run_id,
            "made_at": self.made_at.isoformat(),
            "counts": {outcome: len(self.with_outcome(outcome)) for outcome in OUTCOMES},
            "failed_critical": len(self.failed_critical),
            "page": str(self.page) if self.page else None,
            "expectations": [asdict(row) for row in self.rows],
            "drift": self.drift.as_dict() if self.drift else None,
            "ledger": self.ledger.as_dict() if self.ledger else None,
        }

    def text(self) -> str:
        """A line of counts, then a line for each expectation that failed or could not be judged."""
        counts = ", ".join(f"{len(self.with_outcome(outcome))} {outcome}" for outcome in reversed(OUTCOMES))
        bad = sorted((r for r in self.rows if r.outcome in ("failed", "error")), key=lambda r: r.severity)
        return "\n".join([f"{len(self.rows)} expectations: {counts}", *map(_line, bad)])


def _line(row: Row) -> str:
    told = ": ".join(text for text in (row.observed, row.detail) if text)
    return f"  {row.severity:<9}{row.outcome:<8}{row.table}: {row.expectation} ({told})"
