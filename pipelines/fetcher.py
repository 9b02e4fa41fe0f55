"""One image URL → a row of RAW_IMAGES: asked, judged, kept; or when to ask again."""

import dataclasses
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lake import Lake, image_store
from lake.errors import FetchError
from pipelines import iiif
from pipelines.fetch_options import FetchOptions
from pipelines.file_types import begins_like_a_picture
from pipelines.http_client import Answer, PoliteClient
from pipelines.judgement import EXTENSIONS, Judgement
from pipelines.judges import JudgePool
from pipelines.rota import Asked

Row = dict[str, Any]

UNCHANGED = "unchanged"      # a row that repeats the facts of the one before it
KEPT = ("ok", "blank")       # a blank's bytes stay, so that people may see why it was called one
_LONGEST_VALIDATOR = 500
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Again:
    """Asked in vain, but it may come right: ask once more after a while; the whole host may want a rest."""

    one: Asked
    wait_s: float
    is_whole_host: bool


@dataclass(frozen=True)
class Received:
    """What came, from which address (None: the one in the record), and the whole picture's size if known."""

    answer: Answer
    asked_url: str | None = None
    whole: tuple[int, int] | None = None


@dataclass(frozen=True)
class Fetcher:
    """Everything one worker needs to turn a URL into a row of RAW_IMAGES."""

    lake: Lake
    options: FetchOptions
    http: PoliteClient
    judges: JudgePool

    def row(self, one: Asked) -> Row | Again | None:
        """Ask, judge, keep; None where what is here stays because nothing better came.

        Raises LakeError only.
        """
        began = time.monotonic()
        try:
            row = self._row(one)
        except FetchError as e:
            spent_s = one.spent_s + time.monotonic() - began
            tried = dataclasses.replace(one, tries=one.tries + 1, spent_s=spent_s)
            wait_s = self.http.again_in_s(e, tried.tries) if spent_s < self.options.timeout_s else None
            if wait_s is not None:
                return Again(tried, wait_s, e.retry_after_s is not None)
            if one.is_kept:
                return None
            row = {"status": e.status, "http_status": e.http_status, "error": str(e)}
        if one.is_here and row["status"] not in (UNCHANGED, "ok"):
            return None
        return {"image_url": one.url, "fetched_at": _now(one), **row}

    def _row(self, one: Asked) -> Row:
        began = time.monotonic()
        received = self._sized(one) or self._served(one)
        answer = received.answer
        if answer.status == 304 or (one.is_here and _sha256(answer.content) == one.source_sha256):
            return {"status": UNCHANGED, "http_status": answer.status, **_validators(answer)}
        if received.asked_url and received.whole is None:
            received = dataclasses.replace(received, whole=self._whole(one))
        row = self._judged(received, one.spent_s + time.monotonic() - began)
        is_large = min(received.whole or (0,)) >= self.options.min_side
        if row["status"] != "too_small" or not is_large or one.is_here:
            return row
        # it is so only in the size that we asked for
        return self._judged(self._served(one), one.spent_s + time.monotonic() - began)

    def _served(self, one: Asked) -> Received:
        """The picture at its address, or at the one that it came from the last time."""
        return Received(self._get(one, one.asked_url or one.url, _conditions(one)), one.asked_url)

    def _sized(self, one: Asked) -> Received | None:
        """The picture in the size wanted from its IIIF service; None where that cannot be had."""
        max_side = self.options.max_side
        if one.iiif_service is None or max_side is None or self.options.larger_than or one.is_here:
            return None
        try:
            service = self._service(one)
            if service is None:
                return None
            url = _base(one) + iiif.sized_path(service, max_side)
            received = Received(self._get(one, url, {}), url, (service.width, service.height))
        except FetchError:       # the picture's own address may still answer, and says why if it does not
            return None
        return received if begins_like_a_picture(received.answer.content) else None

    def _whole(self, one: Asked) -> tuple[int, int] | None:
        """How large the picture is now of which a smaller one came."""
        try:
            service = self._service(one)
        except FetchError:
            return None
        return (service.width, service.height) if service else None

    def _service(self, one: Asked) -> iiif.ImageService | None:
        if one.iiif_service is None:
            return None
        return iiif.read_info(self._get(one, f"{_base(one)}/info.json", {}, iiif.LARGEST_INFO).content)

    def _get(self, one: Asked, url: str, headers: dict[str, str], max_bytes: int | None = None) -> Answer:
        left_s = max(self.options.timeout_s - one.spent_s, self.options.timeout_s / 3)
        most = max_bytes or self.options.max_bytes
        return self.http.get_once(url, headers, most, left_s, is_first=one.tries == 0)

    def _judged(self, received: Received, spent_s: float) -> Row:
        answer = received.answer
        judgement = self.judges.judge(answer.content, spent_s)
        source_sha256 = _sha256(answer.content)
        width, height = received.whole or judgement.served_size or (None, None)
        served = {
            "status": judgement.status, "error": judgement.error, "http_status": answer.status,
            "content_type": answer.content_type or None, "bytes": len(answer.content),
            "source_sha256": source_sha256, "source_bytes": len(answer.content),
            "source_width": width, "source_height": height, "asked_url": received.asked_url,
        }
        facts = vars(judgement.facts) if judgement.facts else {}
        return served | _validators(answer) | facts | self._kept(answer.content, source_sha256, judgement)

    def _kept(self, content: bytes, source_sha256: str, judgement: Judgement) -> Row:
        if judgement.status not in KEPT or judgement.facts is None:
            return {}
        keep = judgement.derivative or content
        known = None if judgement.derivative else source_sha256
        stored = image_store.put(self.lake, keep, EXTENSIONS[judgement.facts.format], known)
        return {"sha256": stored.sha256, "path": stored.path, "bytes": len(keep)}


def _now(one: Asked) -> datetime:
    """The time, and later than the row before whatever became of the clock: the newest row counts."""
    now = datetime.now(UTC)
    if one.answered_at is None:
        return now
    return max(now, one.answered_at.replace(tzinfo=UTC) + _MOMENT)


def _base(one: Asked) -> str:
    return (one.iiif_service or "").removesuffix("/info.json").rstrip("/")


def _conditions(one: Asked) -> dict[str, str]:
    if not one.is_here:
        return {}
    if one.etag:
        return {"If-None-Match": one.etag}
    return {"If-Modified-Since": one.last_modified} if one.last_modified else {}


def _validators(answer: Answer) -> Row:
    """What the service wants to be told when it is asked again; nothing that no header could carry."""
    found = {name: answer.headers.get(name.replace("_", "-")) for name in ("etag", "last_modified")}
    return {name: text for name, text in found.items() if text and _is_plain(text)}


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= _LONGEST_VALIDATOR


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
