"""Who is asked next: host after host, and what failed once more when its time has come."""

import heapq
import math
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Asked:
    """One URL to ask for, the host that it will be asked of, and what is known of it already."""

    host: str
    url: str
    iiif_service: str | None = None    # that serves the same picture in any size
    is_kept: bool = False              # a picture of it lies here, which no failure to get it takes away
    is_here: bool = False              # asked whether it changed since it said `etag` and `last_modified`
    etag: str | None = None
    last_modified: str | None = None
    asked_url: str | None = None       # what was asked instead of `url` the last time
    source_sha256: str | None = None   # of what was served then
    answered_at: datetime | None = None    # in UTC; later than now where a clock was set back since
    tries: int = 0
    spent_s: float = 0.0               # in these tries


class Rota:
    """Hands out what to ask next, host after host; a slow host holds no more than its share of workers."""

    def __init__(self, asked: Sequence[Asked], workers: int) -> None:
        self._workers = workers
        self._changed = threading.Condition()
        self._left: dict[str, deque[Asked]] = defaultdict(deque)
        for one in asked:
            self._left[one.host].append(one)
        self._hosts = deque(self._left)
        self._in_flight: Counter[str] = Counter()
        self._later: list[tuple[float, int, Asked]] = []    # a heap: when, in which order, what
        self._n_put_back = 0
        self._resting: dict[str, float] = {}
        self._stopped = False

    def take(self) -> Asked | None:
        """The next one to ask, waited for where all that is left must wait; None when there are no more."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                self._take_up_again(now)
                if (host := self._next_host(now)) is not None:
                    return self._hand_out(host)
                if not (self._hosts or self._later):
                    return None
                self._changed.wait(self._pause_s(now))
            return None

    def answered(self, one: Asked) -> None:
        """Its worker is free again."""
        with self._changed:
            self._in_flight[one.host] -= 1

    def put_back(self, one: Asked, wait_s: float, is_whole_host: bool = False) -> None:
        """Hand it out once more when the wait is over; with `is_whole_host` its host rests as long."""
        with self._changed:
            due = time.monotonic() + wait_s
            self._in_flight[one.host] -= 1
            self._n_put_back += 1
            heapq.heappush(self._later, (due, self._n_put_back, one))
            if is_whole_host:
                self._resting[one.host] = max(due, self._resting.get(one.host, 0.0))
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _take_up_again(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            one = heapq.heappop(self._later)[2]
            if not self._left[one.host]:
                self._hosts.append(one.host)
            self._left[one.host].append(one)

    def _next_host(self, now: float) -> str | None:
        """Takes out the first host that does not rest and holds less than its share of the workers."""
        self._resting = {host: until for host, until in self._resting.items() if until > now}
        n_awake = len(self._hosts) - sum(bool(self._left[host]) for host in self._resting)
        share = math.ceil(self._workers / max(1, n_awake))
        for _ in range(len(self._hosts)):
            host = self._hosts.popleft()
            if host not in self._resting and self._in_flight[host] < share:
                return host
            self._hosts.append(host)
        return None

    def _hand_out(self, host: str) -> Asked:
        one = self._left[host].popleft()
        self._in_flight[host] += 1
        if self._left[host]:
            self._hosts.append(host)
        return one

    def _pause_s(self, now: float) -> float:
        """Until something is due, or a worker may have come free."""
        waits = [due for due, _, _ in self._later[:1]]
        waits += self._resting.values()
        return max(0.01, min([*waits, now + 0.5]) - now)
