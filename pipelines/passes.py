"""One walk through the pages of a slice: what it has met, and where an interrupted one goes on."""

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lake import Lake, catalog
from lake.tables import RAW_HARVESTS
from pipelines.archives._archive import Query


@dataclass
class Pass:
    """The state of one walk; `token` is the page to ask for next, None when there is none."""

    query: Query
    base_url: str
    page_size: int
    token: str | None
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    page: int = 0
    announced: int | None = None
    resumed: bool = False                            # no page has been asked for since it was taken up again
    seen: set[str] = field(default_factory=set)      # hit ids of this walk


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


def result_of(walk: Pass, status: str, cap: str | None = None, error: str | None = None) -> SliceResult:
    """The row of `harvests` for a walk as it stands."""
    query = walk.query
    return SliceResult(
        query.text, query.slice, status, walk.announced, len(walk.seen), walk.page, cap, error
    )


def newest_results(lake: Lake, archive: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The newest row of `raw_harvests` for each (query, slice) of an archive."""
    if not catalog.has_rows(lake, RAW_HARVESTS):
        return {}
    with catalog.connect(lake) as con:
        rows = con.sql(
            "select * from raw_harvests where archive = $1"
            " qualify row_number() over (partition by query, slice order by recorded_at desc, status) = 1",
            params=[archive],
        ).to_dicts()
    return {(row["query"], row["slice"]): row for row in rows}


def resume(lake: Lake, fresh: Pass, earlier: dict[str, Any] | None) -> Pass:
    """The interrupted walk where it was; `fresh` where there is nothing to go on from."""
    if not earlier or earlier["status"] not in ("running", "failed") or earlier["base_url"] != fresh.base_url:
        return fresh
    with catalog.connect(lake) as con:
        run = [earlier["run_id"]]
        last_page = "select * from raw_pages where run_id = $1 order by page desc limit 1"
        pages = con.sql(last_page, params=run).to_dicts()
        hits = con.sql("select distinct hit_id from raw_hits where run_id = $1", params=run).fetchall()
    if not pages or pages[0]["page_size"] != fresh.page_size:
        return fresh
    last = pages[0]
    return replace(
        fresh, token=last["next_token"], run_id=last["run_id"], started_at=earlier["started_at"],
        page=last["page"], announced=last["announced"], resumed=True, seen={row[0] for row in hits},
    )


def hit_id_of(archive: str, query: str, native_id: str | None, payload: str) -> str:
    """The key of a hit: 16 hex digits of archive, query and native id (or payload, where there is no id)."""
    parts = (archive, query, native_id if native_id is not None else f"\x00{payload}")
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
