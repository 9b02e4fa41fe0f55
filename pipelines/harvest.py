"""Archive and queries become hits: page by page, resumable, never filed complete when something is missing.

The place reached in a slice is part of the lake: each page is a row of `raw_pages`, loaded together with
its hits. A walk that was interrupted goes on after its last page; one that ended short is asked again from
the start, and a hit that comes twice is one hit.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lake import Lake
from lake.errors import ArchiveError, ServiceRefused
from pipelines.archives import load_archive
from pipelines.archives._archive import Archive, Page, Query
from pipelines.hit_buffer import HitBuffer
from pipelines.http_client import Manners, PoliteClient
from pipelines.load import archive_loader
from pipelines.passes import Pass, SliceResult, newest_results, result_of, resume
from pipelines.progress import progress
from pipelines.service import Service

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3


@dataclass(frozen=True)
class HarvestOptions:
    """What to ask an archive for."""

    queries: Sequence[str]
    start: date | None = None
    end: date | None = None
    limit: int | None = None          # hits a query
    base_url: str | None = None       # a mirror or replay of the service
    refresh: bool = False             # ask again what is complete


@dataclass(frozen=True)
class HarvestReport:
    """Every slice of one harvest of one archive; `skipped` were complete already."""

    archive: str
    slices: tuple[SliceResult, ...]
    skipped: int

    def with_status(self, status: str) -> list[SliceResult]:
        """The slices of one status."""
        return [result for result in self.slices if result.status == status]

    def summary(self) -> dict[str, Any]:
        """One row for people: slices by status, hits announced and received."""
        statuses = {status: len(self.with_status(status)) for status in ("complete", "truncated", "failed")}
        return {
            "archive": self.archive, "asked": len(self.slices), **statuses, "skipped": self.skipped,
            "announced": sum(result.announced or 0 for result in self.slices),
            "received": sum(result.received for result in self.slices),
        }


def harvest(
    lake: Lake, name: str, options: HarvestOptions, key: str | None = None, manners: Manners | None = None
) -> HarvestReport:
    """Ask one archive every query and load the hits; slices that are complete already are not asked again.

    `key` is the archive's API key; a base URL of one's own may do without. Raises UnknownArchive,
    MissingKey, LakeBusy, LakeError, and ServiceRefused where the service turns the key away. Anything else
    that goes wrong ends its slice as `failed`, with the reason.
    """
    archive = load_archive(name)
    archive.require_key(key, options.base_url)
    manners = manners or _manners(archive, options)
    with archive_loader(lake.open(), name) as loader, PoliteClient(manners) as client:
        harvester = _Harvester(lake, archive, options, Service(archive, client, key), HitBuffer(loader, name))
        report = harvester.ask_all()
    counts = [len(report.with_status(status)) for status in ("complete", "truncated", "failed")]
    log.info("harvested archive=%s complete=%d truncated=%d failed=%d skipped=%d hits=%d", name, *counts,
             report.skipped, sum(result.received for result in report.slices))
    return report


class _Harvester:
    """The slices of one archive, asked one after the other."""

    def __init__(
        self, lake: Lake, archive: Archive, options: HarvestOptions, service: Service, buffer: HitBuffer
    ) -> None:
        self._lake, self._archive, self._options = lake, archive, options
        self._service, self._buffer = service, buffer
        self._base_url = (options.base_url or archive.base_url).rstrip("/")
        self._earlier = newest_results(lake, archive.name)

    def ask_all(self) -> HarvestReport:
        """Ask every query; gives up on the service after several failures in a row."""
        results: list[SliceResult] = []
        skipped = failures = 0
        for text in progress(self._options.queries, description=f"harvest {self._archive.name}"):
            query = Query(text, self._options.start, self._options.end)
            earlier = self._earlier.get((query.text, query.slice))
            if earlier and self._is_done(earlier):
                skipped += 1
                continue
            results.append(self._ask(resume(self._lake, self._fresh(query), earlier)))
            failures = failures + 1 if results[-1].status == "failed" else 0
            if failures == _FAILURES_IN_A_ROW:
                log.warning("%s failed %d times in a row; no more is asked now", self._archive.name, failures)
                break
        return HarvestReport(self._archive.name, tuple(results), skipped)

    def _ask(self, walk: Pass) -> SliceResult:
        """One slice, from its first missing page to its verdict."""
        self._buffer.add_result(walk, result_of(walk, "running"))
        try:
            result = self._walk(walk)
        except ArchiveError as e:
            result = result_of(walk, "failed", error=str(e))
            if isinstance(e, ServiceRefused) and e.is_about_key:
                self._buffer.add_result(walk, result)
                raise
        self._buffer.add_result(walk, result)
        if result.error:
            log.warning("%s, %r: %s: %s", self._archive.name, result.query, result.status, result.error)
        return result

    def _walk(self, walk: Pass) -> SliceResult:
        limit = self._options.limit
        for page in self._pages(walk):
            new = self._buffer.add_page(walk, page, limit)
            if page.items and not new:
                return result_of(walk, "truncated", error=f"page {walk.page} only repeats earlier hits")
            if limit and len(walk.seen) >= limit:
                break
        return self._verdict(walk)

    def _pages(self, walk: Pass) -> Iterator[Page]:
        while walk.token is not None:
            try:
                page = self._service.page(walk)
            except ServiceRefused as e:
                if not walk.resumed or e.is_about_key:
                    raise
                log.info("%s has forgotten where page %d was; asking %r from the start", self._archive.title,
                         walk.page + 1, walk.query.text)
                yield from self._pages(self._started_again(walk))
                return
            walk.resumed = False
            walk.announced, walk.page = page.announced, walk.page + 1
            yield page
            walk.token = page.next_token if page.next_token != walk.token else None

    def _verdict(self, walk: Pass) -> SliceResult:
        received, announced, limit = len(walk.seen), walk.announced, self._options.limit
        if received == announced:
            return result_of(walk, "complete")
        if limit and received >= limit:
            return result_of(walk, "truncated", cap=f"limit {limit}")
        cap = self._archive.cap if self._archive.cap and (announced or 0) > self._archive.cap else None
        reason = f"{announced} announced, {received} received"
        return result_of(walk, "truncated", cap=str(cap) if cap else None, error=reason)

    def _is_done(self, earlier: dict[str, Any]) -> bool:
        if self._options.refresh or earlier["base_url"] != self._base_url:
            return False
        limit = self._options.limit
        return earlier["status"] == "complete" or (limit is not None and earlier["cap"] == f"limit {limit}")

    def _fresh(self, query: Query) -> Pass:
        page_size = min(self._archive.page_size, self._options.limit or self._archive.page_size)
        return Pass(query, self._base_url, page_size, self._archive.first_token)

    def _started_again(self, walk: Pass) -> Pass:
        fresh = self._fresh(walk.query)
        walk.run_id, walk.token, walk.page, walk.resumed = fresh.run_id, fresh.token, 0, False
        walk.seen.clear()
        return walk


def _manners(archive: Archive, options: HarvestOptions) -> Manners:
    """The archive's own pace; a service that was named by hand may be on one's own machine."""
    return Manners(
        delay_s=0.0 if options.base_url else archive.delay_s, allow_private_hosts=True, deadline_s=180.0
    )
