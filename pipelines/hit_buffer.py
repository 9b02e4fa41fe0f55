"""Pages, hits and slice statuses on their way into the lake, a few pages a load."""

import time
from datetime import UTC, datetime

import pyarrow as pa

from lake.tables import RAW_HARVESTS, RAW_HITS, RAW_PAGES, Table
from pipelines.archives._archive import Page
from pipelines.load import Loader
from pipelines.passes import Pass, SliceResult, hit_id_of

_PAGES_A_LOAD = 5
_SECONDS_A_LOAD = 10.0


class HitBuffer:
    """Collects rows of one archive and loads them together, so that a page and its hits are never apart."""

    def __init__(self, loader: Loader, archive: str) -> None:
        self._loader, self._archive = loader, archive
        self._rows: dict[Table, list[dict[str, object]]] = {RAW_HITS: [], RAW_PAGES: [], RAW_HARVESTS: []}
        self._loaded_at = time.monotonic()

    def add_page(self, walk: Pass, page: Page, limit: int | None) -> int:
        """Take a page's hits that the walk has not met, up to its limit; returns how many those are."""
        now = datetime.now(UTC)
        before = len(walk.seen)
        for position, (item, native_id) in enumerate(zip(page.items, page.native_ids, strict=True)):
            hit_id = hit_id_of(self._archive, walk.query.text, native_id, item)
            if hit_id in walk.seen:
                continue
            if limit and len(walk.seen) >= limit:
                break
            walk.seen.add(hit_id)
            self._rows[RAW_HITS].append(self._of(walk, hit_id=hit_id, native_id=native_id, position=position,
                                                 fetched_at=now, page=walk.page, payload=item))
        self._rows[RAW_PAGES].append(self._of(
            walk, page=walk.page, page_size=walk.page_size, token=walk.token, next_token=page.next_token,
            announced=page.announced, n_items=len(page.items), fetched_at=now,
        ))
        waited_s = time.monotonic() - self._loaded_at
        if len(self._rows[RAW_PAGES]) >= _PAGES_A_LOAD or waited_s > _SECONDS_A_LOAD:
            self.flush()
        return len(walk.seen) - before

    def add_result(self, walk: Pass, result: SliceResult) -> None:
        """Take a slice's status; one that ends the slice is loaded at once, with all that came before it."""
        now = datetime.now(UTC)
        ended = result.status != "running"
        self._rows[RAW_HARVESTS].append(self._of(
            walk, status=result.status, announced=result.announced, received=result.received,
            pages=result.pages, cap=result.cap, error=result.error, started_at=walk.started_at,
            finished_at=now if ended else None, recorded_at=now,
        ))
        if ended:
            self.flush()

    def flush(self) -> None:
        """Load what is buffered."""
        self._loader.append({
            table.name: pa.Table.from_pylist(rows, schema=table.schema)
            for table, rows in self._rows.items() if rows
        })
        for rows in self._rows.values():
            rows.clear()
        self._loaded_at = time.monotonic()

    def _of(self, walk: Pass, **columns: object) -> dict[str, object]:
        return {
            "run_id": walk.run_id, "base_url": walk.base_url, "query": walk.query.text,
            "slice": walk.query.slice, **columns,
        }
