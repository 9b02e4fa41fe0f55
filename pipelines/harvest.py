"""Archive and queries become hits: page by page, resumable, never filed complete when something is missing.

The place reached in a slice is part of the lake: each page is a row of `raw_pages`, loaded together with
its hits. A walk that was interrupted goes on after its last page; one that ended short is asked again from
the start, and a hit that comes twice is one hit.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lake import Lake
from lake.errors import ArchiveError, FetchError, ServiceRefused
from pipelines.archives import load_archive
from pipelines.archives._archive import Archive, Page, Query
from pipelines.hit_buffer import HitBuffer
from pipelines.http_client import Manners, PoliteClient
from pipelines.load import archive_loader
from pipelines.options import HarvestOptions, queries_asked
from pipelines.passes import Pass, SliceResult, hits_of_pieces, newest_results, result_of, resume
from pipelines.progress import progress
from pipelines.service import Service, manners_towards
from pipelines.unknown_fields import UnknownFields

log = logging.getLogger(__name__)

__all__ = ["HarvestOptions", "HarvestReport", "harvest"]

_FAILURES_IN_A_ROW = 3


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
        whole = [result for result in self.slices if not result.is_piece]
        statuses = Counter(result.status for result in whole)
        return {
            "archive": self.archive, "asked": len(whole),
            **{status: statuses[status] for status in ("complete", "truncated", "failed")},
            "skipped": self.skipped, "announced": sum(result.announced or 0 for result in whole),
            "received": sum(result.received for result in whole),
        }


def harvest(
    lake: Lake, name: str | Archive, options: HarvestOptions, key: str | None = None,
    manners: Manners | None = None,
) -> HarvestReport:
    """Ask one archive every query and load the hits; slices that are complete already are not asked again.

    `name` may be an adapter, where one wants other settings than the archive's own. `key` is the archive's
    API key; a base URL of one's own may do without. Raises UnknownArchive, MissingKey, LakeBusy, LakeError,
    and ServiceRefused where the service turns the key away. Anything else that goes wrong ends its slice as
    `failed`, with the reason.
    """
    archive = name if isinstance(name, Archive) else load_archive(name)
    archive.require_key(key, options.base_url)
    name, manners = archive.name, manners or manners_towards(archive, options.base_url, options.contact)
    with archive_loader(lake.open(), name) as loader, PoliteClient(manners) as client:
        harvester = _Harvester(lake, archive, options, Service(archive, client, key), HitBuffer(loader, name))
        report = harvester.ask_all()
    counts = [len(report.with_status(status)) for status in ("complete", "truncated", "failed")]
    log.info("harvested archive=%s complete=%d truncated=%d failed=%d skipped=%d hits=%d", name, *counts,
             report.skipped, report.summary()["received"])
    return report


class _Harvester:
    """The slices of one archive, asked one after the other; one over the service's cap is cut into pieces."""

    def __init__(
        self, lake: Lake, archive: Archive, options: HarvestOptions, service: Service, buffer: HitBuffer
    ) -> None:
        self._lake, self._archive, self._options = lake, archive, options
        self._service, self._buffer = service, buffer
        self._base_url = (options.base_url or archive.base_url).rstrip("/")
        self._earlier = newest_results(lake, archive.name)
        self._fields = UnknownFields(archive)
        self._results: list[SliceResult] = []
        self._failures = 0

    def ask_all(self) -> HarvestReport:
        """Ask every query; gives up on the service after several failures in a row."""
        skipped = 0
        queries = queries_asked(self._archive, self._options)
        for query in progress(queries, description=f"harvest {self._archive.name}"):
            skipped += self._ask(self._walk_of(query, None, self._options.limit)) is None
            if self._gives_up:
                log.warning("%s failed %d times in a row; no more is asked now", self._archive.name,
                            self._failures)
                break
        self._buffer.flush()
        return HarvestReport(self._archive.name, tuple(self._results), skipped)

    @property
    def _gives_up(self) -> bool:
        return self._failures >= _FAILURES_IN_A_ROW

    def _walk_of(self, query: Query, whole: Pass | None, limit: int | None) -> Pass:
        page_size = min(self._archive.page_size, limit or self._archive.page_size)
        token = self._archive.first_token_of(query)
        walk = Pass(query, self._base_url, page_size, token, limit, whole, clock=self._options.clock)
        return walk if whole is None else walk.started_again(token)

    def _ask(self, walk: Pass) -> SliceResult | None:
        """One slice, from its first missing page to its verdict; None where it is done already."""
        earlier = self._earlier.get((walk.query.text, walk.query.slice))
        if earlier and walk.whole and not earlier["run_id"].startswith(f"{walk.whole.run_id}."):
            earlier = None    # it was asked for its own sake, or in an earlier round
        if earlier and self._is_done(earlier, walk):
            return None
        if earlier and self._options.refresh and earlier["status"] == "truncated":
            earlier = None    # else pieces that are complete would be kept
        walk = resume(self._lake, walk, earlier)
        self._buffer.add_result(walk, result_of(walk, "running"))
        try:
            result = self._walk(walk)
        except ArchiveError as e:
            result = result_of(walk, "failed", error=str(e))
            if isinstance(e, ServiceRefused) and e.is_about_key:
                self._buffer.add_result(walk, result)
                self._buffer.flush()
                raise
            self._failures += not (self._archive.obeys_robots and _is_gone(e))
        else:
            self._failures = self._failures if self._gives_up else 0
        self._file(walk, result)
        return result

    def _file(self, walk: Pass, result: SliceResult) -> None:
        self._buffer.add_result(walk, result)
        self._results.append(result)
        if result.error:
            log.warning("%s, %r (%s): %s: %s", self._archive.name, result.query, result.slice, result.status,
                        result.error)

    def _walk(self, walk: Pass) -> SliceResult:
        for page in self._pages(walk):
            if walk.page == 1 and self._archive.is_over_cap(page.announced, walk.limit):
                pieces = self._archive.split(walk.query, page)
                if pieces:
                    walk.page = 0
                    return self._ask_pieces(walk, pieces)
            new = self._buffer.add_page(walk, page)
            if page.items and not new:
                return result_of(walk, "truncated", error=f"page {walk.page} only repeats earlier hits")
            if walk.limit and len(walk.seen) >= walk.limit:
                break
        return self._verdict(walk)

    def _ask_pieces(self, walk: Pass, pieces: Sequence[Query]) -> SliceResult:
        """A slice by its pieces; once more from the start where all are there but the numbers disagree."""
        self._buffer.add_result(walk, result_of(walk, "running", cap=str(self._archive.cap)))
        n_complete, n_asked = self._each_piece(walk, pieces)
        received = self._received(walk)
        if n_asked == 0 and received != walk.announced:
            walk = walk.started_again(self._archive.first_token_of(walk.query))
            n_complete, _ = self._each_piece(walk, pieces)
            received = self._received(walk)
        return self._verdict_of_pieces(walk, received, n_complete, len(pieces))

    def _each_piece(self, walk: Pass, pieces: Sequence[Query]) -> tuple[int, int]:
        """How many pieces are complete, and how many had to be asked."""
        n_complete = n_asked = n_useless = 0
        limit = walk.limit
        for piece in pieces:
            if walk.limit:
                limit = max(0, walk.limit - self._received(walk))
            if self._gives_up or n_useless > 1 or limit == 0:
                break
            result = self._ask(self._walk_of(piece, walk, limit))
            n_asked += result is not None
            n_complete += result is None or result.status == "complete"
            n_useless += result is not None and (result.announced or 0) >= (walk.announced or 0)
        return n_complete, n_asked

    def _received(self, walk: Pass) -> int:
        """How many different hits the pieces of a slice have brought so far."""
        self._buffer.flush()
        return hits_of_pieces(self._lake, self._archive.name, walk.run_id)

    def _verdict_of_pieces(self, walk: Pass, received: int, n_complete: int, n_pieces: int) -> SliceResult:
        cap = str(self._archive.cap)
        if n_complete == n_pieces and received == walk.announced:
            result = result_of(walk, "complete", cap=cap)
        elif walk.limit and received >= walk.limit:
            result = result_of(walk, "truncated", cap=f"limit {walk.limit}")
        else:
            reason = f"{walk.announced} announced, {received} received"
            pieces = f"{n_complete} of {n_pieces} pieces complete"
            result = result_of(walk, "truncated", cap=cap, error=f"{reason}; {pieces}")
        return replace(result, received=received)

    def _pages(self, walk: Pass) -> Iterator[Page]:
        while walk.token is not None:
            try:
                page = self._service.page(walk)
            except ServiceRefused as e:
                if not walk.resumed or e.is_about_key:
                    raise
                log.info("%s has forgotten where page %d was; asking %r from the start", self._archive.title,
                         walk.page + 1, walk.query.text)
                yield from self._pages(walk.started_again(self._archive.first_token_of(walk.query)))
                return
            self._fields.note(page)
            walk.resumed = False
            walk.announced, walk.page = page.announced, walk.page + 1
            yield page
            walk.token = page.next_token if page.next_token != walk.token else None

    def _verdict(self, walk: Pass) -> SliceResult:
        received, announced, limit = len(walk.seen), walk.announced, walk.limit
        is_whole = walk.token is None if announced is None else received == announced
        if is_whole:    # pages of a site announce nothing: whole is what was read to its last page
            return result_of(walk, "complete")
        if limit and received >= limit:
            return result_of(walk, "truncated", cap=f"limit {limit}")
        cap = str(self._archive.cap) if self._archive.is_over_cap(announced, None) else None
        return result_of(walk, "truncated", cap=cap, error=f"{announced} announced, {received} received")

    def _is_done(self, earlier: dict[str, Any], walk: Pass) -> bool:
        if (self._options.refresh and not walk.whole) or earlier["base_url"] != self._base_url:
            return False
        enough = walk.limit is not None and earlier["cap"] == f"limit {walk.limit}"
        return earlier["status"] == "complete" or enough


def _is_gone(e: ArchiveError) -> bool:
    """Whether only a page is missing; of a site without an API that says nothing about the others."""
    return isinstance(e.__cause__, FetchError) and e.__cause__.http_status in (404, 410)
