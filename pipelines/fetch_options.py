"""How pictures are fetched, which of all are asked for, and which are kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from lake.errors import UsageError
from lake.tables import IMAGE_STATUSES
from pipelines.http_client import Manners, user_agent
from pipelines.judgement import Limits
from pipelines.judges import Court
from pipelines.shard import WHOLE, Shard

_HOST = re.compile(r"([\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class FetchOptions:
    """How pictures are fetched, which of all are asked for, and which are kept."""

    workers: int = 12
    max_side: int | None = None              # keep a JPEG of at most this long side instead
    larger_than_mb: float | None = None      # only where the picture as served has more than so many MB
    shard: Shard = WHOLE
    retry_failed: bool = False               # ask again for what failed and may come right
    retry_statuses: Sequence[str] = ()       # ask again for all that ended so
    revisit: bool = False                    # ask whether what is here has changed
    older_than: timedelta | None = None      # of what is asked again, only what was asked so long ago
    allow_private_hosts: bool = False
    allowed_hosts: Sequence[str] = ()        # "host:port" that may be private
    insecure_hosts: Sequence[str] = ()       # hosts whose TLS certificate is not verified
    min_side: int = 64
    min_bytes: int = 2560
    max_bytes: int = 100 * 2**20
    max_pixels: int = 100_000_000
    timeout_s: float = 20.0                  # for one picture to arrive, all attempts together
    judge_s: float = 29.0                    # for one picture to be decoded, less what it took to arrive
    contact: str | None = None               # an address for the hosts, in the User-Agent

    def __post_init__(self) -> None:
        if self.larger_than_mb is not None and self.max_side is None:
            raise UsageError("--larger-than-mb says which pictures --max-side makes smaller; give both")
        if unknown := sorted(set(self.retry_statuses) - set(IMAGE_STATUSES)):
            raise UsageError(f"no status {', '.join(unknown)}; there are: {', '.join(IMAGE_STATUSES)}")
        for host in self.insecure_hosts:
            if not _HOST.fullmatch(host):      # '' and '*' would stand for every host there is
                raise UsageError(f"--insecure-host {host!r} is no host; as in the URL, please: a.example.org")

    @property
    def larger_than(self) -> int:
        """Bytes that a picture needs to be made smaller."""
        return int((self.larger_than_mb or 0) * 1_000_000)

    def manners(self) -> Manners:
        """The HTTP client's share of these options."""
        return Manners(
            user_agent=user_agent(self.contact), timeout_s=self.timeout_s / 3, deadline_s=self.timeout_s,
            allow_private_hosts=self.allow_private_hosts, allowed_hosts=frozenset(self.allowed_hosts),
            insecure_hosts=frozenset(self.insecure_hosts), patience=100,
        )

    def court(self) -> Court:
        """The judges' share of these options."""
        limits = Limits(max_pixels=self.max_pixels, min_side=self.min_side, min_bytes=self.min_bytes)
        return Court(limits, self.max_side, self.larger_than, self.judge_s)


def parse_age(text: str) -> timedelta:
    """Read `90m`, `12h`, `7d` or `4w`; raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,5})([mhdw])", text.strip().lower())
    if not found:
        raise UsageError(f"{text!r} is no age; minutes, hours, days or weeks, please: 90m, 12h, 7d, 4w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
