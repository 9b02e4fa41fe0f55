"""The long tail of labels: which are frequent, how many are rare, and how close they come to Zipf's law."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from lake.catalog import Connection, ask
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    bars_figure,
    count,
    end_bars,
    house_style,
    missing_letters_note,
    name_bars,
    share,
    title,
)

NAME = "labels"
_NAMED = 30
_POINTS = 400
_TIERS = {"head": BLUE, "torso": ORANGE, "tail": GREEN}
_OTHER = BLACK
_SQL = """
    select label, coalesce(n_samples, 0) as n_samples, tier from labels
    where n_samples > 0 order by n_samples desc, label
"""


class LabelCount(NamedTuple):
    """A label and how many samples bear it."""

    label: str
    n_samples: int
    tier: str | None


def plot(con: Connection) -> Plot:
    """The plot of the labels that have samples."""
    return draw([LabelCount(**row) for row in ask(con, _SQL).to_pylist()])


@house_style()
def draw(counts: list[LabelCount]) -> Plot:
    """Named bars for the most frequent, and all of them by rank with Zipf's line; the most frequent first."""
    if not counts:
        return nothing(NAME, "No sample has a label yet, so there is no long tail to show.")
    shown = counts[:_NAMED]
    finding = _finding(counts)
    figure, (bars, ranks) = bars_figure(len(shown), 2, (1.25, 1))
    title(figure, finding)
    _draw_bars(bars, shown, len(counts))
    slope = _draw_ranks(ranks, counts)
    fall = "" if slope is None else f" On the right, counts fall about as 1 / rank^{slope:.2f}"
    law = fall and f"{fall}; Zipf's law says 1."
    note = (
        "A sample may bear several labels. Tiers go by training samples; unless told otherwise the head "
        "holds four fifths of all training labels, and the rarest fifth of the labels are the tail."
    )
    missing = missing_letters_note(c.label for c in shown)
    most = ", ".join(f"{c.label} {c.n_samples:,}" for c in counts[:5])
    return Plot(
        NAME, finding,
        f"Bars and a rank curve of {count(len(counts), 'label')}. {finding} Most frequent: {most}.{law}",
        figure, ("label", "samples", "tier"), counts, " ".join(filter(None, [note + law, missing])),
    )


def _finding(counts: list[LabelCount]) -> str:
    total = sum(c.n_samples for c in counts)
    if len(counts) == 1:
        return f"Every label is “{counts[0].label}”: {count(total, 'sample')} and no other class."
    half, running = 0, 0
    while running * 2 < total:
        running += counts[half].n_samples
        half += 1
    rare = sum(c.n_samples < 10 for c in counts)
    few = f"{rare:,} of {len(counts):,} have" if rare else "none has"
    end = f"{few} fewer than ten samples"
    few = f"{count(half, 'label')} of {len(counts):,} {'makes' if half == 1 else 'make'} up"
    return f"{few} {share(running, total)} of all labels given; {end}."


def _draw_bars(axes: Axes, shown: list[LabelCount], n_labels: int) -> None:
    axes.barh(range(len(shown)), [c.n_samples for c in shown], 0.72, color=[_colour(c) for c in shown])
    name_bars(axes, [c.label for c in shown])
    end_bars(axes, [c.n_samples for c in shown], [f"{c.n_samples:,}" for c in shown])
    which = f": the {len(shown)} most frequent of {n_labels:,}" if len(shown) < n_labels else ""
    axes.set_title(f"samples per label{which}")


def _draw_ranks(axes: Axes, counts: list[LabelCount]) -> float | None:
    """All labels by rank, both axes logarithmic; returns the exponent of the fitted line, if there is one."""
    numbers = np.array([c.n_samples for c in counts], float)
    ranks = np.arange(1, len(counts) + 1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    shown = np.unique(np.geomspace(1, len(counts), _POINTS).astype(int)) - 1   # a log axis shows no more
    for tier in (*_TIERS, None):
        of_tier = np.array([c.tier == tier if tier else c.tier not in _TIERS for c in counts])
        here = shown[of_tier[shown]]
        if of_tier.any():
            told = f"{tier or 'no tier'}: {count(int(of_tier.sum()), 'label')}"
            axes.plot(ranks[here], numbers[here], ".", color=_TIERS.get(tier or "", _OTHER), label=told)
    slope = _zipf(ranks, numbers)
    if slope is not None:
        exponent, first = slope
        fitted = first * ranks[shown] ** -exponent
        axes.plot(ranks[shown], fitted, "-", color=BLACK, lw=1, label=f"fitted: 1 / rank^{exponent:.2f}")
        axes.plot(ranks[shown], numbers[0] / ranks[shown], ":", color=BLACK, lw=1, label="Zipf: 1 / rank")
    axes.set_ylim(0.7, numbers.max() * 1.6)
    axes.set_title("all labels: samples by rank")
    axes.set_xlabel("rank")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
        axis.set_minor_formatter(lambda *_: "")
    axes.legend(loc="best", markerscale=1.5)
    return None if slope is None else slope[0]


def _zipf(ranks: np.ndarray, numbers: np.ndarray) -> tuple[float, float] | None:
    """Exponent and first value of a line through the logarithms; None for fewer than five labels."""
    if len(numbers) < 5:
        return None
    slope, start = np.polyfit(np.log(ranks), np.log(numbers), 1)
    return float(-slope), float(np.exp(start))


def _colour(c: LabelCount) -> str:
    return _TIERS.get(c.tier or "", _OTHER)
