"""Plots of what a lake holds: one module an idea, each from DuckDB's answers to a figure with its finding.

A module's `plot` asks (through `lake.catalog`) and hands plain rows to its `draw`, which is pure: the same
rows give the same bytes. Nothing to draw is a sentence, not an empty figure. matplotlib comes in only here.
"""

from collections.abc import Iterator
from pathlib import Path

from lake import Lake
from lake.catalog import Connection, connect
from pipelines.plots import archives, failures, funnel, labels, rights, sheets, splits, trend, years
from pipelines.plots._export import show_only
from pipelines.plots._plot import Plot, files_of, save_plot

__all__ = ["Plot", "files_of", "plots_of_export", "plots_of_lake", "plots_of_samples", "save_plot"]

_OF_SAMPLES = (labels, archives, years, splits, rights)


def plots_of_samples(con: Connection) -> Iterator[Plot]:
    """What one can say of samples and their records alone, be they a lake's or an export's."""
    for module in _OF_SAMPLES:
        yield module.plot(con)


def plots_of_export(lake: Lake, samples: Path, archive: str | None = None) -> Iterator[Plot]:
    """Plots of an export's `samples.parquet`, or of what one archive gave to it."""
    with connect(lake) as con:
        show_only(con, samples, archive)
        yield from plots_of_samples(con)


def plots_of_lake(con: Connection, lake: Lake) -> Iterator[Plot]:
    """Every plot of a whole lake, in the order in which a report shows them."""
    yield funnel.plot(con)
    yield from plots_of_samples(con)
    yield failures.plot(con)
    yield from sheets.plots(con, lake)
    yield trend.plot(con, lake)
