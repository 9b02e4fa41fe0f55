"""What a harvest would ask, slice by slice, without a lake; a slice's first page tells how much it has."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lake.errors import ArchiveError, ServiceRefused
from pipelines.archives._archive import Archive, Page, Query
from pipelines.http_client import PoliteClient
from pipelines.options import HarvestOptions, queries_asked
from pipelines.passes import Pass
from pipelines.service import Service, manners_towards

log = logging.getLogger(__name__)

_FAILURES = 3


@dataclass(frozen=True)
class Announced:
    """One slice, its first page, and the pieces it must be cut into; without pages where asking failed."""

    walk: Pass
    first: Page | None
    pieces: list[Query]
    error: str | None = None

    def row(self, archive: Archive) -> dict[str, Any]:
        """The slice for people."""
        announced = self.first.announced if self.first else None
        fate = "fits"
        if self.error:
            fate = self.error
        elif self.pieces:
            fate = f"over the cap, {len(self.pieces)} pieces"
        elif archive.is_over_cap(announced, None):
            fate = "over the cap, cannot be cut"
        query = self.walk.query
        return {
            "archive": archive.name, "query": query.text, "slice": query.slice, "announced": announced,
            "cap": archive.cap, "plan": fate,
        }


def announced_slices(archive: Archive, service: Service, options: HarvestOptions) -> Iterator[Announced]:
    """Each slice before its pieces; ends after several that could not be asked.

    Raises ServiceRefused where the service turns the key away.
    """
    base_url = (options.base_url or archive.base_url).rstrip("/")
    failures = 0
    for query in queries_asked(archive, options):
        for found in _with_pieces(archive, service, query, base_url, options.limit):
            yield found
            failures = failures + 1 if found.error else 0
            if failures == _FAILURES:
                log.warning("%s failed %d times in a row; no more is asked now", archive.name, failures)
                return


def dry_run(archive: Archive, options: HarvestOptions, key: str | None) -> list[dict[str, Any]]:
    """Every slice a harvest would ask for, with what the service says it has; nothing is loaded."""
    archive.require_key(key, options.base_url)
    manners = manners_towards(archive, options.base_url, options.contact)
    with PoliteClient(manners) as client:
        service = Service(archive, client, key)
        return [found.row(archive) for found in announced_slices(archive, service, options)]


def _with_pieces(
    archive: Archive, service: Service, query: Query, base_url: str, limit: int | None
) -> Iterator[Announced]:
    walk = Pass(query, base_url, archive.page_size, archive.first_token_of(query), limit)
    try:
        first = service.page(walk)
    except ArchiveError as e:
        if isinstance(e, ServiceRefused) and e.is_about_key:
            raise
        yield Announced(walk, None, [], str(e))
        return
    pieces = archive.split(query, first) if archive.is_over_cap(first.announced, limit) else []
    yield Announced(walk, first, pieces)
    n_useless = 0
    for piece in pieces:
        for found in _with_pieces(archive, service, piece, base_url, limit):
            yield found
            if found.walk.query == piece and found.first:
                n_useless += (found.first.announced or 0) >= (first.announced or 0)
        if n_useless > 1:
            return
