"""What to ask an archive for, and the queries that come of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipelines.archives._archive import Archive, Query

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HarvestOptions:
    """What to ask an archive for."""

    queries: Sequence[str]
    start: date | None = None
    end: date | None = None
    limit: int | None = None          # hits a query
    base_url: str | None = None       # a mirror or replay of the service
    refresh: bool = False             # ask again what is complete
    contact: str | None = None        # an address for the hosts, in the User-Agent
    at: datetime | None = None        # the instant to write down, where not the clock's (SOURCE_DATE_EPOCH)

    def clock(self) -> datetime:
        """Now, as rows of this harvest shall have it."""
        return self.at or datetime.now(UTC)


def queries_asked(archive: Archive, options: HarvestOptions) -> list[Query]:
    """What is asked; a query of an archive without a search stands for some of its pages."""
    asked = [Query(text, options.start, options.end) for text in options.queries]
    expanded = {query: archive.expand(query) for query in asked}
    for query in [query for query, pages in expanded.items() if not pages]:
        log.warning("%s has no page for %r", archive.name, query.text)
    return list(dict.fromkeys(page for pages in expanded.values() for page in pages))
