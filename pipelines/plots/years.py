"""Records per year, with how sure the dates are: exact to the year, or an interval spread over its years."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lake.catalog import Connection, ask
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._style import (
    BLUE,
    SKY,
    count,
    figure,
    house_style,
    legend_above,
    share,
    title,
    whole_numbers,
)

NAME = "years"
_MOST_BARS = 90
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)
_NOTHING = 1e-9      # less is only rounding
_OUTSIDE = 0.005     # of the mass at either end may lie outside of what is drawn
_SQL = """
    select
        date_part('year', date_start)::integer as first,
        date_part('year', greatest(coalesce(date_end, date_start), date_start))::integer as last,
        count(*) as n
    from records group by all order by all
"""


class Interval(NamedTuple):
    """How many records are dated from one year to another; no years where the date is unknown."""

    first: int | None
    last: int | None
    n: int


class Mass(NamedTuple):
    """Of some years, records exact to the year, and what intervals give them."""

    year: int
    exact: int
    spread: float


def plot(con: Connection) -> Plot:
    """The plot of all records."""
    return draw([Interval(**row) for row in ask(con, _SQL).to_pylist()])


@house_style()
def draw(intervals: list[Interval]) -> Plot:
    """Bars per year, or so many years; a record with an interval counts in equal parts in its years."""
    dated = [i for i in intervals if i.first is not None]
    n_undated = sum(i.n for i in intervals if i.first is None)
    if not dated:
        what = f"None of {count(n_undated, 'record')} has a date" if n_undated else "There are no records yet"
        return nothing(NAME, f"{what}, so there are no years to show.")
    masses = spread(dated)
    finding = _finding(dated, n_undated)
    first, last = _drawn_range(masses)
    step = next((s for s in _STEPS if (last - first) // s < _MOST_BARS), _STEPS[-1])
    bars = _binned((m for m in masses if first <= m.year <= last), step)
    made, (axes,) = figure(3.6)
    title(made, finding)
    years = [bar.year + step / 2 for bar in bars]
    exact = [bar.exact for bar in bars]
    axes.bar(years, exact, step * 0.9, color=BLUE, label="exact to the year")
    axes.bar(years, [bar.spread for bar in bars], step * 0.9, bottom=exact, color=SKY, hatch="////",
             edgecolor="white", linewidth=0, label="an interval, spread over its years")
    axes.set_ylabel("records" if step == 1 else f"records per {step} years")
    axes.grid(visible=False, axis="x")
    whole_numbers(axes, "x", separator="")
    whole_numbers(axes, "y")
    axes.set_ylim(0, max(1, axes.get_ylim()[1]))
    legend_above(axes)
    rows = [Mass(m.year, m.exact, round(m.spread, 3)) for m in masses]
    note = " ".join(filter(None, [
        "A record dated 1939–1945 counts a seventh in each of these years.", _outside(masses, first, last),
    ]))
    alt = f"Bars of records from {masses[0].year} to {masses[-1].year}. {finding}"
    return Plot(NAME, finding, alt, made, ("year", "exact", "spread"), rows, note)


def spread(intervals: Iterable[Interval]) -> list[Mass]:
    """Each year that any record may be of, in order; the masses add up to the number of dated records."""
    known = [(first, last, n) for first, last, n in intervals if first is not None and last is not None]
    if not known:
        return []
    start, end = min(first for first, _, _ in known), max(last for _, last, _ in known)
    exact = np.zeros(end - start + 1, int)
    steps = np.zeros(end - start + 2)
    for first, last, n in known:
        if first == last:
            exact[first - start] += n
        else:
            steps[first - start] += n / (last - first + 1)
            steps[last + 1 - start] -= n / (last - first + 1)
    parts = np.cumsum(steps)[:-1]
    found = [Mass(start + i, int(exact[i]), float(max(parts[i], 0))) for i in range(len(exact))]
    return [m for m in found if m.exact or m.spread > _NOTHING]


def _finding(dated: list[Interval], n_undated: int) -> str:
    n = sum(i.n for i in dated)
    exact = sum(i.n for i in dated if i.first == i.last)
    masses = spread(dated)
    decade, most = max(_decades(masses).items(), key=lambda item: (item[1], -item[0]))
    undated = f"; {share(n_undated, n + n_undated)} of records have no date" if n_undated else ""
    busiest = f"the {decade}s hold most of them ({share(most, n)})"
    return f"{share(exact, n)} of {count(n, 'dated record')} are exact to the year; {busiest}{undated}."


def _decades(masses: Iterable[Mass]) -> dict[int, float]:
    found: dict[int, float] = {}
    for m in masses:
        decade = m.year // 10 * 10
        found[decade] = found.get(decade, 0.0) + m.exact + m.spread
    return found


def _drawn_range(masses: list[Mass]) -> tuple[int, int]:
    """First and last year drawn: a few wild dates must not squeeze all others into one bar."""
    total = sum(m.exact + m.spread for m in masses)
    return _first_within(masses, total), _first_within(masses[::-1], total)


def _first_within(masses: list[Mass], total: float) -> int:
    running = 0.0
    for m in masses:
        running += m.exact + m.spread
        if running > total * _OUTSIDE:
            return m.year
    return masses[-1].year


def _binned(masses: Iterable[Mass], step: int) -> list[Mass]:
    exact: Counter[int] = Counter()
    parts: dict[int, float] = {}
    for m in masses:
        start = m.year // step * step
        exact[start] += m.exact
        parts[start] = parts.get(start, 0.0) + m.spread
    return [Mass(start, exact[start], parts[start]) for start in sorted(parts)]


def _outside(masses: list[Mass], first: int, last: int) -> str:
    n = sum(m.exact + m.spread for m in masses if not first <= m.year <= last)
    if n < 0.5:
        return ""
    return f"Not drawn: about {n:,.0f} from outside {first}–{last} ({masses[0].year} to {masses[-1].year})."
