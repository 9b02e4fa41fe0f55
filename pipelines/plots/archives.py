"""Which archive gives which label: a label of one archive only is learnt as that archive's look."""

from collections import Counter, defaultdict
from typing import NamedTuple

from lake.catalog import Connection, ask
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._stacked import OTHERS, folded, stack_bars
from pipelines.plots._style import (
    bars_figure,
    count,
    end_bars,
    house_style,
    missing_letters_note,
    share,
    title,
)

NAME = "archives"
_LABELS_SHOWN = 30
_ARCHIVES_SHOWN = 7
_NO_LABEL = "(no label)"
_SQL = f"""
    select archive, label, count(*) as n
    from (
        select
            unnest(archives) as archive,
            case when len(labels) > 0 then labels else ['{_NO_LABEL}'] end as labels
        from samples
    ), unnest(labels) as one(label)
    group by archive, label order by archive, label
"""


class Cell(NamedTuple):
    """How many samples of an archive bear a label."""

    archive: str
    label: str
    n: int


def plot(con: Connection) -> Plot:
    """The plot of all samples."""
    return draw([Cell(**row) for row in ask(con, _SQL).to_pylist()])


@house_style()
def draw(cells: list[Cell]) -> Plot:
    """A bar per label, its parts by archive; the most frequent labels."""
    if not cells:
        return nothing(NAME, "There are no samples yet, so no archive has given any.")
    of_label: Counter[str] = Counter()
    of_archive: Counter[str] = Counter()
    for cell in cells:
        of_label[cell.label] += cell.n
        of_archive[cell.archive] += cell.n
    shown = sorted(of_label, key=lambda label: (label == _NO_LABEL, -of_label[label], label))[:_LABELS_SHOWN]
    fold = folded(of_archive, _ARCHIVES_SHOWN)
    bars: dict[str, Counter[str]] = {label: Counter() for label in shown}
    for cell in cells:
        if cell.label in bars:
            bars[cell.label][fold[cell.archive]] += cell.n
    finding = _finding(cells)
    made, (axes,) = bars_figure(len(shown))
    title(made, finding)
    parts = [name for name in fold if fold[name] == name]
    stack_bars(axes, bars, [*parts, OTHERS] if OTHERS in fold.values() else parts)
    end_bars(axes, [of_label[label] for label in shown], [f"{of_label[label]:,}" for label in shown])
    which = f" of the {len(shown)} most frequent of {len(of_label):,} labels"
    axes.set_xlabel(f"samples{which if len(shown) < len(of_label) else ''}")
    note = "A picture that two archives hold counts in both; one with several labels in each of them."
    rows = sorted(cells, key=lambda c: (-of_label[c.label], c.label, -c.n, c.archive))
    alt = f"Stacked bars of {count(len(shown), 'label')} by archive. {finding}"
    missing = missing_letters_note([*shown, *of_archive])
    return Plot(NAME, finding, alt, made, ("archive", "label", "samples"), rows, f"{note} {missing}".strip())


def _finding(cells: list[Cell]) -> str:
    archives: dict[str, set[str]] = defaultdict(set)
    of_archive: Counter[str] = Counter()
    for cell in cells:
        of_archive[cell.archive] += cell.n
        if cell.label != _NO_LABEL:
            archives[cell.label].add(cell.archive)
    largest, n = max(of_archive.items(), key=lambda item: (item[1], item[0]))
    if len(of_archive) == 1:
        return f"All labels come from one archive, {largest}: nothing here tells a label from its archive."
    lone = sum(len(found) == 1 for found in archives.values())
    given = f"{largest} gives {share(n, of_archive.total())} of all labels"
    few = f"{count(lone, 'label')} of {len(archives):,} come{'s' if lone == 1 else ''}"
    alone = few if lone else "no label comes"
    return f"{given}; {alone} from a single archive."
