"""Work that keeps a processor busy: no more of it at once than there are processors, in the order it came."""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A `with` block that no more threads than `at_once` are in; whoever came first goes in first.

    All at once would all end late. `threading.Semaphore` lets a newcomer in before those who wait, and sends
    who was woken for nothing to the end of the queue: a few would wait several times as long as the rest.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()    # until who leaves hands its place on

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
