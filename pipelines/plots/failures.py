"""Pictures that could not be had, by host and reason."""

from collections import Counter, defaultdict
from typing import NamedTuple

from lake.catalog import Connection, ask
from lake.tables import IMAGE_STATUSES
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._stacked import OTHERS, folded, stack_bars
from pipelines.plots._style import bars_figure, count, end_bars, house_style, share, title

NAME = "failures"
_HOSTS_SHOWN = 25
_REASONS_SHOWN = 7
_SQL = r"""
    select
        coalesce(nullif(regexp_extract(lower(image_url), '^[a-z]+://([^/?#]+)', 1), ''), '(no host)') as host,
        coalesce(status, 'no status') as status,
        count(*) as n
    from images group by all order by all
"""


class Outcome(NamedTuple):
    """How many images of a host ended with a status."""

    host: str
    status: str
    n: int


def plot(con: Connection) -> Plot:
    """The plot of every image address asked for."""
    return draw([Outcome(**row) for row in ask(con, _SQL).to_pylist()])


@house_style()
def draw(outcomes: list[Outcome]) -> Plot:
    """A bar for each host that failed, its parts by reason; the worst first."""
    asked: Counter[str] = Counter()
    failed: dict[str, Counter[str]] = defaultdict(Counter)
    for host, status, n in outcomes:
        asked[host] += n
        if status != "ok":
            failed[host][status] += n
    if not asked:
        return nothing(NAME, "No picture was asked for yet, so none can have failed.")
    if not failed:
        return nothing(NAME, f"Every one of {count(asked.total(), 'picture')} came.")
    worst = sorted(failed, key=lambda host: (-failed[host].total(), host))
    shown = worst[:_HOSTS_SHOWN]
    reasons = sum(failed.values(), Counter[str]())
    fold = folded(reasons, _REASONS_SHOWN)
    bars = {host: _folded(failed[host], fold) for host in shown}
    finding = _finding(asked, failed, worst)
    made, (axes,) = bars_figure(len(shown))
    title(made, finding)
    known = [status for status in (*IMAGE_STATUSES, *sorted(reasons)) if fold.get(status) == status]
    parts = [*dict.fromkeys(known), *([OTHERS] if OTHERS in fold.values() else [])]
    stack_bars(axes, bars, parts)
    ends = [failed[host].total() for host in shown]
    end_bars(axes, ends, [f"{n:,} of {asked[host]:,}" for host, n in zip(shown, ends, strict=True)])
    which = f", of the {len(shown)} worst of {len(worst):,} hosts" if len(shown) < len(worst) else ""
    axes.set_xlabel(f"pictures that could not be had{which}")
    rows = [(h, status, n, asked[h]) for h in worst for status, n in sorted(failed[h].items())]
    alt = f"Stacked bars of failures for {count(len(shown), 'host')}. {finding}"
    return Plot(NAME, finding, alt, made, ("host", "status", "n", "asked"), rows,
                "“glamlake fetch --retry-failed” asks again for those that may have come back.")


def _folded(counts: Counter[str], fold: dict[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for status, n in counts.items():
        found[fold[status]] += n
    return found


def _finding(asked: Counter[str], failed: dict[str, Counter[str]], worst: list[str]) -> str:
    n = sum(counts.total() for counts in failed.values())
    reasons = sum(failed.values(), Counter[str]())
    reason, most = max(reasons.items(), key=lambda item: (item[1], item[0]))
    first = worst[0]
    where = f"{first} lost most ({failed[first].total():,} of {asked[first]:,})"
    what = f"{share(n, asked.total())} of {asked.total():,} pictures could not be had"
    return f"{what}, most often: {reason} ({most:,}); {where}."
