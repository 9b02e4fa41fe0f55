"""Image URLs without an outcome → bytes → facts; every URL ends with one status and, if not ok, a reason.

Threads ask the hosts, judges (processes of their own) look at the bytes, the store keeps them as served, and
rows go to the raw layer. A picture never waits in a queue, so memory is bounded by the number of workers.
"""

import hashlib
import logging
import math
import queue
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from lake import Lake, catalog, image_store
from lake.errors import EmptyLake, FetchError
from lake.tables import IMAGE_STATUSES
from pipelines.http_client import Answer, Manners, PoliteClient, user_agent
from pipelines.image_facts import EXTENSIONS, Judgement, Limits
from pipelines.judges import Court, JudgePool
from pipelines.load import stage_lock
from pipelines.outcomes import Outcomes, Row
from pipelines.progress import progress

log = logging.getLogger(__name__)

_KEPT = ("ok", "blank")      # a blank's bytes stay, so that people may see why it was called one


@dataclass(frozen=True)
class FetchOptions:
    """How pictures are fetched and which are kept."""

    workers: int = 12
    max_side: int | None = None              # keep a JPEG of at most this long side instead
    retry_failed: bool = False               # ask again for what failed and may come right
    allow_private_hosts: bool = False
    allowed_hosts: Sequence[str] = ()        # "host:port" that may be private
    insecure_hosts: Sequence[str] = ()       # hosts whose TLS certificate is not verified
    min_side: int = 64
    min_bytes: int = 2560
    max_bytes: int = 100 * 2**20
    max_pixels: int = 100_000_000
    timeout_s: float = 30.0
    judge_s: float = 30.0                    # for one picture to be decoded
    contact: str | None = None               # an address for the hosts, in the User-Agent

    def manners(self) -> Manners:
        """The HTTP client's share of these options."""
        return Manners(
            user_agent=user_agent(self.contact), timeout_s=self.timeout_s,
            allow_private_hosts=self.allow_private_hosts, allowed_hosts=frozenset(self.allowed_hosts),
            insecure_hosts=frozenset(self.insecure_hosts),
        )

    def court(self) -> Court:
        """The judges' share of these options."""
        limits = Limits(max_pixels=self.max_pixels, min_side=self.min_side, min_bytes=self.min_bytes)
        return Court(limits, self.max_side, self.judge_s)


@dataclass(frozen=True)
class Asked:
    """One URL to ask for, and the host that it will be asked of."""

    host: str
    url: str


def fetch(
    lake: Lake, options: FetchOptions | None = None, client: PoliteClient | None = None
) -> dict[str, int]:
    """Fetch every image URL of the records that has no outcome yet; how many ended with which status.

    Raises EmptyLake without records, LakeBusy while another process fetches into this lake, LakeError when
    the disk is full.
    """
    options = options or FetchOptions()
    _require_records(lake)
    with stage_lock(lake, "fetch"):
        image_store.sweep(lake)
        outcomes = Outcomes(lake)
        if settled := outcomes.settle():
            log.info("kept %d outcomes of an interrupted fetch", settled)
        asked = unanswered(lake, options)
        counts = _fetch_all(lake, asked, options, client, outcomes)
    log.info("fetched asked=%d%s", len(asked), "".join(f" {name}={n}" for name, n in counts.items()))
    return counts


def unanswered(lake: Lake, options: FetchOptions) -> list[Asked]:
    """The URLs to ask for, in an order that depends on nothing but the URLs."""
    rows = catalog.rows(lake, _UNANSWERED_SQL, [options.retry_failed, _private_hosts_allowed(options)])
    return [Asked(str(row["host"]), str(row["image_url"])) for row in rows]


