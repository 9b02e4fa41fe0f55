"""Retrieval metrics with ties counted as what breaking them at random gives on average.

Right answers are a sparse matrix (queries × answers): an entry says how right, 1 or a part of it. What
a metric needs of a ranking is where its right answers stand, so that is all that is kept (`TieGroups`):
of any number of queries and answers only a block of scores is in memory at a time.

Of a query with R right answers, among the first K: `R@K` whether there is any (EUFCC-340K's Acc@K),
`Recall@K` their number over R, `Precision@K` over K, `mAP@K` the precision at each right one, summed,
over min(R, K), `MRR@K` one over the place of the first; `R-Precision` is the precision at R, `rank` the
mean place of all right answers (the average rank position), `first_rank` the place of the first;
`nDCG@K` and `credit@1` also count what is partly right.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scorer = Callable[[slice], NDArray[Any]]
"""Scores of some queries (rows) for all answers (columns)."""

KS = (1, 3, 5, 10, 15, 20)
ACC_AT = (1, 10)         # the depths at which EUFCC-340K gives R@K, as Acc@K
CELLS_AT_ONCE = 2**23    # of a block of scores: 32 MB
DECIMALS = 6             # float32 cosines that agree to so many are one


@dataclass(frozen=True)
class TieGroups:
    """Where right answers stand: one row per query and score that any of its right answers has.

    `above` answers score better, `size` have this score; `right` of these are right, `right_above` of
    those. `gain` is the sum of how right they are.
    """

    query: Ints
    above: Ints
    size: Ints
    right: Ints
    right_above: Ints
    gain: Floats
    n_queries: int

    def per_query(self, values: Any) -> Floats:
        """Sums of a value over each query's rows."""
        return np.bincount(self.query, weights=values, minlength=self.n_queries).astype(np.float64)

    def firsts(self) -> "TieGroups":
        """Only the row of each query's best right answers."""
        return self.those(self.right_above == 0)

    def those(self, rows: NDArray[np.bool_]) -> "TieGroups":
        return TieGroups(
            self.query[rows], self.above[rows], self.size[rows], self.right[rows], self.right_above[rows],
            self.gain[rows], self.n_queries,
        )


@dataclass(frozen=True)
class Measured:
    """Metrics of each query that has a right answer: `rows` are the queries, `values` one number for each."""

    rows: Ints
    values: Mapping[str, Floats]


def measure(
    score: Scorer, right: Mapping[str, Any], ks: Sequence[int] = KS, graded: bool = False,
    ignored: Any = None,
) -> dict[str, Measured]:
    """Rank all answers for every query; the metrics under each of several notions of what is right.

    `ignored` answers (queries × answers, or one for each notion) are neither right nor wrong: as if not
    there. Queries without a right answer are left out.
    """
    n_queries, n_answers = next(iter(right.values())).shape
    found: dict[str, list[TieGroups]] = {name: [] for name in right}
    tables: dict[str, list[dict[str, Floats]]] = {name: [] for name in right}
    for part in blocks(n_queries, n_answers):
        scores = score(part)
        for name, sparse in right.items():
            skipped = ignored.get(name) if isinstance(ignored, Mapping) else ignored
            groups = tie_groups(scores, sparse[part], None if skipped is None else skipped[part])
            found[name].append(groups)
            tables[name].append(query_metrics(groups, sparse[part], n_answers, ks, graded))
    return {name: _joined(right[name], parts) for name, parts in tables.items()}


def chance(right: Any, ks: Sequence[int] = KS, graded: bool = False, ignored: Any = None) -> Measured:
    """The metrics of scores that know nothing: all answers tie."""
    n_queries, n_answers = right.shape
    counts = np.diff(right.indptr)
    size = np.full(n_queries, n_answers) - (0 if ignored is None else np.diff(ignored.indptr))
    none = np.zeros(n_queries, dtype=np.int64)
    groups = TieGroups(np.arange(n_queries), none, size, counts, none, right.sum(axis=1), n_queries)
    groups = groups.those(counts > 0)
    return _joined(right, [query_metrics(groups, right, n_answers, ks, graded)])


def cosines(queries: Matrix, answers: Matrix) -> Scorer:
    """A scorer of rows of length 1."""
    return lambda part: np.round(queries[part] @ answers.T, DECIMALS)


