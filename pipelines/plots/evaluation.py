"""How well a model finds: recall by depth, methods side by side, and where it finds better or worse."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from lake.tables import TIERS
from pipelines.plots import _style
from pipelines.plots._plot import Plot, save_plot

Found = Mapping[str, Any]

_KS = (1, 3, 5, 10, 15, 20)
_MOST_SLICES = 30


def evaluation_plots(found: Found) -> Iterator[Plot]:
    """A plot for captions, one for each facet, one for slices; those there is something to draw for."""
    directions = {name: found[name] for name in ("text_to_image", "image_to_text") if name in found}
    if directions:
        yield _recall(directions, str(found["model_id"]))
        yield _slices(directions["text_to_image"])
    for facet, tasks in found.get("label_prediction", {}).items():
        yield _methods(facet, tasks["image_to_label"])


def save_plots(plots: Iterable[Plot], folder: Path) -> None:
    """Write each plot's files into a folder."""
    for plot in plots:
        save_plot(plot, folder)


@_style.house_style()
def _recall(directions: Mapping[str, Found], model_id: str) -> Plot:
    made, [axes] = _style.figure(3.6)
    rows = []
    for colour, (name, part) in zip(_style.SERIES, directions.items(), strict=False):
        means = [part[f"R@{k}"] for k in _KS]
        spans = [_span(part, f"R@{k}") for k in _KS]
        axes.plot(_KS, means, color=colour, marker="o", markersize=4, label=name.replace("_", " "))
        lows, highs = zip(*spans, strict=True)
        axes.fill_between(_KS, lows, highs, color=colour, alpha=0.15)
        axes.plot(_KS, [part["chance"][f"R@{k}"] for k in _KS], color=colour, linestyle=":", label="chance")
        rows += [
            (name, k, mean, low, high, part["chance"][f"R@{k}"])
            for k, mean, (low, high) in zip(_KS, means, spans, strict=True)
        ]
    axes.set_xticks(_KS, [str(k) for k in _KS])
    axes.set_ylim(0, 1)
    axes.set_xlabel("answers looked at")
    axes.set_ylabel("share of queries with a right one")
    axes.legend(ncols=2)
    best = directions[next(iter(directions))]
    said = f"{model_id}: of {best['n_queries']} captions {best['R@10']:.0%} find their picture among ten"
    _style.title(made, said)
    alt = f"{said}; by chance {best['chance']['R@10']:.0%} would. Bands are 95 % bootstrap intervals."
    return Plot("captions", said, alt, made, ("direction", "k", "mean", "low", "high", "chance"), rows)


@_style.house_style()
def _methods(facet: str, methods: Mapping[str, Found]) -> Plot:
    known = {name: part for name, part in methods.items() if part["n_queries"]}
    made, panels = _style.bars_figure(len(known), 2)
    rows = []
    for place, (name, part) in enumerate(known.items()):
        low, high = _span(part, "R-Precision")
        mean = part["R-Precision"]
        panels[0].barh(place, mean, color=_style.GREY if name == "chance" else _style.BLUE)
        panels[0].plot([low, high], [place, place], color=_style.INK, linewidth=1)
        rows.append((name, "all", mean, low, high))
        rows += [(name, t, p["R-Precision"], *_span(p, "R-Precision")) for t, p in part["tier"].items()]
    for colour, tier in zip(_style.SERIES, TIERS, strict=False):
        there = [(part["tier"].get(tier, {}).get("R-Precision"), i) for i, part in enumerate(known.values())]
        there = [(x, i) for x, i in there if x is not None]
        panels[1].plot([x for x, _ in there], [i for _, i in there], "o", color=colour, label=tier)
    for axes, under in zip(panels, ("R-Precision, with 95 % interval", "R-Precision by tier"), strict=True):
        _names(axes, list(known))
        axes.set_xlim(0, 1)
        axes.set_xlabel(under)
    panels[1].legend()
    best = max((name for name in known if name != "chance"), key=lambda name: known[name]["R-Precision"])
    said = f"{facet}: {best.replace('_', ' ')} predicts labels best"
    _style.title(made, said)
    alt = f"{said}, with an R-Precision of {known[best]['R-Precision']:.2f} over all labels."
    return Plot(f"labels-{facet}", said, alt, made, ("method", "tier", "mean", "low", "high"), rows)


@_style.house_style()
def _slices(part: Found) -> Plot:
    """R@10 of text to image in each slice; the largest slices where there are many."""
    parts = [
        (f"{name}: {value}", of_value)
        for name, values in part["slices"].items() for value, of_value in values.items()
    ]
    kept = sorted(parts, key=lambda pair: -pair[1]["n_queries"])[:_MOST_SLICES]
    shown = [pair for pair in parts if pair in kept]
    made, [axes] = _style.bars_figure(len(shown))
    rows = []
    for place, (name, of_value) in enumerate(shown):
        low, high = _span(of_value, "R@10")
        axes.plot([low, high], [place, place], color=_style.BLUE, linewidth=1.5)
        axes.plot(of_value["R@10"], place, "o", color=_style.BLUE)
        axes.plot(of_value["chance"]["R@10"], place, "|", color=_style.SOFT)
        rows.append((name, of_value["n_queries"], of_value["R@10"], low, high, of_value["chance"]["R@10"]))
    _style.name_bars(axes, [f"{name} ({of_value['n_queries']})" for name, of_value in shown])
    axes.set_xlim(0, 1)
    axes.set_xlabel("R@10 of text to image, with 95 % interval; a stroke marks chance")
    said = "Where captions find their pictures"
    _style.title(made, said)
    alt = f"{said}: R@10 with intervals in {len(shown)} slices."
    return Plot("slices", said, alt, made, ("slice", "n_queries", "R@10", "low", "high", "chance"), rows)


def _span(part: Found, metric: str) -> tuple[float, float]:
    low, high = (part.get("intervals") or {}).get(metric, (part[metric], part[metric]))
    return low, high


def _names(axes: Axes, names: list[str]) -> None:
    _style.name_bars(axes, [name.replace("_", " ") for name in names])
