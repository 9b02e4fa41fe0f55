"""Pages, hits and slice statuses on their way into the lake, a few pages a load.

A load takes a fraction of a second however little is in it. So the more pages come in that time, the more
travel together: loading takes about a fifth of a harvest, and a kill loses what came in about a second.
"""

import time

import pyarrow as pa

from lake.tables import RAW_HARVESTS, RAW_HITS, RAW_PAGES, Table
from pipelines.archives._archive import Page
from pipelines.load import Loader
from pipelines.passes import Pass, SliceResult, hit_id_of

_LEAST_PAGES, _MOST_PAGES = 5, 50    # a load
_LONGEST_WAIT_S = 10.0
_REST = 4.0    # times what the last load took


class HitBuffer:
    """Collects rows of one archive and loads them together, so that a page and its hits are never apart."""

    def __init__(self, loader: Loader, archive: str) -> None:
        self._loader, self._archive = loader, archive
        self._rows: dict[Table, list[dict[str, object]]] = {RAW_HITS: [], RAW_PAGES: [], RAW_HARVESTS: []}
        self._loaded_at = time.monotonic()
        self._load_took_s = 0.0

    def add_page(self, walk: Pass, page: Page) -> int:
        """Take a page's hits that the walk has not met, up to its limit; returns how many those are."""
        before = len(walk.seen)
        self._rows[RAW_HITS] += new_hits(self._archive, walk, page)
        self._rows[RAW_PAGES].append(page_row(walk, page))
        if self._is_time_to_load():
            self.flush()
        return len(walk.seen) - before

    def add_result(self, walk: Pass, result: SliceResult) -> None:
        """Take a slice's status; it is loaded with the pages before it, so that neither is there alone."""
        now = walk.clock()
        ended = result.status != "running"
        self._rows[RAW_HARVESTS].append(_row(
            walk, status=result.status, announced=result.announced, received=result.received,
            pages=result.pages, cap=result.cap, error=result.error, started_at=walk.started_at,
            finished_at=now if ended else None, recorded_at=now,
        ))
        if ended and self._is_time_to_load():
            self.flush()

    def flush(self) -> None:
        """Load what is buffered; to be called at the end, and before the lake is asked about it."""
        started_at = time.monotonic()
        self._loader.append({
            table.name: pa.Table.from_pylist(rows, schema=table.schema)
            for table, rows in self._rows.items() if rows
        })
        for rows in self._rows.values():
            rows.clear()
        self._loaded_at = time.monotonic()
        self._load_took_s = self._loaded_at - started_at

    def _is_time_to_load(self) -> bool:
        n_pages = len(self._rows[RAW_PAGES])
        waited_s = time.monotonic() - self._loaded_at
        rested = waited_s >= _REST * self._load_took_s
        return n_pages >= _MOST_PAGES or waited_s > _LONGEST_WAIT_S or (rested and n_pages >= _LEAST_PAGES)


def new_hits(archive: str, walk: Pass, page: Page) -> list[dict[str, object]]:
    """A row for each of a page's items that the walk, which remembers them, has not met; up to its limit."""
    now = walk.clock()
    rows = []
    for position, (item, native_id) in enumerate(zip(page.items, page.native_ids, strict=True)):
        hit_id = hit_id_of(archive, walk.query.text, native_id, item)
        if hit_id in walk.seen:
            continue
        if walk.limit and len(walk.seen) >= walk.limit:
            break
        walk.seen.add(hit_id)
        rows.append(_row(walk, hit_id=hit_id, native_id=native_id, position=position, fetched_at=now,
                         page=walk.page, payload=item))
    return rows


def page_row(walk: Pass, page: Page) -> dict[str, object]:
    """The row of a page, its token included."""
    return _row(
        walk, page=walk.page, page_size=walk.page_size, token=walk.token, next_token=page.next_token,
        announced=page.announced, n_items=len(page.items), fetched_at=walk.clock(),
    )


def _row(walk: Pass, **columns: object) -> dict[str, object]:
    return {
        "run_id": walk.run_id, "base_url": walk.base_url, "query": walk.query.text, "slice": walk.query.slice,
        **columns,
    }
