"""How each label is shared out between training, validation and the tests."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from lake.catalog import Connection, ask
from lake.tables import SPLITS
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._stacked import stack_bars
from pipelines.plots._style import (
    BLACK,
    BLUE,
    SKY,
    bars_figure,
    count,
    figure,
    house_style,
    missing_letters_note,
    share,
    title,
)

NAME = "splits"
_NAMED = 30
_ENOUGH = 20     # samples from which on a share says something
_SQL = """
    select label, {counts}
    from (select split, unnest(labels) as label from samples)
    group by label order by count(*) desc, label
"""


class Shares(NamedTuple):
    """A label's samples in each split."""

    label: str
    train: int
    val: int
    test_id: int
    test_ood: int

    @property
    def known(self) -> int:
        """Samples that training or validation has."""
        return self.train + self.val

    @property
    def val_share(self) -> float:
        """The share of validation among both."""
        return self.val / self.known if self.known else 0.0


def plot(con: Connection) -> Plot:
    """The plot of all samples that have a label."""
    counts = ", ".join(f"count(*) filter (split = '{split}') as {split}" for split in SPLITS)
    return draw([Shares(**row) for row in ask(con, _SQL.format(counts=counts)).to_pylist()])


@house_style()
def draw(labels: list[Shares]) -> Plot:
    """Bars of shares for a few labels; for many, each label's share of validation by its size."""
    if not labels:
        return nothing(NAME, "No sample has a label and a split yet, so there are no shares to show.")
    finding = _finding(labels)
    made = _bars(labels) if len(labels) <= _NAMED else _funnel(labels)
    title(made, finding)
    note = "test_id: held out at random; test_ood: whole institutions. Near-duplicates stay together."
    missing = missing_letters_note(s.label for s in labels) if len(labels) <= _NAMED else ""
    alt = f"Shares of train and val for {count(len(labels), 'label')}. {finding}"
    return Plot(NAME, finding, alt, made, ("label", *SPLITS), labels, f"{note} {missing}".strip())


def _finding(labels: Sequence[Shares]) -> str:
    known, val = sum(s.known for s in labels), sum(s.val for s in labels)
    if not known:
        return "No label has a sample in train or val."
    overall = val / known
    begin = f"{share(val, known)} of what labels give to train and val is for validation"
    judged = [s for s in labels if s.known >= _ENOUGH]
    without = sum(s.train == 0 for s in labels)
    end = f"; {count(without, 'label')} cannot be learnt, without a training sample" if without else ""
    if not judged:
        return f"{begin}; no label has {_ENOUGH} samples to judge it by{end}."
    worst = max(judged, key=lambda s: (abs(s.val_share - overall), s.label))
    gap = count(round(100 * abs(worst.val_share - overall)), "point")
    name = worst.label if len(worst.label) <= 40 else worst.label[:39] + "…"
    return f"{begin}; of labels with {_ENOUGH} samples or more, “{name}” is furthest off: {gap}{end}."


def _bars(labels: Sequence[Shares]) -> Figure:
    made, (axes,) = bars_figure(len(labels))
    bars = {}
    for s in labels:
        total = sum(getattr(s, split) for split in SPLITS) or 1
        bars[s.label] = {split: getattr(s, split) / total for split in SPLITS}
    there = [split for split in SPLITS if any(getattr(s, split) for s in labels)]
    stack_bars(axes, bars, there)
    for place, s in enumerate(labels):
        inside = f"{s.train:,}" if bars[s.label]["train"] > 0.08 else ""
        axes.text(0.008, place, inside, va="center", color="white", fontsize=8)
        axes.text(1.008, place, f"{sum(getattr(s, split) for split in SPLITS):,}", va="center", fontsize=8.5)
    axes.set_xlim(0, 1.06)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_xlabel("share of the label's samples; behind each bar their number, in it those to train on")
    return made


def _funnel(labels: Sequence[Shares]) -> Figure:
    """Each label's share of validation by its number of samples, and what chance alone would do."""
    made, (axes,) = figure(4.2)
    known = np.array([s.known for s in labels if s.known])
    shares = np.array([s.val_share for s in labels if s.known])
    if not len(known):
        return made
    overall = float((shares * known).sum() / known.sum())
    sizes = np.geomspace(1, max(known.max(), 2), 60)
    band = 2 * np.sqrt(overall * (1 - overall) / sizes)
    low, high = np.clip(overall - band, 0, 1), np.clip(overall + band, 0, 1)
    chance = "what drawing at random would give to 95 labels of 100"
    axes.fill_between(sizes, low, high, color=SKY, alpha=0.3, lw=0, label=chance)
    axes.plot(known, shares, ".", color=BLUE, alpha=0.6, rasterized=len(known) > 1000, label="one label")
    axes.axhline(overall, color=BLACK, lw=1, label=f"all labels: {overall:.0%}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_xlabel("samples of the label in train and val")
    axes.set_ylabel("share for validation")
    axes.legend(loc="upper right")
    return made
