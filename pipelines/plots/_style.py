"""How every plot looks: one style on every machine, colours that most people can tell apart, one font.

Bytes are the same on every run: no date, no program's name, SVG ids from a fixed salt, letters as outlines of
the font that comes with matplotlib. That font (DejaVu Sans) has Latin, Greek, Cyrillic, Arabic and more, not
the scripts of East and South Asia: such letters are drawn as □, and the plot's note says so.
"""

import logging
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import matplotlib.font_manager
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

log = logging.getLogger(__name__)

# Okabe and Ito's colours, told apart with any kind of colour blindness; yellow is left out: too pale on white
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, RED, BLACK, GREY = "#56B4E9", "#D55E00", "#333333", "#B8BCC2"
SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, RED, BLACK)
INK, SOFT = "#20242a", "#5d6673"
MISSING_LETTER = "□"
WIDTH_IN = 9.0
NAME_LETTERS = 34

_BAR_IN = 0.25
_FRAME_IN = 1.15
_TITLE_LETTERS = 82
_RC = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.parse_math": False, "text.color": INK,
    "axes.edgecolor": SOFT, "axes.labelcolor": SOFT, "axes.spines.top": False, "axes.spines.right": False,
    "axes.axisbelow": True, "axes.grid": True, "grid.color": "#e6e8eb", "grid.linewidth": 0.7,
    "axes.titlesize": 9.5, "axes.titlelocation": "left", "axes.titlecolor": SOFT,
    "xtick.color": SOFT, "ytick.color": SOFT, "ytick.labelcolor": INK, "xtick.labelcolor": INK,
    "legend.frameon": False, "legend.fontsize": 8.5, "figure.dpi": 100, "savefig.dpi": 150,
    "figure.constrained_layout.use": True, "svg.hashsalt": "glamlake", "svg.fonttype": "path",
}


@contextmanager
def house_style() -> Iterator[None]:
    """The style, also as a decorator; settings of the machine do not show through."""
    with matplotlib.style.context(["default", _RC], after_reset=True):
        yield


def bars_figure(
    n_bars: int, n_panels: int = 1, widths: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure as high as so many bars with names need, and its panels from left to right."""
    return figure(_FRAME_IN + _BAR_IN * max(n_bars, 6), n_panels, widths)


def figure(
    height_in: float, n_panels: int = 1, widths: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """An empty figure and its panels from left to right."""
    made = Figure(figsize=(WIDTH_IN, height_in))
    panels = made.subplots(1, n_panels, squeeze=False, width_ratios=widths)
    return made, list(panels[0])


def title(made: Figure, text: str) -> None:
    """What the plot shows, in words, above it."""
    words = textwrap.fill(drawable(text), _TITLE_LETTERS)
    made.suptitle(words, x=0.012, ha="left", fontsize=11.5, fontweight="bold")


def name_bars(axes: Axes, names: Iterable[str]) -> None:
    """Names to the left of horizontal bars, the first one at the top; no lines between the bars."""
    shown = [short(name) for name in names]
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def end_bars(axes: Axes, ends: Sequence[float], texts: Sequence[str]) -> None:
    """A text behind the end of each horizontal bar, and room for it."""
    for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
        axes.annotate(
            drawable(text), (end, place), xytext=(4, 0), textcoords="offset points", va="center",
            color=SOFT, fontsize=8.5,
        )
    whole_numbers(axes)
    if not ends or max(ends) <= 0:
        return
    longest = max(len(text) for text in texts)
    axes.set_xlim(0, max(ends) * (1.04 + 0.017 * longest))


def whole_numbers(axes: Axes, of: str = "x", separator: str = ",") -> None:
    """A few ticks at whole numbers, thousands set apart; none between them, however short the axis."""
    axis = axes.xaxis if of == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace(",", separator))


def legend_above(axes: Axes, n_columns: int = 4) -> None:
    """The colours' names above a panel, out of the way of what it shows."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=n_columns, borderaxespad=0.2, handlelength=1,
        columnspacing=1.2,
    )


def short(text: str, letters: int = NAME_LETTERS) -> str:
    """A name as it fits beside a bar; the table beside the plot has it whole."""
    clean = drawable(text)
    return clean if len(clean) <= letters else clean[:letters - 1].rstrip() + "…"


def drawable(text: str) -> str:
    """The text on one line, with □ for each letter that the font lacks."""
    return "".join(letter if letter in _letters() else MISSING_LETTER for letter in " ".join(text.split()))


def missing_letters_note(names: Iterable[str]) -> str:
    """What to say where names have letters that the font lacks: never a box without a warning."""
    n = sum(any(letter not in _letters() for letter in " ".join(name.split())) for name in names)
    if not n:
        return ""
    what = "One name has letters" if n == 1 else f"{n} names have letters"
    note = f"{what} that this font lacks ({MISSING_LETTER}); the table beside the plot has the whole text."
    log.warning("plot: %s", note)
    return note


@cache
def _letters() -> frozenset[str]:
    path = matplotlib.font_manager.findfont("DejaVu Sans")
    return frozenset(map(chr, matplotlib.font_manager.get_font(path).get_charmap()))


def share(part: float, whole: float) -> str:
    """A share as people say it: whole percents, and never 0 % or 100 % for what is not."""
    if not whole:
        return "0%"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1%"
    return "over 99%" if 99 < percent < 100 else f"{percent:.0f}%"


def count(n: int, noun: str, plural: str = "") -> str:
    """A number with its noun: '1 label', '3,100 labels'."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
