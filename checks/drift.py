"""A first look at drift: what has changed in an archive's records between two harvests.

Sizes of effect come first: with enough records every difference is significant, and few matter. Cohen's h
tells how far two shares lie apart (0.2 is small, 0.5 medium, 0.8 large); for years and labels it is the share
of records that would have to move for the two distributions to be equal. A p-value stands beside them; it
takes records for independent of each other, which those that both harvests found are not: it is too small.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from checks.profile import kept_profiles, read_profile
from lake import Lake
from lake.errors import UnknownThing

SMALL, MEDIUM, LARGE = 0.2, 0.5, 0.8
_MOVED = {0.05: "small", 0.15: "medium", 0.3: "large"}
_SHARES = {SMALL: "small", MEDIUM: "medium", LARGE: "large"}
_NAMED = 5


@dataclass(frozen=True)
class Change:
    """One thing that changed in one archive; `effect` is Cohen's h or the share that moved, signed for h."""

    archive: str
    what: str
    before: str
    after: str
    effect: float
    size: str
    p_value: float | None
    detail: str = ""


@dataclass(frozen=True)
class Drift:
    """What changed between two runs; only changes with an effect, the largest first in each archive."""

    before: str
    after: str
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"before": self.before, "after": self.after, "changes": [asdict(c) for c in self.changes]}

    def text(self) -> str:
        """A line for each change."""
        head = f"drift from {self.before} to {self.after}"
        return "\n".join([head, *map(_line, self.changes)]) if self.changes else f"{head}: nothing changed"


def drift(lake: Lake, before: str | None = None, after: str | None = None) -> Drift | None:
    """What changed between two runs of the checks, each named by the beginning of its id.

    Without names: from the last run whose records were others to the newest. None where there are no two
    such runs. Raises UnknownThing for a name that fits none or several.
    """
    runs = kept_profiles(lake)
    newest = _run_named(after, runs) if after else (runs[-1] if runs else None)
    if newest is None:
        return None
    now = read_profile(lake, newest)
    earlier = [_run_named(before, runs)] if before else reversed(runs[:runs.index(newest)])
    for run in earlier:
        then = read_profile(lake, run)
        if before or not then.equals(now):
            return compare(run, newest, then, now)
    return None


def compare(before: str, after: str, then: pa.Table, now: pa.Table) -> Drift:
    """What changed from one profile to the other."""
    old, new = _by_archive(then), _by_archive(now)
    archives = sorted({*old, *new})
    changes = [c for name in archives for c in _changes(name, old.get(name), new.get(name))]
    return Drift(before, after, tuple(changes))


Aspects = Mapping[str, Counter[str]]


def _by_archive(profile: pa.Table) -> Mapping[str, Aspects]:
    found: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in profile.to_pylist():
        found[row["archive"]][row["aspect"]][row["key"]] = row["n"]
    return found


def _changes(archive: str, old: Aspects | None, new: Aspects | None) -> Iterator[Change]:
    if old is None or new is None:
        what = "new archive" if old is None else "lost archive"
        n = [0 if aspects is None else aspects["records"][""] for aspects in (old, new)]
        yield Change(archive, what, f"{n[0]:,}", f"{n[1]:,}", 1.0, "large", None)
        return
    n_old, n_new = old["records"][""], new["records"][""]
    if n_old != n_new:
        grown = n_new / n_old - 1
        size = _size(abs(grown), _MOVED)
        yield Change(archive, "records", f"{n_old:,}", f"{n_new:,}", grown, size, None, f"{grown:+.1%}")
    aspects = (_fill_rates, _distributions, _providers)
    found = [change for compare_one in aspects for change in compare_one(archive, old, new)]
    yield from sorted(found, key=lambda change: (-abs(change.effect), change.what))


