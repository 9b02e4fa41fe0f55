"""Means over queries with bootstrap intervals: how much of a number is the choice of these queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import Floats, Measured

DRAWS_AT_ONCE = 2**22


@dataclass(frozen=True)
class Resampling:
    """How intervals are made: percentiles of the means over queries drawn anew, with replacement."""

    resamples: int = 1000
    seed: int = 42
    level: float = 0.95


def summary(measured: Measured, resampling: Resampling) -> dict[str, Any]:
    """`n_queries`, the mean of each metric, `median_rank`, and `intervals` of the means."""
    values = dict(measured.values)
    table = np.stack(list(values.values()), axis=1) if len(measured.rows) else np.zeros((0, len(values)))
    if not len(table):
        return {"n_queries": 0}
    means = dict(zip(values, table.mean(axis=0).tolist(), strict=True))
    if "first_rank" in values:
        means["median_rank"] = float(np.median(values["first_rank"]))
    found = {"n_queries": len(table), **means}
    if resampling.resamples:
        low, high = interval(table, resampling)
        pairs = zip(low.tolist(), high.tolist(), strict=True)
        found["intervals"] = {name: list(pair) for name, pair in zip(values, pairs, strict=True)}
    return found


def interval(table: Floats, resampling: Resampling) -> tuple[Floats, Floats]:
    """The ends of the interval of each column's mean; rows are what is drawn."""
    rng = np.random.default_rng(resampling.seed)
    step = max(1, DRAWS_AT_ONCE // len(table))
    starts = range(0, resampling.resamples, step)
    means = np.concatenate([_drawn_means(table, min(step, resampling.resamples - i), rng) for i in starts])
    tail = (1 - resampling.level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def only(measured: Measured, chosen: NDArray[np.bool_]) -> Measured:
    """The metrics of some of the queries; `chosen` has an entry for each query there is."""
    kept = chosen[measured.rows]
    return Measured(measured.rows[kept], {name: column[kept] for name, column in measured.values.items()})


def by_slice(
    measured: Measured, slices: Mapping[str, Mapping[str, NDArray[np.bool_]]], resampling: Resampling,
) -> dict[str, dict[str, dict[str, Any]]]:
    """A summary for each value of each way to slice the queries; those without a query are left out."""
    found = {
        name: {value: summary(only(measured, chosen), resampling) for value, chosen in values.items()}
        for name, values in slices.items()
    }
    return {
        name: {value: part for value, part in parts.items() if part["n_queries"]}
        for name, parts in found.items()
    }


def _drawn_means(table: Floats, n: int, rng: np.random.Generator) -> Floats:
    size = len(table)
    drawn = rng.integers(0, size, (n, size)) + size * np.arange(n)[:, None]
    times = np.bincount(drawn.ravel(), minlength=n * size).reshape(n, size)
    means: Floats = times @ table / size
    return means