def blocks(n_queries: int, n_answers: int) -> Iterator[slice]:
    """Slices of the queries, each of about CELLS_AT_ONCE scores."""
    step = max(1, CELLS_AT_ONCE // max(n_answers, 1))
    yield from (slice(i, min(i + step, n_queries)) for i in range(0, n_queries, step))


def same_group(query_group: Ints, answer_group: Ints) -> Any:
    """What is right where answers and queries of one group belong together."""
    order = np.argsort(answer_group, kind="stable")
    ordered = answer_group[order]
    low = np.searchsorted(ordered, query_group, "left")
    high = np.searchsorted(ordered, query_group, "right")
    start = np.concatenate([[0], np.cumsum(high - low)])
    place = np.arange(start[-1]) - np.repeat(start[:-1] - low, high - low)
    shape = (len(query_group), len(answer_group))
    return csr_array((np.ones(len(place)), order[place], start), shape=shape)


def tie_groups(scores: NDArray[Any], right: Any, ignored: Any = None) -> TieGroups:
    """Where the right answers of each row of scores stand."""
    if ignored is not None and ignored.nnz:
        scores = scores.astype(np.result_type(scores, np.float32))
        scores[ignored.nonzero()] = -np.inf
    ordered = np.sort(scores, axis=1)
    rows = [_row_groups(i, scores, ordered, right) for i in np.flatnonzero(np.diff(right.indptr)).tolist()]
    nothing = (np.zeros(0, dtype=np.int64),) * 6
    query, above, size, n_right, right_above, gain = map(
        np.concatenate, zip(*rows or [nothing], strict=True)
    )
    return TieGroups(query, above, size, n_right, right_above, gain, len(scores))


def query_metrics(
    groups: TieGroups, right: Any, n_answers: int, ks: Sequence[int], graded: bool,
) -> dict[str, Floats]:
    """Every metric of every query; those of queries without a right answer are NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _graded(groups, right, ks) if graded else _binary(groups, n_answers, ks)


def _row_groups(i: int, scores: NDArray[Any], ordered: NDArray[Any], right: Any) -> tuple[Any, ...]:
    own = slice(right.indptr[i], right.indptr[i + 1])
    values, which, counts = np.unique(
        scores[i, right.indices[own]], return_inverse=True, return_counts=True,
    )
    low = np.searchsorted(ordered[i], values, "left")
    high = np.searchsorted(ordered[i], values, "right")
    gain = np.bincount(which, weights=right.data[own], minlength=len(values))
    right_above = counts.sum() - np.cumsum(counts)
    return np.full(len(values), i), ordered.shape[1] - high, high - low, counts, right_above, gain


def _binary(groups: TieGroups, n_answers: int, ks: Sequence[int]) -> dict[str, Floats]:
    n_right = groups.per_query(groups.right)
    first = groups.firsts()
    hits = {k: groups.per_query(groups.right * _inside(groups, k) / groups.size) for k in ks}
    table = {f"R@{k}": first.per_query(_any_right(first, k)) for k in ks}
    table |= {f"Acc@{k}": table[f"R@{k}"] for k in ACC_AT if k in ks}
    table |= {f"Recall@{k}": hits[k] / n_right for k in ks}
    table |= {f"Precision@{k}": hits[k] / k for k in ks}
    sums = _precision_sums(groups, ks)
    table |= {f"mAP@{k}": sums[k] / np.minimum(n_right, k) for k in ks}
    table |= {f"MRR@{k}": first.per_query(_reciprocal(first, k)) for k in ks}
    table["mAP"] = groups.per_query(_precision_sum(groups, n_answers)) / n_right
    table["MRR"] = first.per_query(_reciprocal(first, n_answers))
    inside_r = _inside(groups, n_right[groups.query])
    table["R-Precision"] = groups.per_query(groups.right * inside_r / groups.size) / n_right
    table["rank"] = groups.per_query(groups.right * (groups.above + (groups.size + 1) / 2)) / n_right
    table["first_rank"] = first.per_query(first.above + (first.size + 1) / (first.right + 1))
    return {name: np.where(n_right > 0, values, np.nan) for name, values in table.items()}


def _inside(groups: TieGroups, k: Any) -> Floats:
    """How many of each row's places are among the first k."""
    places: Floats = np.clip(k - groups.above, 0, groups.size).astype(np.float64)
    return places


def _any_right(first: TieGroups, k: int) -> Floats:
    """The probability that the first k answers hold a right one."""
    places, wrong = k - first.above, first.size - first.right
    missed = np.ones(len(places))
    for drawn in range(k):
        factor = np.clip(wrong - drawn, 0, None) / np.maximum(first.size - drawn, 1)
        missed = np.where(drawn < places, missed * factor, missed)
    return 1.0 - missed


def _reciprocal(first: TieGroups, k: int) -> Floats:
    """The expected 1 / place of the first right answer, 0 beyond place k; equal rows are worked out once."""
    kinds = np.stack([first.above, first.size, first.right], axis=1)
    distinct, which = np.unique(kinds, axis=0, return_inverse=True)
    above, size, right = distinct.T
    total, missed = np.zeros(len(distinct)), np.ones(len(distinct))
    live = np.arange(len(distinct))
    for drawn in range(int(min(k, (size - right).max(initial=0) + 1))):
        live = live[(missed[live] > 1e-15) & (above[live] + drawn < k)]
        left = size[live] - drawn
        total[live] += missed[live] * right[live] / left / (above[live] + drawn + 1)
        missed[live] *= np.clip(left - right[live], 0, None) / left
    expected: Floats = total[which.ravel()]
    return expected


def _precision_sums(groups: TieGroups, ks: Sequence[int]) -> dict[int, Floats]:
    """For each k: the expected sum of the precisions at the right answers among the first k."""
    one, both = _shares(groups)
    total, sums = np.zeros(len(groups.query)), {}
    for place in range(1, max(ks) + 1):
        here = (groups.above < place) & (place <= groups.above + groups.size)
        precision = (one * (1 + groups.right_above) + both * (place - groups.above - 1)) / place
        total = total + np.where(here, precision, 0.0)
        if place in ks:
            sums[place] = groups.per_query(total)
    return sums


def _precision_sum(groups: TieGroups, n_answers: int) -> Floats:
    """As `_precision_sums` over all places: the sums over a row's places are harmonic numbers."""
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n_answers + 1))])
    one, both = _shares(groups)
    spread = harmonic[groups.above + groups.size] - harmonic[groups.above]
    first: Floats = one * (1 + groups.right_above) * spread
    total: Floats = first + both * (groups.size - (groups.above + 1) * spread)
    return total