def _fill_rates(archive: str, old: Aspects, new: Aspects) -> Iterator[Change]:
    n_old, n_new = old["records"][""], new["records"][""]
    for column in sorted({*old["filled"], *new["filled"]}):
        had, has = old["filled"][column], new["filled"][column]
        h = cohens_h(had / n_old, has / n_new)
        if had * n_new != has * n_old:
            p = _p_value([had, n_old - had], [has, n_new - has])
            rates = f"{had / n_old:.1%}", f"{has / n_new:.1%}"
            yield Change(archive, f"{column} known", *rates, h, _size(abs(h), _SHARES), p)


def _distributions(archive: str, old: Aspects, new: Aspects) -> Iterator[Change]:
    for aspect in ("year", "label"):
        a, b = old[aspect], new[aspect]
        if not a.total() or not b.total():
            continue
        moved = share_moved(a, b)
        if moved > 0:
            keys = sorted({*a, *b})
            p = _p_value([a[key] for key in keys], [b[key] for key in keys])
            counts = f"{len(a):,} there", f"{len(b):,} there"
            yield Change(archive, f"{aspect}s", *counts, moved, _size(moved, _MOVED), p, _largest(a, b))


def _providers(archive: str, old: Aspects, new: Aspects) -> Iterator[Change]:
    a, b = old["provider"], new["provider"]
    for what, gone, left in (("lost providers", a, b), ("new providers", b, a)):
        names = sorted(gone.keys() - left.keys(), key=lambda name: (-gone[name], name))
        if names:
            part = sum(gone[name] for name in names) / gone.total()
            shown = ", ".join(f"{name} ({gone[name]:,})" for name in names[:_NAMED])
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            counts = f"{len(a):,}", f"{len(b):,}"
            yield Change(archive, what, *counts, part, _size(part, _MOVED), None, f"{shown}{more}")


def cohens_h(before: float, after: float) -> float:
    """How far two shares lie apart, on a scale on which 1 % to 2 % is further than 50 % to 51 %."""
    return 2 * math.asin(math.sqrt(after)) - 2 * math.asin(math.sqrt(before))


def share_moved(before: Counter[str], after: Counter[str]) -> float:
    """The share that would have to move for two distributions to be equal: 0 alike, 1 nothing in common."""
    keys = {*before, *after}
    return sum(abs(before[key] / before.total() - after[key] / after.total()) for key in keys) / 2


def _largest(a: Counter[str], b: Counter[str]) -> str:
    """The keys whose shares changed most."""
    gaps = {key: b[key] / b.total() - a[key] / a.total() for key in {*a, *b}}
    first = sorted(gaps, key=lambda key: (-abs(gaps[key]), key))[:_NAMED]
    return ", ".join(f"{key} {100 * gaps[key]:+.1f} points" for key in first if abs(gaps[key]) >= 0.0005)


def _p_value(before: list[int], after: list[int]) -> float | None:
    """Of a chi-square test without correction; None where there is nothing to test."""
    from scipy.stats import chi2_contingency  # takes a second to import, and most runs need none

    kept = [pair for pair in zip(before, after, strict=True) if sum(pair)]
    if len(kept) < 2 or not all(map(sum, zip(*kept, strict=True))):
        return None
    return float(chi2_contingency(list(zip(*kept, strict=True)), correction=False).pvalue)


def _size(effect: float, bounds: Mapping[float, str]) -> str:
    names = [name for bound, name in sorted(bounds.items()) if effect >= bound]
    return names[-1] if names else "negligible"


def _run_named(name: str, runs: list[str]) -> str:
    found = [run for run in runs if run.startswith(name)]
    if len(found) != 1:
        which = "no run" if not found else f"{len(found)} runs"
        there = ", ".join(runs[-10:]) or "none; `glamlake check` makes one"
        raise UnknownThing(f"{which} of the checks begins with {name!r}; there are: {there}")
    return found[0]


def _line(c: Change) -> str:
    p = "" if c.p_value is None else f", p {c.p_value:.2g}"
    detail = f": {c.detail}" if c.detail else ""
    numbers = f"{c.before} → {c.after} ({c.size}, effect {c.effect:+.2f}{p})"
    return f"  {c.archive:<16}{c.what:<24}{numbers}{detail}"
