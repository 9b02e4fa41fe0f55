"""What is said of one picture: its title, date, holders, rights, and where to see it at its archive."""

import re
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from lake.facts import NEAR_SQL
from lake.tables import RIGHTS_CLASSES

Row = dict[str, Any]

KEPT_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"
_USUAL_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[\w%/:=&?~+!$,;'@()*.-]*[\w/])?", re.ASCII)


class Source(NamedTuple):
    """One archive's object that shows the picture; `landing_url` is an http(s) address or None."""

    record_id: str
    archive: str
    provider: str | None
    landing_url: str | None


class Card(NamedTuple):    # a page has thirty, each from its row: a data class takes five times as long
    """One picture of the grid with what is said under it; `n_near` counts its near-duplicates."""

    sample_id: str
    sha256: str
    path: str
    title: str | None
    caption: str | None
    description: str | None
    date: str | None
    year: int | None
    labels: tuple[str, ...]
    language: str | None
    rights_class: str
    rights_uri: str | None
    attribution: str | None
    width: int
    height: int
    split: str | None
    sources: tuple[Source, ...]
    n_near: int

    @property
    def name(self) -> str:
        """What to call it where one name is needed."""
        return self.title or "Untitled picture"

    @property
    def archives(self) -> tuple[str, ...]:
        """The archives that hold it, each once."""
        return _each_once([source.archive for source in self.sources])

    @property
    def providers(self) -> tuple[str, ...]:
        """The institutions that hold it, each once."""
        return _each_once([source.provider for source in self.sources if source.provider])

    @property
    def links(self) -> tuple[Source, ...]:
        """Where to see it at its archives: the first object of each that has an address."""
        linked = {source.archive: source for source in reversed(self.sources) if source.landing_url}
        return tuple(linked[archive] for archive in sorted(linked))

    def as_json(self) -> dict[str, Any]:
        """The card as data; addresses of pictures are relative to `api/`."""
        return {
            "sample_id": self.sample_id, "title": self.title, "caption": self.caption, "date": self.date,
            "year": self.year, "labels": list(self.labels), "language": self.language,
            "rights_class": self.rights_class, "rights_uri": self.rights_uri,
            "attribution": self.attribution, "width": self.width, "height": self.height,
            "split": self.split, "archives": list(self.archives), "providers": list(self.providers),
            "sources": [source._asdict() for source in self.sources],
            "picture_url": f"../pictures/{self.sample_id}",
        }


def card_of(row: Row) -> Card:
    """The card of what `CARDS_SQL` tells of one."""
    records = [record for record in row["records"] or [] if record["archive"]]
    dates = [r["date_raw"] for r in records if r["date_raw"] and len(r["date_raw"]) <= 32]
    return Card(
        sample_id=row["sample_id"], sha256=row["sha256"], path=row["path"], title=row["title"],
        caption=row["caption"], description=row["description"], year=row["year"],
        date=(dates or [None if row["year"] is None else str(row["year"])])[0],
        labels=tuple(row["labels"] or ()), language=row.get("language"),
        rights_class=row["rights_class"] if row["rights_class"] in RIGHTS_CLASSES else "unknown",
        attribution=row["attribution"], rights_uri=safe_link(row.get("rights_uri")), split=row["split"],
        width=row["width"], height=row["height"], sources=tuple(map(_source, records)),
        n_near=row["n_near"] or 0,
    )


def safe_link(url: str | None) -> str | None:
    """The address, spaces and such encoded, if it is one of the web (http or https, with a host)."""
    if url is not None and _USUAL_LINK.fullmatch(url):
        return url
    try:
        parts = urlsplit((url or "").strip())
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and parts.netloc
    return quote(parts.geturl(), safe=KEPT_IN_ADDRESSES) if is_web else None


def _each_once(names: list[str]) -> tuple[str, ...]:
    return tuple(names if len(names) < 2 else sorted(set(names)))


def _source(record: Row) -> Source:
    landing_url = safe_link(record["landing_url"])
    return Source(record["record_id"], record["archive"], record["provider"], landing_url)


CARDS_SQL = f"""
    with
    members as (
        select sample_id, unnest(record_ids) as record_id from samples
    ),
    shown as (
        select
            m.sample_id,
            list(struct_pack(
                record_id := r.record_id, archive := r.archive, provider := r.provider,
                landing_url := r.landing_url, date_raw := r.date_raw
            ) order by r.record_id) as records
        from members as m inner join records as r using (record_id)
        group by m.sample_id
    )
    select sample_id, cast(to_json(told) as varchar) as told
    from (
        select samples.*, shown.records, near.n_near
        from samples left join shown using (sample_id) left join ({NEAR_SQL}) as near using (sample_id)
    ) as told
"""
