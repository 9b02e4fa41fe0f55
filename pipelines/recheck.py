"""Are the pictures still where they were? Some of their URLs are asked again; no row is changed by it."""

import dataclasses
import hashlib
import json
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

from lake import Lake, catalog
from lake.drafts import whole_file
from lake.errors import EmptyLake, FetchError
from pipelines import console
from pipelines.fetch_options import FetchOptions
from pipelines.http_client import Answer, PoliteClient
from pipelines.judges import JudgePool
from pipelines.progress import progress

log = logging.getLogger(__name__)

OUTCOMES = ("same", "changed", "placeholder", "gone", "unreachable")
_NOBODY_KNOWS = frozenset({408, 425, 429})
_PER_HOST = 2
_DELAY_S = 0.1
_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True)
class Rechecked:
    """One URL and what it gives today; `placeholder` for a picture that says there is none."""

    archive: str
    image_url: str
    outcome: str
    detail: str = ""
    source_sha256: str | None = None     # of what is served today, where that is another than it was


@dataclass(frozen=True)
class LinkRot:
    """What came of the sample."""

    urls: Sequence[Rechecked]

    def archives(self) -> list[dict[str, Any]]:
        """One row an archive: how many ended how, and the share lost of those that could be asked."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for one in self.urls:
            counts[one.archive][one.outcome] += 1
        return [_of_archive(archive, counts[archive]) for archive in sorted(counts)]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"archives": self.archives(), "urls": [asdict(one) for one in self.urls]}

    def text(self) -> str:
        """The archives as a table, then each URL that does not give what it gave."""
        others = [one for one in self.urls if one.outcome != "same"]
        lines = [f"{one.outcome:<12} {console.one_line(f'{one.image_url} ({one.detail})')}" for one in others]
        return "\n".join([console.table(self.archives()), *lines])


def recheck(
    lake: Lake, n: int, seed: int = 42, options: FetchOptions | None = None,
    client: PoliteClient | None = None,
) -> LinkRot:
    """Ask n URLs of stored pictures again, of all archives alike; also writes `reports/link_rot.json`.

    The same seed takes the same URLs of the same lake. Raises EmptyLake where no picture was fetched yet.
    """
    options = options or FetchOptions()
    rows = catalog.rows(lake, _SAMPLE_SQL, [str(seed), n])
    if not rows:
        raise EmptyLake(f"no picture of {lake.root} is here yet; run `glamlake fetch`, and if it"
                        " brought none, see `glamlake status`")
    manners = dataclasses.replace(options.manners(), per_host=_PER_HOST, delay_s=_DELAY_S, attempts=3)
    with (
        JudgePool(options.court(), 1) as judges,
        PoliteClient(manners) if client is None else nullcontext(client) as http,
        ThreadPoolExecutor(options.workers, thread_name_prefix="recheck") as pool,
        progress(len(rows), "asking again", unit="URL") as done,
    ):
        found, asker = [], _Asker(http, options, judges)
        try:
            for one in pool.map(asker.ask, rows):
                found.append(one)
                done.update(1)
        finally:
            asker.stopped.set()      # nobody who wants to stop waits for those who wait
    rot = LinkRot(tuple(_without_placeholders(lake, found)))
    _write(lake, rot)
    counts = Counter(one.outcome for one in rot.urls)
    log.info("rechecked urls=%d%s", len(found), "".join(f" {name}={counts[name]}" for name in OUTCOMES))
    return rot


def _of_archive(archive: str, counts: Counter[str]) -> dict[str, Any]:
    answered = counts.total() - counts["unreachable"]
    lost = counts["gone"] + counts["placeholder"]
    share = round(lost / answered, 4) if answered else None
    return {"archive": archive, "asked": counts.total(), **{o: counts[o] for o in OUTCOMES}, "lost": share}


@dataclass(frozen=True)
class _Asker:
    """Asks one URL after the other, from several threads."""

    http: PoliteClient
    options: FetchOptions
    judges: JudgePool
    stopped: threading.Event = field(default_factory=threading.Event)
    resting: dict[str, float] = field(default_factory=dict)    # host → seconds it wants to be left alone

    def ask(self, row: dict[str, Any]) -> Rechecked:
        """What the row's URL gives today."""
        url = row["asked_url"] or row["image_url"]
        etag, since = row["etag"], row["last_modified"]
        headers = {"If-None-Match": etag} if etag else {"If-Modified-Since": since} if since else {}
        try:
            answer = self._answer(url, headers)
        except FetchError as e:
            outcome = "gone" if _is_gone(e) else "unreachable"
            return Rechecked(row["archive"], row["image_url"], outcome, str(e))
        outcome, detail, sha256 = _compare(row, answer, self.judges)
        return Rechecked(row["archive"], row["image_url"], outcome, detail, sha256)

    def _answer(self, url: str, headers: dict[str, str]) -> Answer:
        """After as many attempts as it takes; a host that wants a long rest is asked nothing more."""
        host, tries = url.partition("://")[2].partition("/")[0].lower(), 0
        while True:
            if self.stopped.is_set():
                raise FetchError("connection_error", "not asked: the run was stopped")
            if host in self.resting:
                rest = f"wants to be left alone for {self.resting[host]:.3g} s"
                raise FetchError("connection_error", f"not asked: its host {rest}")
            try:
                return self.http.get_once(url, headers, self.options.max_bytes, is_first=tries == 0)
            except FetchError as e:
                tries += 1
                wait_s = self.http.again_in_s(e, tries)
                if (e.retry_after_s or 0.0) > _LONGEST_WAIT_S:
                    self.resting[host] = e.retry_after_s or 0.0
                    raise
                if wait_s is None or self.stopped.wait(wait_s):
                    raise


