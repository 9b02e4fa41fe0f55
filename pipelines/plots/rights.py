"""What may be done with the pictures: rights classes by archive."""

from collections import Counter, defaultdict
from typing import NamedTuple

from lake.catalog import Connection, ask
from lake.tables import RIGHTS_CLASSES
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._stacked import stack_bars
from pipelines.plots._style import bars_figure, count, house_style, missing_letters_note, share, title

NAME = "rights"
_ALL = "all samples"
_SHOWN = 30
_SQL = """
    select archive, coalesce(rights_class, 'unknown') as rights_class, count(*) as n
    from (select unnest(list_prepend('', archives)) as archive, rights_class from samples)
    group by all order by all
"""


class Held(NamedTuple):
    """How many samples of an archive have a rights class; the archive '' is all of them."""

    archive: str
    rights_class: str
    n: int


def plot(con: Connection) -> Plot:
    """The plot of all samples."""
    return draw([Held(**row) for row in ask(con, _SQL).to_pylist()])


@house_style()
def draw(held: list[Held]) -> Plot:
    """Shares of the four classes, of all samples and of each archive."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for archive, rights_class, n in held:
        counts[archive][rights_class] += n
    if not counts:
        return nothing(NAME, "There are no samples yet, so there are no rights to show.")
    whole = counts.pop("", Counter())
    order = sorted(counts, key=lambda archive: (-counts[archive].total(), archive))[:_SHOWN]
    tallies = {_ALL: whole, **{archive: counts[archive] for archive in order}}
    finding = _finding(whole)
    made, (axes,) = bars_figure(len(tallies))
    title(made, finding)
    strangers = sorted({c for tally in tallies.values() for c in tally} - set(RIGHTS_CLASSES))
    parts = [c for c in (*RIGHTS_CLASSES, *strangers) if any(tally[c] for tally in tallies.values())]
    stack_bars(axes, {
        name: {part: tally[part] / max(tally.total(), 1) for part in parts} for name, tally in tallies.items()
    }, parts)
    for place, tally in enumerate(tallies.values()):
        axes.text(1.008, place, f"{tally.total():,}", va="center", fontsize=8.5)
    axes.set_xlim(0, 1.08)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_xlabel("share of samples; behind each bar their number")
    rows = [(name, part, tally[part]) for name, tally in tallies.items() for part in parts]
    note = "The strictest of a picture's records counts. Unknown rights are never open."
    missing = missing_letters_note(order)
    alt = f"Stacked bars of rights classes for {count(len(order), 'archive')}. {finding}"
    columns = ("archive", "rights_class", "samples")
    return Plot(NAME, finding, alt, made, columns, rows, f"{note} {missing}".strip())


def _finding(whole: Counter[str]) -> str:
    n = whole.total()
    parts = [f"{share(whole[c], n)} {c}" for c in RIGHTS_CLASSES[1:] if whole[c]]
    rest = f"; {', '.join(parts)}" if parts else ""
    return f"{share(whole['open'], n)} of {count(n, 'sample')} are open and may leave in an export{rest}."
