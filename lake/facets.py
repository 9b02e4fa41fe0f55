"""Counts of samples by archive, year, label, provider, rights and split, under any combination of filters.

A facet's counts leave out its own filter, so that one sees what widening it would bring. Samples alike in
every facet are one group: what is counted are groups, a tenth as many, each with its number of samples.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.catalog import Connection, ask
from lake.columns import Mask, Owners, Values
from lake.conditions import Joined, Plain, Test
from lake.filters import facts_sql
from lake.label_places import LabelNode, LabelPlaces, read_places

COLUMNS = {"archives": "archives", "providers": "providers", "rights": "rights_class", "splits": "split"}
MOST_BARS = 48
_ROUND_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

_LOOKED_THROUGH = 16_384    # samples at a time

Sizes = NDArray[np.int64]    # a number of samples for each group


@dataclass(frozen=True)
class Narrowing:
    """Filters by facet; several values of one facet widen it, several facets narrow each other."""

    year_from: int | None = None
    year_to: int | None = None
    archives: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()

    def tests(self, labels_below: Callable[[str], Collection[str]]) -> Plain | None:
        """The filters as tests of columns of `samples`; None where there is none.

        A label stands for all labels below it in the tree.
        """
        below = tuple(sorted({name for label in self.labels for name in labels_below(label)}))
        tests = [
            *(Test("year", sign, (year,)) for sign, year in ((">=", self.year_from), ("<=", self.year_to))
              if year is not None),
            Test("archives", "has any", self.archives), Test("labels", "has any", below),
            Test("providers", "has any", self.providers), Test("rights_class", "in", self.rights),
            Test("split", "in", self.splits),
        ]
        asked = tuple(test for test in tests if test.values)
        return Joined("and", asked) if asked else None


@dataclass(frozen=True)
class Count:
    """One value of a facet and how many samples have it."""

    name: str
    n: int


@dataclass(frozen=True)
class YearBar:
    """How many samples are of these years, both included; the outermost bars hold the outliers too."""

    first: int
    last: int
    n: int


@dataclass(frozen=True)
class Facets:
    """What one can filter by, with the number of samples of each value; most frequent first."""

    n_samples: int
    archives: tuple[Count, ...]
    providers: tuple[Count, ...]
    rights: tuple[Count, ...]
    splits: tuple[Count, ...]
    labels: tuple[LabelNode, ...]
    years: tuple[YearBar, ...]
    first_year: int | None
    last_year: int | None
    n_undated: int


class FacetIndex:
    """The facets of all samples at one moment. Immutable, so thread-safe.

    `groups` has the facets' columns and `places`: those in `sample_ids` of the samples that are so.
    """

    def __init__(self, sample_ids: pa.ChunkedArray, groups: pa.Table, places: LabelPlaces) -> None:
        self._ids = sample_ids.combine_chunks()
        members = groups["places"].combine_chunks()
        self._sizes: NDArray[np.int64] = members.value_lengths().to_numpy().astype(np.int64)
        self._group_of = np.empty(len(self._ids), dtype=np.int32)
        self._group_of[members.flatten().to_numpy()] = np.repeat(np.arange(len(groups)), self._sizes)
        self._places = places
        self._columns = {facet: Values(groups[name]) for facet, name in COLUMNS.items()}
        self._labels = Values(groups["labels"])
        self._at_nodes = _at_nodes(self._labels, places.codes_of(self._labels.values))
        years = groups["year"].combine_chunks()
        self._is_dated = np.asarray(years.is_valid().to_numpy(zero_copy_only=False))
        self._years = np.asarray(years.fill_null(0).to_numpy(zero_copy_only=False)).astype(np.int64)
        self._edges = _bar_edges(np.repeat(self._years[self._is_dated], self._sizes[self._is_dated]))
        self._in_bars = _in_bars(self._edges, self._years, self._is_dated)
        self.facets = lru_cache(maxsize=512)(self._facets)

    def __len__(self) -> int:
        return len(self._ids)

    def labels_below(self, label: str) -> Collection[str]:
        """The label and all below it in the tree."""
        return self._places.below(label)

    def count(self, narrowing: Narrowing) -> int:
        """How many samples pass."""
        return int(self._sizes[self._passing(narrowing)].sum())

    def ids(self, narrowing: Narrowing, limit: int, offset: int = 0) -> list[str]:
        """Ids of samples that pass, in their order."""
        passing = self._passing(narrowing)
        rows = np.zeros(0, dtype=np.int64)
        for start in range(0, len(self), _LOOKED_THROUGH):    # most pages are among the first
            passes = passing[self._group_of[start:start + _LOOKED_THROUGH]]
            rows = np.concatenate([rows, start + np.flatnonzero(passes)])
            if len(rows) >= offset + limit:
                break
        found: list[str] = self._ids.take(pa.array(rows[offset:offset + limit])).to_pylist()
        return found

    def _passing(self, narrowing: Narrowing) -> Mask:
        """Which groups pass every filter."""
        return _all_of(self._masks(narrowing).values(), len(self._sizes))

    def _facets(self, narrowing: Narrowing) -> Facets:
        masks = self._masks(narrowing)

        @cache
        def samples_of_all(names: frozenset[str]) -> Sizes:
            passing = _all_of((masks[name] for name in names), len(self._sizes))
            return np.where(passing, self._sizes, 0)

        def samples(facet: str) -> Sizes:
            """How many samples of each group pass the other facets' filters."""
            return samples_of_all(frozenset(masks) - {facet})

        counted = {name: _counts(column, samples(name)) for name, column in self._columns.items()}
        sizes = samples("years")
        known = self._years[self._is_dated & (sizes > 0)]
        return Facets(
            n_samples=int(samples_of_all(frozenset(masks)).sum()), **counted,
            labels=self._places.tree(self._at_nodes.sums(samples("labels"))),
            years=self._bars(sizes), n_undated=int(sizes[~self._is_dated].sum()),
            first_year=int(known.min()) if len(known) else None,
            last_year=int(known.max()) if len(known) else None,
        )

    def _bars(self, sizes: Sizes) -> tuple[YearBar, ...]:
        first, step, n = self._edges
        starts = range(first, first + n * step, step)
        return tuple(map(YearBar, starts, (start + step - 1 for start in starts), self._in_bars.sums(sizes)))

    def _masks(self, narrowing: Narrowing) -> dict[str, Mask]:
        """For each facet that is filtered by, which groups pass it."""
        masks = {
            name: column.having(getattr(narrowing, name)) for name, column in self._columns.items()
            if getattr(narrowing, name)
        }
        if narrowing.labels:
            masks["labels"] = self._labels.having({
                below for label in narrowing.labels for below in self.labels_below(label)
            })
        if narrowing.year_from is not None or narrowing.year_to is not None:
            first = -100_000 if narrowing.year_from is None else narrowing.year_from
            last = 100_000 if narrowing.year_to is None else narrowing.year_to
            masks["years"] = self._is_dated & (self._years >= first) & (self._years <= last)
        return masks


