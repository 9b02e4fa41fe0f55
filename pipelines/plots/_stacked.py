"""Horizontal bars made of parts, which several plots are."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from pipelines.plots._style import GREY, SERIES, legend_above, name_bars, short

OTHERS = "others"
_LEGEND_LETTERS = 24


def stack_bars(axes: Axes, bars: Mapping[str, Mapping[str, float]], parts: Sequence[str]) -> None:
    """A bar for each name, its parts side by side in the order given; the legend above."""
    names = list(bars)
    left = [0.0] * len(names)
    for part, colour in zip(parts, colours_of(parts), strict=True):
        widths = [bars[name].get(part, 0) for name in names]
        label = short(part, _LEGEND_LETTERS)
        axes.barh(range(len(names)), widths, 0.72, left, color=colour, label=label, edgecolor="white", lw=0.6)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    name_bars(axes, names)
    legend_above(axes, 4 if max(map(len, parts), default=0) > 12 else 5)


def colours_of(parts: Sequence[str]) -> list[str]:
    """A colour for each part; grey for the rest of them."""
    return [GREY if part == OTHERS else SERIES[place % len(SERIES)] for place, part in enumerate(parts)]


def folded(totals: Mapping[str, int], most: int) -> dict[str, str]:
    """Each name to itself, or to `others` where it is not among the largest."""
    ordered = sorted(totals, key=lambda name: (-totals[name], name))
    kept = ordered if len(ordered) <= most else ordered[:most - 1]
    return {name: name if name in kept else OTHERS for name in ordered}
