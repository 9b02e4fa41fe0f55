"""`glamlake report`: one static site about a lake: plots, the ledger and how the data is, for people.

`reports/index.html` with its plots in `reports/plots/`; the checks' own page and Data Docs lie beside it.
Nothing comes from elsewhere, every value is escaped, every plot has its numbers in a table, and it prints.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure

from lake import Lake
from lake.catalog import connect
from lake.drafts import whole_file
from lake.status import Status, status
from pipelines.plots import Plot, plots_of_lake, save_plot

log = logging.getLogger(__name__)

_TEMPLATES = Path(__file__).parent / "templates"
_ROWS_SHOWN = 60
_OUTCOMES = ("failed", "error", "skipped", "ok")


@dataclass(frozen=True)
class Exhibit:
    """A plot on the page: where its picture is, and the rows of its table that are shown."""

    plot: Plot
    picture: str | None
    width: int
    height: int
    rows: Sequence[Sequence[Any]]

    @property
    def n_hidden(self) -> int:
        """Rows that only the CSV file has."""
        return len(self.plot.rows) - len(self.rows)


def write_report(lake: Lake, quality: Mapping[str, Any] | None = None) -> Path:
    """Write the site and return its first page; `quality` is a run of the checks as plain values.

    Raises EmptyLake where nothing was harvested.
    """
    found = status(lake)
    with connect(lake) as con:
        plots = list(plots_of_lake(con, lake))
    exhibits = _saved(plots, lake.reports / "plots")
    page = lake.reports / "index.html"
    with whole_file(page) as draft:
        draft.write_text(render(lake.root.absolute().name, found, exhibits, quality), encoding="utf-8")
    log.info("reported plots=%d", len(exhibits))
    return page


def render(
    name: str, found: Status, exhibits: Sequence[Exhibit], quality: Mapping[str, Any] | None,
    made_at: datetime | None = None,
) -> str:
    """The page as HTML; every value is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters["cell"] = cell_text
    environment.tests["number"] = lambda value: isinstance(value, int | float)
    return environment.get_template("report.html").render(
        name=name, status=found, exhibits=exhibits, quality=quality, unmet=_unmet(quality),
        tallies=_tallies(quality), made_at=made_at or datetime.now(UTC), version=version("glamlake"),
    )


def cell_text(value: object) -> str:
    """A value of a table as people read it; unknown is a dash. Years stay without separators."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _saved(plots: Sequence[Plot], folder: Path) -> list[Exhibit]:
    """Write each plot's files; what an earlier report left and this one has not goes."""
    exhibits, kept = [], set()
    for plot in plots:
        paths = save_plot(plot, folder)
        kept |= {path.name for path in paths}
        pictures = [path.name for path in paths if path.suffix in (".svg", ".jpg")]
        width, height = _size(plot)
        picture = f"plots/{pictures[0]}" if pictures else None
        exhibits.append(Exhibit(plot, picture, width, height, plot.rows[:_ROWS_SHOWN]))
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.name not in kept:
            path.unlink()
    return exhibits


def _size(plot: Plot) -> tuple[int, int]:
    """In pixels of the screen, so that the page does not jump while it loads."""
    if plot.drawing is None:
        return 0, 0
    if isinstance(plot.drawing, Figure):
        width, height = plot.drawing.get_size_inches() * 96
        return round(width), round(height)
    return plot.drawing.size


def _unmet(quality: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Expectations that are not met or could not be judged, the critical ones first."""
    rows = quality["expectations"] if quality else []
    return sorted(
        (row for row in rows if row["outcome"] in ("failed", "error")),
        key=lambda row: (row["severity"], _OUTCOMES.index(row["outcome"])),
    )


def _tallies(quality: Mapping[str, Any] | None) -> list[tuple[str, dict[str, int]]]:
    """For each table, how many expectations ended how."""
    tallies: dict[str, dict[str, int]] = {}
    for row in quality["expectations"] if quality else []:
        tally = tallies.setdefault(row["table"], dict.fromkeys(_OUTCOMES, 0))
        tally[row["outcome"]] += 1
    return list(tallies.items())
