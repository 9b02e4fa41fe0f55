"""One walk through the pages of a slice: what it has met, and where an interrupted one goes on."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lake import Lake, catalog
from lake.tables import RAW_HARVESTS, RAW_HITS
from pipelines.archives._archive import Query


@dataclass
class Pass:
    """The state of one walk; `token` is the page to ask for next, None when there is none."""

    query: Query
    base_url: str
    page_size: int
    token: str | None
    limit: int | None = None                         # hits wanted
    whole: "Pass | None" = None                      # the slice that this one is a piece of
    run_id: str = field(default_factory=lambda: new_run_id())
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    started_at: datetime | None = None               # by that clock
    page: int = 0
    announced: int | None = None
    resumed: bool = False                            # no page has been asked for since it was taken up again
    seen: set[str] = field(default_factory=set)      # hit ids of this walk

    def __post_init__(self) -> None:
        self.started_at = self.started_at or self.clock()

    def started_again(self, token: str) -> "Pass":
        """The same walk from its first page, under a new name: what came before is no part of it."""
        prefix = f"{self.whole.run_id}." if self.whole else ""
        self.run_id, self.token, self.page, self.resumed = f"{prefix}{new_run_id()}", token, 0, False
        self.seen.clear()
        return self


@dataclass(frozen=True)
class SliceResult:
    """What one slice came to: a row of `harvests`."""

    query: str
    slice: str
    status: str
    announced: int | None
    received: int
    pages: int
    cap: str | None = None
    error: str | None = None
    is_piece: bool = False    # of a slice that was cut, and counts its hits


def new_run_id() -> str:
    """A name for a walk; a piece's is its whole's, a dot, and one of its own."""
    return uuid.uuid4().hex[:12]


def result_of(walk: Pass, status: str, cap: str | None = None, error: str | None = None) -> SliceResult:
    """The row of `harvests` for a walk as it stands."""
    query = walk.query
    return SliceResult(
        query.text, query.slice, status, walk.announced, len(walk.seen), walk.page, cap, error,
        is_piece=walk.whole is not None,
    )


def newest_results(lake: Lake, archive: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The newest row of `raw_harvests` for each (query, slice) of an archive."""
    if not catalog.has_rows(lake, RAW_HARVESTS):
        return {}
    with catalog.connect(lake) as con:
        rows = con.sql(
            f"select * from {catalog.NEWEST_SLICES} where archive = $1", params=[archive],
        ).to_dicts()
    return {(row["query"], row["slice"]): row for row in rows}


def resume(lake: Lake, fresh: Pass, earlier: dict[str, Any] | None) -> Pass:
    """The interrupted walk where it was; `fresh` where there is nothing to go on from.

    A slice that was cut has no pages of its own; it keeps its name, by which its pieces are known.
    """
    if not earlier or earlier["status"] == "complete" or earlier["base_url"] != fresh.base_url:
        return fresh
    if earlier["status"] == "truncated" and earlier["pages"]:
        return fresh
    with catalog.connect(lake) as con:
        run = [earlier["run_id"]]
        last_page = "select * from raw_pages where run_id = $1 order by page desc limit 1"
        pages = con.sql(last_page, params=run).to_dicts()
        hits = con.sql("select distinct hit_id from raw_hits where run_id = $1", params=run).fetchall()
    if not pages:
        return replace(fresh, run_id=earlier["run_id"], started_at=earlier["started_at"])
    if pages[0]["page_size"] != fresh.page_size:
        return fresh
    last = pages[0]
    return replace(
        fresh, token=last["next_token"], run_id=last["run_id"], started_at=earlier["started_at"],
        page=last["page"], announced=last["announced"], resumed=True, seen={row[0] for row in hits},
    )


def hits_of_pieces(lake: Lake, archive: str, run_id: str) -> int:
    """How many different hits the pieces of a slice have brought."""
    if not catalog.has_rows(lake, RAW_HITS):
        return 0
    with catalog.connect(lake) as con:
        [(n,)] = con.sql(
            "select count(distinct hit_id) from raw_hits where archive = $1 and starts_with(run_id, $2)",
            params=[archive, f"{run_id}."],
        ).fetchall()
    return int(n)


def hit_id_of(archive: str, query: str, native_id: str | None, payload: str) -> str:
    """The key of a hit: 16 hex digits of archive, query and native id (or payload, where there is no id)."""
    parts = (archive, query, native_id if native_id is not None else f"\x00{payload}")
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
