"""Where everything lies: every path of a lake, in one class."""

from dataclasses import dataclass
from pathlib import Path

from lake.errors import NotALake

_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class Lake:
    """A lake's root folder; each property is a place below it, made when it is first written to."""

    root: Path

    @property
    def raw(self) -> Path:
        """Hits, pages, harvests, image facts, and what was imported or predicted: Parquet, append-only."""
        return self.root / "raw"

    @property
    def images(self) -> Path:
        """Picture bytes as served, each named by its sha256."""
        return self.root / "images"

    @property
    def marts(self) -> Path:
        """What dbt made: one Parquet file a table."""
        return self.root / "marts"

    @property
    def catalog(self) -> Path:
        """DuckDB file that holds views over the Parquet, and no data."""
        return self.root / "catalog.duckdb"

    @property
    def catalog_mark(self) -> Path:
        """What `catalog.duckdb` was last made from, so that it is not made again for nothing."""
        return self.root / ".catalog-mark"

    @property
    def vectors(self) -> Path:
        """LanceDB folder, one table per model."""
        return self.root / "vectors"

    @property
    def thumbnails(self) -> Path:
        """Small copies of pictures for the page, each under its sha256; may be deleted."""
        return self.root / "thumbnails"

    @property
    def models(self) -> Path:
        """Checkpoints trained on this lake."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """Data-quality site, plots, contact sheets."""
        return self.root / "reports"

    @property
    def checks(self) -> Path:
        """Thresholds of the checks, which people may edit, and what came of earlier runs."""
        return self.root / "checks"

    @property
    def check_runs(self) -> Path:
        """Results of every run of the checks: one Parquet file a run."""
        return self.checks / "runs"

    @property
    def check_profiles(self) -> Path:
        """What the records looked like at every run of the checks: one Parquet file a run."""
        return self.checks / "profiles"

    @property
    def exports(self) -> Path:
        """Frozen data sets, one folder each."""
        return self.root / "exports"

    @property
    def dlt(self) -> Path:
        """dlt's working folder and state."""
        return self.root / ".dlt"

    @property
    def dbt(self) -> Path:
        """dbt's working folder: target, logs, drafts of the marts, what `curate` keeps for its next run."""
        return self.root / ".dbt"

    @property
    def outcomes(self) -> Path:
        """Outcomes of pictures fetched since the last load: one JSON line each, gone when the stage ends."""
        return self.root / ".fetch" / "outcomes.jsonl"

    @property
    def locks(self) -> Path:
        """One lock file per stage and archive, so that two processes do not write the same thing."""
        return self.root / ".locks"

    @property
    def logs(self) -> Path:
        """One log file a day."""
        return self.root / "logs"

    def mart(self, table: str) -> Path:
        """The Parquet file of one mart."""
        return self.marts / f"{table}.parquet"

    def open(self) -> "Lake":
        """Make the root folder if it is missing; raises NotALake where that cannot be, or where DuckDB takes
        its name for a pattern and would read nothing, or other folders."""
        root = self.root.absolute()
        if found := sorted(set(str(root)) & _PATTERN):
            raise NotALake(f"{root} has {' '.join(found)} in its name, which stands for any name where files"
                           " are looked for; give a --lake without * ? [")
        if self.root.exists() and not self.root.is_dir():
            raise NotALake(f"{self.root} is a file; --lake wants a folder (it is made if missing)")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise NotALake(f"cannot make {self.root}: {e.strerror}; give another --lake") from e
        return self