class Rota:
    """Hands out what to ask next, host after host; a slow host holds no more than its share of workers."""

    def __init__(self, asked: Sequence[Asked], workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._left: dict[str, deque[Asked]] = defaultdict(deque)
        for one in asked:
            self._left[one.host].append(one)
        self._hosts = deque(self._left)
        self._in_flight: Counter[str] = Counter()

    def take(self) -> Asked | None:
        """The next one to ask; None when there are no more."""
        with self._lock:
            if not self._hosts:
                return None
            share = math.ceil(self._workers / len(self._hosts))
            while self._in_flight[self._hosts[0]] >= share:    # some host has less: this worker is free
                self._hosts.rotate(-1)
            host = self._hosts.popleft()
            one = self._left[host].popleft()
            self._in_flight[host] += 1
            if self._left[host]:
                self._hosts.append(host)
            return one

    def answered(self, one: Asked) -> None:
        """Its worker is free again."""
        with self._lock:
            self._in_flight[one.host] -= 1

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._lock:
            self._hosts.clear()


def _require_records(lake: Lake) -> None:
    catalog.require_mart(lake, "records", "normalise")
    if not catalog.rows(lake, "select 1 from records limit 1"):
        raise EmptyLake(f"no hit of {lake.root} became a record; see `glamlake status`, then harvest more")


def _fetch_all(
    lake: Lake, asked: list[Asked], options: FetchOptions, client: PoliteClient | None, outcomes: Outcomes
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    if not asked:
        return {}
    with (
        outcomes,
        JudgePool(options.court()) as judges,
        PoliteClient(options.manners()) if client is None else nullcontext(client) as http,
        progress(len(asked), "fetching", unit="picture") as done,
        closing(_rows(Fetcher(lake, options, http, judges), asked, options.workers)) as rows,
    ):
        for row in rows:
            outcomes.add(row)
            counts[row["status"]] += 1
            done.update(1, ok=counts["ok"], failed=counts.total() - counts["ok"])
    return {status: counts[status] for status in IMAGE_STATUSES if counts[status]}


def _rows(fetcher: "Fetcher", asked: list[Asked], workers: int) -> Generator[Row, None, None]:
    """A row for each URL as it gets its outcome; what a worker raises ends them all."""
    rota, rows = Rota(asked, workers), queue.SimpleQueue[Row]()
    with ThreadPoolExecutor(workers, thread_name_prefix="fetch") as pool:
        crew = [pool.submit(_work, fetcher, rota, rows) for _ in range(min(workers, len(asked)))]
        try:
            while not (all(worker.done() for worker in crew) and rows.empty()):
                try:
                    yield rows.get(timeout=0.2)
                except queue.Empty:
                    _raise_first(crew)
        finally:
            rota.stop()
    _raise_first(crew)


def _work(fetcher: "Fetcher", rota: Rota, rows: "queue.SimpleQueue[Row]") -> None:
    while (one := rota.take()) is not None:
        rows.put(fetcher.row(one.url))
        rota.answered(one)


def _raise_first(crew: "list[Future[None]]") -> None:
    for worker in crew:
        if worker.done():
            worker.result()


@dataclass(frozen=True)
class Fetcher:
    """Everything one worker needs to turn a URL into a row of RAW_IMAGES."""

    lake: Lake
    options: FetchOptions
    http: PoliteClient
    judges: JudgePool

    def row(self, url: str) -> Row:
        """Ask, judge, keep; raises LakeError only."""
        try:
            answer = self._ask(url)
        except FetchError as e:
            row: Row = {"status": e.status, "http_status": e.http_status, "error": str(e)}
        else:
            row = self._judged(answer)
        return {"image_url": url, "fetched_at": datetime.now(UTC), **row}

    def _ask(self, url: str) -> Answer:
        try:
            return self.http.get(url, max_bytes=self.options.max_bytes)
        except ValueError as e:
            raise FetchError("blocked", f"not a URL: {e}") from e

    def _judged(self, answer: Answer) -> Row:
        judgement = self.judges.judge(answer.content)
        served = {
            "status": judgement.status, "error": judgement.error, "http_status": answer.status,
            "content_type": answer.content_type or None, "bytes": len(answer.content),
            "source_sha256": hashlib.sha256(answer.content).hexdigest(), "source_bytes": len(answer.content),
        }
        facts = asdict(judgement.facts) if judgement.facts else {}
        return served | facts | self._kept(answer.content, judgement)

    def _kept(self, content: bytes, judgement: Judgement) -> Row:
        if judgement.status not in _KEPT or judgement.facts is None:
            return {}
        keep = judgement.derivative or content
        stored = image_store.put(self.lake, keep, EXTENSIONS[judgement.facts.format])
        return {"sha256": stored.sha256, "path": stored.path, "bytes": len(keep)}


def _private_hosts_allowed(options: FetchOptions) -> bool:
    return options.allow_private_hosts or bool(options.allowed_hosts)


_UNANSWERED_SQL = """
    with

    asked as (
        select distinct image_url from records where image_url is not null
    ),

    hosted as (
        select image_url, lower(regexp_extract(image_url, '^[a-zA-Z]+://([^/?#]+)', 1)) as host from asked
    ),

    answered as (
        select image_url, status, http_status from images
    ),

    unanswered as (
        select hosted.image_url, hosted.host
        from hosted
        left join answered on answered.image_url = hosted.image_url
        where answered.image_url is null
            or ($1 and answered.status in ('timeout', 'connection_error'))
            or ($1 and answered.http_status in (408, 425, 429))
            or ($1 and answered.http_status >= 500)
            or ($1 and $2 and answered.status = 'blocked')
    )

    select image_url, host
    from unanswered
    order by row_number() over (partition by host order by md5(image_url), image_url), host
"""