def read_facets(con: Connection) -> FacetIndex:
    """The facets of the samples that a connection sees."""
    names = ", ".join(["labels", "year", *COLUMNS.values()])
    sample_ids = ask(con, "select sample_id from samples order by sample_id")["sample_id"]
    groups = ask(con, f"""
        with numbered as (
            select {names}, cast(row_number() over (order by sample_id) - 1 as integer) as place
            from ({facts_sql(con, 'true')})
        )
        select {names}, list(place) as places from numbered group by {names}
    """)
    return FacetIndex(sample_ids, groups, read_places(con))


def _counts(column: Values, sizes: Sizes) -> tuple[Count, ...]:
    """Every value that any row has, with how many samples those rows are; most frequent first."""
    counts = map(Count, column.values, column.sums(sizes))
    return tuple(sorted(counts, key=lambda count: (-count.n, count.name)))


def _at_nodes(labels: Values, nodes: Mapping[int, Sequence[int]]) -> Owners:
    """Which rows stand at or below which nodes of the label tree, each pair once."""
    lengths = np.array([len(nodes[code]) for code in range(len(labels.values))], dtype=np.int64)
    flat = np.array([node for code in range(len(labels.values)) for node in nodes[code]], dtype=np.int64)
    n_nodes = int(flat.max(initial=-1)) + 1
    codes = np.repeat(np.arange(len(lengths)), np.diff(labels.starts))
    repeats, starts = lengths[codes], np.cumsum(lengths) - lengths
    owners = np.repeat(labels.owners, repeats)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    pairs = np.unique(owners * n_nodes + flat[np.repeat(starts[codes], repeats) + within])
    return Owners(pairs // max(n_nodes, 1), pairs % max(n_nodes, 1), n_nodes)


def _all_of(masks: Iterable[Mask], n: int) -> Mask:
    passing = np.ones(n, dtype=bool)
    for mask in masks:
        passing &= mask
    return passing


def _bar_edges(years: NDArray[np.int64]) -> tuple[int, int, int]:
    """First year, step and number of bars: round steps over all but the outermost half per cent."""
    if not len(years):
        return 0, 1, 0
    low, high = (int(q) for q in np.quantile(years, [0.005, 0.995], method="nearest"))
    step = next((s for s in _ROUND_STEPS if (high - low) // s < MOST_BARS - 1), 10_000)
    first = low // step * step
    return first, step, (high - first) // step + 1


def _in_bars(edges: tuple[int, int, int], years: NDArray[np.int64], is_dated: Mask) -> Owners:
    """Which rows each bar counts."""
    first, step, n = edges
    dated = np.flatnonzero(is_dated)
    return Owners(dated, np.clip((years[dated] - first) // step, 0, max(n - 1, 0)), n)
