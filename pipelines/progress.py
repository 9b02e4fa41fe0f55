"""How far a stage is: a bar on a terminal, a log line now and then everywhere else.

    for batch in progress(batches, "embedding"): ...          # counts what passes through
    with progress(len(urls), "fetching", unit="picture") as done:
        done.update(1, ok=12, failed=3)                       # the counts are shown beside the rate
"""

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from tqdm import tqdm

log = logging.getLogger(__name__)

T = TypeVar("T")
_SECONDS_BETWEEN_LINES = 10.0
_NARROW = 72             # columns of a terminal: with fewer a bar would push rate and counts off the line
_ONLY_NUMBERS = "{n_fmt}/{total_fmt} {rate_fmt} {remaining}{postfix}"


@overload
def progress(work: int | None, description: str, *, unit: str = "row") -> "Progress[None]": ...
@overload
def progress(
    work: Iterable[T], description: str, total: int | None = None, unit: str = "row"
) -> "Progress[T]": ...
def progress(
    work: Iterable[Any] | int | None, description: str, total: int | None = None, unit: str = "row"
) -> "Progress[Any]":
    """Progress over things; given a number (None: unknown) instead, progress that is told by `update`."""
    if work is None or isinstance(work, int):
        return Progress((), description, work, unit)
    if total is None and isinstance(work, Sized):
        total = len(work)
    return Progress(work, description, total, unit)


class Progress(AbstractContextManager["Progress[T]"], Generic[T]):
    """Iterate over it, or use it in a `with` and call `update`."""

    def __init__(self, things: Iterable[T], description: str, total: int | None, unit: str) -> None:
        self._things = things
        self._description = description
        self._total = total
        self._unit = unit
        self._n = 0
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._bar = _Bar(desc=description, total=total, unit=unit, smoothing=0.1, dynamic_ncols=True)

    def update(self, n: int = 1, **counts: int) -> None:
        """`n` more are done; `counts` (ok=…, failed=…) are shown as they stand now."""
        self._n += n
        if self._bar is not None:
            if counts:
                self._bar.set_postfix(counts, refresh=False)
            self._bar.update(n)
        elif time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            log.info("%s", self._line(counts))

    def close(self) -> None:
        """End the bar's line."""
        if self._bar is not None:
            self._bar.close()

    def __iter__(self) -> Iterator[T]:
        with self:
            for thing in self._things:
                yield thing
                self.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _line(self, counts: dict[str, int]) -> str:
        elapsed_s = max(time.monotonic() - self._started, 1e-9)
        rate = self._n / elapsed_s
        of_total = f" of {self._total}" if self._total is not None else ""
        left = f", {(self._total - self._n) / rate:.0f} s left" if self._total is not None and rate else ""
        more = "".join(f" {name}={count}" for name, count in counts.items())
        return f"{self._description}: {self._n}{of_total}, {rate:.1f} {self._unit}s/s{left}{more}"


class _Bar(tqdm):      # type: ignore[type-arg]     # it is told what is done, and iterates over nothing
    """A bar as wide as the terminal is now; numbers alone, the failures first, where that is narrow."""

    @property
    def format_dict(self) -> dict[str, Any]:
        """What its line is made of."""
        parts: dict[str, Any] = super().format_dict
        if (parts["ncols"] or _NARROW) >= _NARROW:
            return parts
        counts = ", ".join(reversed((parts["postfix"] or "").split(", ")))
        return parts | {"bar_format": _ONLY_NUMBERS, "unit": "", "postfix": counts}
