"""Image URLs without an outcome → bytes → facts; every URL ends with one status and, if not ok, a reason.

Threads ask the hosts, judges (processes of their own) look at the bytes, the store keeps them as served, and
rows go to the raw layer. A picture never waits in a queue, so memory is bounded by the number of workers;
what failed and may come right waits for its next attempt without holding a worker.
"""

import logging
import queue
from collections import Counter
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext

from lake import Lake, catalog, image_store
from lake.errors import EmptyLake
from lake.tables import IMAGE_STATUSES
from pipelines.asked import unanswered
from pipelines.fetch_lock import shard_lock
from pipelines.fetch_options import FetchOptions
from pipelines.fetcher import UNCHANGED, Again, Fetcher, Row
from pipelines.http_client import PoliteClient
from pipelines.judges import CLERK, JudgePool
from pipelines.outcomes import Outcomes, settle
from pipelines.progress import progress
from pipelines.rota import Asked, Rota
from pipelines.shard import Shard

__all__ = ["Asked", "FetchOptions", "Rota", "Shard", "fetch", "unanswered"]

log = logging.getLogger(__name__)

_STAYED = "stayed"     # asked whether it changed, and nothing better came
_GOOD = ("ok", UNCHANGED, _STAYED)


def fetch(
    lake: Lake, options: FetchOptions | None = None, client: PoliteClient | None = None
) -> dict[str, int]:
    """Fetch every image URL of the records that has no outcome yet; how many ended with which status.

    A URL whose stored file is gone is fetched again. Raises EmptyLake without records, LakeBusy while another
    process fetches some of the same URLs into this lake, LakeError when the disk is full.
    """
    options = options or FetchOptions()
    _require_records(lake)
    CLERK.start()     # it loads what it needs while we look for what to ask
    with shard_lock(lake, options.shard, lambda others: _tidy_up(lake, others)):
        asked = unanswered(lake, options)
        counts = _fetch_all(lake, asked, options, client)
    log.info("fetched asked=%d%s", len(asked), "".join(f" {name}={n}" for name, n in counts.items()))
    return counts


def _require_records(lake: Lake) -> None:
    catalog.require_mart(lake, "records", "normalise")
    if not catalog.rows(lake, "select 1 from records limit 1"):
        raise EmptyLake(f"no hit of {lake.root} became a record; see `glamlake status`, then harvest more")


def _tidy_up(lake: Lake, others: list[Shard]) -> None:
    """What killed runs left: half-written files, and outcomes that were not loaded."""
    if not others:
        image_store.sweep(lake)
    if settled := settle(lake, others):
        log.info("kept %d outcomes of an interrupted fetch", settled)


def _fetch_all(
    lake: Lake, asked: list[Asked], options: FetchOptions, client: PoliteClient | None
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    if not asked:
        return {}
    with (
        Outcomes(lake, options.shard) as outcomes,
        JudgePool(options.court()) as judges,
        PoliteClient(options.manners()) if client is None else nullcontext(client) as http,
        progress(len(asked), "fetching", unit="picture") as done,
        closing(_rows(Fetcher(lake, options, http, judges), outcomes, asked, options.workers)) as rows,
    ):
        for row in rows:
            outcomes.load_if_due()
            counts[row["status"] if row is not None else _STAYED] += 1
            good = sum(counts[status] for status in _GOOD)
            done.update(1, ok=good, failed=counts.total() - good)
    return {status: counts[status] for status in (*IMAGE_STATUSES, UNCHANGED, _STAYED) if counts[status]}


def _rows(
    fetcher: Fetcher, outcomes: Outcomes, asked: list[Asked], workers: int,
) -> Generator[Row | None, None, None]:
    """What came of each URL, as it comes and was kept; what a worker raises ends them all."""
    rota, rows = Rota(asked, workers), queue.SimpleQueue[Row | None]()
    with ThreadPoolExecutor(workers, thread_name_prefix="fetch") as pool:
        crew = [pool.submit(_work, fetcher, outcomes, rota, rows) for _ in range(min(workers, len(asked)))]
        try:
            while not (all(worker.done() for worker in crew) and rows.empty()):
                try:
                    yield rows.get(timeout=0.2)
                except queue.Empty:
                    _raise_first(crew)
        finally:
            rota.stop()
    _raise_first(crew)


def _work(
    fetcher: Fetcher, outcomes: Outcomes, rota: Rota, rows: "queue.SimpleQueue[Row | None]",
) -> None:
    while (one := rota.take()) is not None:
        found = fetcher.row(one)
        if isinstance(found, Again):
            rota.put_back(found.one, found.wait_s, found.is_whole_host)
            continue
        if found is not None:
            outcomes.add(found)
        rows.put(found)
        rota.answered(one)


def _raise_first(crew: "list[Future[None]]") -> None:
    for worker in crew:
        if worker.done():
            worker.result()
