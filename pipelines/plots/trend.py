"""How the data-quality checks went, run by run."""

from typing import NamedTuple

from lake import Lake
from lake.catalog import Connection, ask
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._style import (
    ORANGE,
    PINK,
    RED,
    count,
    figure,
    house_style,
    legend_above,
    title,
    whole_numbers,
)

NAME = "trend"
_RUNS_SHOWN = 40
_PARTS = {"critical": ("critical, not met", RED), "unjudged": ("could not be judged", PINK),
          "warnings": ("warnings", ORANGE)}
_SQL = """
    select
        run_id,
        any_value(strftime(made_at, '%Y-%m-%d %H:%M')) as made_at,
        count(*) filter (outcome = 'failed' and severity = 'critical') as critical,
        count(*) filter (outcome = 'error') as unjudged,
        count(*) filter (outcome = 'failed' and severity <> 'critical') as warnings,
        count(*) filter (outcome = 'ok') as ok
    from read_parquet(?) group by run_id order by run_id
"""


class Run(NamedTuple):
    """One run of the checks: how many expectations ended how."""

    run_id: str
    made_at: str
    critical: int
    unjudged: int
    warnings: int
    ok: int


def plot(con: Connection, lake: Lake) -> Plot:
    """The plot of every run kept."""
    if not any(lake.check_runs.glob("*.parquet")):
        return draw([])
    return draw([Run(**row) for row in ask(con, _SQL, [str(lake.check_runs / "*.parquet")]).to_pylist()])


@house_style()
def draw(runs: list[Run]) -> Plot:
    """A bar for each of the newest runs, its parts by how bad it is; the newest on the right."""
    if not runs:
        return nothing(NAME, "The checks have not run yet; `glamlake check` runs them.")
    shown = runs[-_RUNS_SHOWN:]
    finding = _finding(runs)
    made, (axes,) = figure(3.0)
    title(made, finding)
    bottom = [0] * len(shown)
    for part, (label, colour) in _PARTS.items():
        heights = [getattr(run, part) for run in shown]
        axes.bar(range(len(shown)), heights, 0.7, bottom, color=colour, label=label)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    every = max(1, -(-len(shown) // 8))
    axes.set_xticks(range(0, len(shown), every), [run.made_at.replace(" ", "\n") for run in shown[::every]])
    axes.set_xlim(-0.6, max(len(shown), 6) - 0.4)
    axes.set_ylim(0, max(*bottom, 1) * 1.15)
    axes.set_ylabel("expectations")
    axes.grid(visible=False, axis="x")
    whole_numbers(axes, "y")
    legend_above(axes)
    rows = [run[1:] for run in runs]
    alt = f"Bars of what was not met in {count(len(shown), 'run')} of the checks. {finding}"
    return Plot(NAME, finding, alt, made, Run._fields[1:], rows, "A run without a bar met everything.")


def _finding(runs: list[Run]) -> str:
    last = runs[-1]
    said = f"{count(last.critical, 'critical failure')} and {count(last.warnings, 'warning')}"
    if len(runs) == 1:
        return f"The first run of the checks has {said}."
    before = runs[-2]
    earlier = f"{before.critical} and {before.warnings}"
    return f"The newest of {len(runs)} runs has {said}; the one before had {earlier}."
