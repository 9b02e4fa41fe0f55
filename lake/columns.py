"""Columns of a large table held so that plain tests of them cost no query: a mask of rows in a moment."""

import operator
import threading
from collections.abc import Callable, Iterable, Set
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.conditions import LISTS, NUMBERS, Plain, Test

Mask = NDArray[np.bool_]

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "<>": operator.ne,
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}
_OF_VALUES = frozenset({"=", "in", "has any"})
_NULL_TESTS = frozenset({"is null", "is not null"})
_HELD = NUMBERS | LISTS | {"label", "rights_class", "split", "language"}    # of ids there are as many as rows


class Owners:
    """Which rows have the value `i`, for several values: `owners[starts[i]:starts[i + 1]]`."""

    def __init__(self, rows: NDArray[np.intp], codes: NDArray[np.integer[Any]], n_values: int) -> None:
        self.owners: NDArray[np.intp] = rows[np.argsort(codes, kind="stable")]
        self.starts: NDArray[np.int64] = np.searchsorted(np.sort(codes), np.arange(n_values + 1))

    def sums(self, numbers: NDArray[np.int64]) -> list[int]:
        """For each value, the numbers of the rows that have it together."""
        has_any = np.diff(self.starts) > 0    # where none has it, reduceat would give a neighbour's
        sums = np.zeros(len(has_any), np.int64)
        sums[has_any] = np.add.reduceat(numbers.take(self.owners), self.starts[:-1][has_any])
        told: list[int] = sums.tolist()
        return told


class Values(Owners):
    """A column of words, or of lists of them: its `values`, and which rows have each."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        whole = column.combine_chunks()
        self.n_rows = len(whole)
        owners, flat = np.arange(self.n_rows), whole
        if pa.types.is_list(whole.type):
            owners, flat = np.repeat(owners, whole.value_lengths().fill_null(0).to_numpy()), whole.flatten()
        encoded = flat.drop_null().dictionary_encode()
        self.values: list[str] = encoded.dictionary.to_pylist()
        super().__init__(owners[_mask(flat.is_valid())], encoded.indices.to_numpy(), len(self.values))
        self._codes: dict[object, int] = {value: code for code, value in enumerate(self.values)}

    def having(self, wanted: Iterable[object]) -> Mask:
        """Which rows have any of these values."""
        mask = np.zeros(self.n_rows, dtype=bool)
        for value in wanted:
            if (code := self._codes.get(value)) is not None:
                mask[self.owners[self.starts[code]:self.starts[code + 1]]] = True
        return mask


class _Numbers:
    """A column of numbers, and which rows have one."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._numbers = column.fill_null(0).to_numpy()
        self._is_there = _mask(column.is_valid())

    def meeting(self, test: Test) -> Mask:
        """Which rows have a number that meets the test."""
        if test.sign == "in":
            return self._is_there & np.isin(self._numbers, test.values)
        found: Mask = self._is_there & _COMPARED[test.sign](self._numbers, test.values[0])
        return found


class Columns:
    """A table's columns that one filters by, each read when it is first asked of. Thread-safe."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows, self._lock = rows, threading.Lock()
        self._read: dict[str, Values | _Numbers] = {}

    def meeting(self, plain: Plain, allowed: Set[str]) -> Mask | None:
        """Which rows meet plain tests of the columns allowed; None where only a query can tell."""
        if isinstance(plain, Test):
            return self._meeting(plain) if plain.column in allowed & _HELD else None
        masks = [mask for part in plain.parts if (mask := self.meeting(part, allowed)) is not None]
        is_told = len(masks) == len(plain.parts)
        return reduce(operator.and_ if plain.word == "and" else operator.or_, masks) if is_told else None

    def _meeting(self, test: Test) -> Mask | None:
        if test.sign in _NULL_TESTS:
            is_null = _mask(self._rows[test.column].is_null())
            return is_null if test.sign == "is null" else ~is_null
        column = self._column(test.column)
        if isinstance(column, _Numbers):
            return column.meeting(test)
        return column.having(test.values) if test.sign in _OF_VALUES else None

    def _column(self, name: str) -> Values | _Numbers:
        with self._lock:
            if name not in self._read:
                self._read[name] = (_Numbers if name in NUMBERS else Values)(self._rows[name])
            return self._read[name]


def _mask(column: Any) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)
