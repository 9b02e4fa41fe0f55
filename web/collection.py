"""What the page shows of a sample, read from the lake's tables: titles, dates, holders, rights, links."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lake import Lake
from lake.catalog import Connection, ask, connect, require_mart
from lake.tables import RIGHTS_CLASSES

_MOST_PATHS = 50_000


@dataclass(frozen=True)
class Source:
    """One archive's object that shows the picture; `landing_url` is an http(s) address or None."""

    archive: str
    provider: str | None
    landing_url: str | None


@dataclass(frozen=True)
class Card:
    """One picture of the grid with what is said under it."""

    sample_id: str
    title: str | None
    caption: str | None
    date: str | None
    year: int | None
    labels: tuple[str, ...]
    language: str | None
    rights_class: str
    rights_uri: str | None
    attribution: str | None
    width: int
    height: int
    sources: tuple[Source, ...]
    score: float | None = None

    @property
    def archives(self) -> tuple[str, ...]:
        """The archives that hold it, each once."""
        return tuple(sorted({source.archive for source in self.sources}))

    @property
    def providers(self) -> tuple[str, ...]:
        """The institutions that hold it, each once."""
        return tuple(sorted({source.provider for source in self.sources if source.provider}))

    @property
    def links(self) -> tuple[Source, ...]:
        """Where to see it at its archives: the first object of each that has an address."""
        linked = {source.archive: source for source in reversed(self.sources) if source.landing_url}
        return tuple(linked[archive] for archive in sorted(linked))


@dataclass(frozen=True)
class Facets:
    """What one can filter by, with the number of samples of each value."""

    n_samples: int
    archives: tuple[tuple[str, int], ...]
    rights: tuple[tuple[str, int], ...]
    first_year: int | None
    last_year: int | None


class Collection:
    """The samples of a lake; what is remembered of them lasts until they are made anew. Thread-safe."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._lock = threading.RLock()
        self._open = ExitStack()
        self._connection: Connection | None = None
        self._version = 0
        self._facets: Facets | None = None
        self._paths: dict[str, str] = {}

    def facets(self) -> Facets:
        """Counts over the whole lake; raises EmptyLake where there are no samples yet."""
        with self._lock:
            con = self._newest()
            if self._facets is None:
                self._facets = _read_facets(con)
            return self._facets

    def leaf_through(self, where: str | None, limit: int, offset: int) -> list[str]:
        """Sample ids in an order that mixes archives and years and stays the same; raises EmptyLake."""
        sql = f"select sample_id from samples where {where or 'true'} order by sample_id limit ? offset ?"
        return [row["sample_id"] for row in self._rows(sql, [limit, offset])]

    def count(self, where: str | None) -> int:
        """How many samples meet a condition; raises EmptyLake."""
        if where is None:
            return self.facets().n_samples
        return int(self._rows(f"select count(*) as n from samples where {where}")[0]["n"])

    def cards(self, sample_ids: Sequence[str]) -> list[Card]:
        """The samples that exist, in the order given; raises EmptyLake."""
        by_id = {row["sample_id"]: row for row in self._rows(_CARDS_SQL, [list(sample_ids)])}
        with self._lock:
            if len(self._paths) > _MOST_PATHS:
                self._paths.clear()
            self._paths |= {sample_id: row["path"] for sample_id, row in by_id.items()}
        return [_card(by_id[sample_id]) for sample_id in sample_ids if sample_id in by_id]

    def picture_path(self, sample_id: str) -> Path | None:
        """Where the lake's store keeps a sample's picture; None for an id or a file that is not there."""
        with self._lock:
            self._newest()
            if sample_id not in self._paths:
                self.cards([sample_id])
            stored = self._paths.get(sample_id)
        if stored is None:
            return None
        path = (self.lake.root / stored).resolve()
        return path if path.is_relative_to(self.lake.images.resolve()) and path.is_file() else None

    def _rows(self, sql: str, parameters: list[object] | None = None) -> list[dict[str, Any]]:
        with self._lock:
            found: list[dict[str, Any]] = ask(self._newest(), sql, parameters).to_pylist()
        return found

    def _newest(self) -> Connection:
        """A connection that sees the samples as they are now; raises EmptyLake where there are none yet."""
        require_mart(self.lake, "samples", "curate")
        version = self.lake.mart("samples").stat().st_mtime_ns
        if self._connection is None or version != self._version:
            self._open.close()
            self._connection = self._open.enter_context(connect(self.lake))
            self._version, self._facets, self._paths = version, None, {}
        return self._connection


def safe_link(url: str | None) -> str | None:
    """The address if it is one of the web (http or https, with a host), else None."""
    try:
        parts = urlsplit((url or "").strip())
    except ValueError:
        return None
    return parts.geturl() if parts.scheme in ("http", "https") and parts.netloc else None


def _read_facets(con: Connection) -> Facets:
    years = "min(year) as first_year, max(year) as last_year"
    all_ = ask(con, f"select count(*) as n, {years} from samples").to_pylist()[0]
    archives = ask(con, "select name, count(*) as n from (select unnest(archives) as name from samples) "
                        "group by name order by name").to_pylist()
    rights = ask(con, "select rights_class as name, count(*) as n from samples group by name").to_pylist()
    n_of = {row["name"]: row["n"] for row in rights}
    return Facets(
        n_samples=all_["n"], first_year=all_["first_year"], last_year=all_["last_year"],
        archives=tuple((row["name"], row["n"]) for row in archives),
        rights=tuple((name, n_of[name]) for name in RIGHTS_CLASSES if name in n_of),
    )


def _card(row: dict[str, Any]) -> Card:
    sources = [Source(r["archive"], r["provider"], safe_link(r["landing_url"]))
               for r in row["records"] or [] if r["archive"]]
    dates = [r["date_raw"] for r in row["records"] or [] if r["date_raw"] and len(r["date_raw"]) <= 32]
    return Card(
        sample_id=row["sample_id"], title=row["title"], caption=row["caption"], year=row["year"],
        date=(dates or [None if row["year"] is None else str(row["year"])])[0],
        labels=tuple(row["labels"] or ()), language=row.get("language"),
        rights_class=row["rights_class"] or "unknown", attribution=row["attribution"],
        rights_uri=safe_link(row.get("rights_uri")), sources=tuple(sources), width=row.get("width") or 4,
        height=row.get("height") or 3,
    )


_CARDS_SQL = """
    with
    asked as (
        select * from samples where array_has(?::varchar[], sample_id)
    ),
    members as (
        select sample_id, unnest(record_ids) as record_id from asked
    ),
    sources as (
        select
            m.sample_id,
            list(struct_pack(
                archive := r.archive, provider := r.provider, landing_url := r.landing_url,
                date_raw := r.date_raw
            ) order by r.record_id) as records
        from members as m inner join records as r using (record_id)
        group by m.sample_id
    )
    select a.*, o.records
    from asked as a
    left join sources as o using (sample_id)
"""