def _is_gone(e: FetchError) -> bool:
    if e.status == "too_large":
        return False
    return e.http_status is not None and 400 <= e.http_status < 500 and e.http_status not in _NOBODY_KNOWS


def _compare(row: dict[str, Any], answer: Answer, judges: JudgePool) -> tuple[str, str, str | None]:
    if answer.status == 304:
        return "same", "not modified, says the service", None
    sha256 = hashlib.sha256(answer.content).hexdigest()
    if sha256 == row["source_sha256"]:
        return "same", "the same bytes", None
    judgement = judges.judge(answer.content)
    if judgement.status in ("blank", "too_small"):
        return "placeholder", judgement.error or judgement.status, sha256
    if judgement.status != "ok" or judgement.facts is None:
        return "gone", judgement.error or judgement.status, sha256
    if row["sha256"] == row["source_sha256"] and judgement.facts.pixel_hash == row["pixel_hash"]:
        return "changed", "the same pixels in other bytes", sha256
    return "changed", f"{judgement.facts.width} × {judgement.facts.height} pixels now", sha256


def _without_placeholders(lake: Lake, found: Sequence[Rechecked]) -> list[Rechecked]:
    """Changed pictures that are one for several URLs, or known as a placeholder, are placeholders."""
    times = Counter(one.source_sha256 for one in found if one.outcome == "changed")
    asked = [sha256 for sha256 in times if sha256]
    sql = "select source_sha256 from images where status = 'blank' and list_contains(?, source_sha256)"
    known = {row["source_sha256"] for row in catalog.rows(lake, sql, [asked])}
    return [
        dataclasses.replace(one, outcome="placeholder", detail="one picture for many URLs")
        if one.outcome == "changed" and (times[one.source_sha256] > 1 or one.source_sha256 in known) else one
        for one in found
    ]


def _write(lake: Lake, rot: LinkRot) -> None:
    with whole_file(lake.reports / "link_rot.json") as draft:
        draft.write_text(json.dumps(rot.as_dict(), indent=2, ensure_ascii=False), "utf-8")


_SAMPLE_SQL = """
    with

    shown as (
        select min(archive) as archive, image_url from records group by image_url
    ),

    drawn as (
        select
            shown.archive, images.image_url, images.asked_url, images.etag, images.last_modified,
            images.sha256, images.source_sha256, images.pixel_hash,
            row_number() over (
                partition by shown.archive order by md5($1::varchar || images.image_url), images.image_url
            ) as place,
        from images
        inner join shown using (image_url)
        where images.status = 'ok'
    )

    select * exclude (place) from drawn order by place, archive limit $2::bigint
"""