def _shares(groups: TieGroups) -> tuple[Floats, Floats]:
    """How likely one place of a row holds a right answer, and how likely two given places both do."""
    one = groups.right / groups.size
    return one, one * (groups.right - 1) / np.maximum(groups.size - 1, 1)


def _graded(groups: TieGroups, right: Any, ks: Sequence[int]) -> dict[str, Floats]:
    discounts = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, max(ks) + 2)))])
    ideal = _ideal_gains(right, max(ks))
    table = {}
    for k in ks:
        low, high = (np.clip(end, 0, k) for end in (groups.above, groups.above + groups.size))
        best = ideal[:, :k] @ np.diff(discounts[: k + 1])
        gains = groups.gain / groups.size * (discounts[high] - discounts[low])
        table[f"nDCG@{k}"] = groups.per_query(gains) / best
    table["credit@1"] = groups.per_query(groups.gain / groups.size * _inside(groups, 1))
    empty = np.diff(right.indptr) == 0
    return {name: np.where(empty, np.nan, values) for name, values in table.items()}


def _ideal_gains(right: Any, k: int) -> Floats:
    """The k largest gains of each query, largest first; 0 where there are fewer."""
    counts = np.diff(right.indptr)
    query = np.repeat(np.arange(right.shape[0]), counts)
    order = np.lexsort((-right.data, query))
    place = np.arange(right.nnz) - np.repeat(right.indptr[:-1], counts)
    gains, kept = np.zeros((right.shape[0], k)), place < k
    gains[query[kept], place[kept]] = right.data[order][kept]
    return gains


def _joined(right: Any, parts: Sequence[Mapping[str, Floats]]) -> Measured:
    rows = np.flatnonzero(np.diff(right.indptr))
    return Measured(rows, {name: np.concatenate([part[name] for part in parts])[rows] for name in parts[0]})
