"""From a question to ranked samples: texts, pictures and filters in, samples with their scores out.

The encoder is an argument: what makes query vectors lives in `models`, lake knows only what it must offer.
"""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lake.conditions import Where
from lake.directions import Parts, Vector, direction_of, in_templates
from lake.errors import EmptyLake, UsageError
from lake.freshness import Compared, keep_fresh, state_of
from lake.layout import Lake
from lake.ranking import Hit
from lake.snapshot import Snapshot
from lake.vectors import VectorStore
from lake.windows import Question, ranked

LARGE = 20_000    # rows: in a table of fewer, new vectors are found by the very next search
EVERY_S = 30.0
LOOK_EVERY_S = 0.25


class QueryEncoder(Protocol):
    """What makes query vectors: rows of length 1."""

    @property
    def model_id(self) -> str: ...

    def encode_texts(self, texts: Sequence[str]) -> Vector: ...

    def encode_images(self, images: Sequence[Any]) -> Vector: ...


@dataclass(frozen=True)
class SearchRequest:
    """What is looked for: texts, pictures, what not, and among which samples.

    `where` is a condition as people type it (lake/filters.py) or plain tests (lake/conditions.py). `images`
    are PIL images, `like` ids of samples. Texts are averaged, pictures are averaged, and where there are both
    they count `text_weight` to the rest.
    """

    texts: tuple[str, ...] = ()
    images: tuple[Any, ...] = ()
    like: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    where: Where | None = None
    limit: int = 20
    offset: int = 0
    text_weight: float = 0.5
    exact: bool = False
    hybrid: bool = False
    collapse: bool = True
    diversity: float = 0.0
    templates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reason:
    """Why a sample was found: `kind` is 'visual', 'text' or 'title'; the shares of one sample sum to 1."""

    kind: str
    share: float


@dataclass(frozen=True)
class SearchResult:
    """A sample that was found; `score` is the cosine of its vector and the query's.

    In a hybrid search the score says how near to the first place everywhere the sample is, 1 at most.
    `n_near` is how many near-duplicates of it there are that are not shown.
    """

    sample_id: str
    score: float
    path: str
    title: str | None
    caption: str | None
    year: int | None
    label: str | None
    labels: list[str]
    archives: list[str]
    providers: list[str]
    countries: list[str]
    rights_class: str | None
    attribution: str | None
    landing_urls: list[str]
    split: str | None
    n_near: int = 0
    reasons: tuple[Reason, ...] = ()


class Searcher:
    """Searches one lake again and again: what is open stays open, and what is new is noticed. Thread-safe."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._store = VectorStore(lake)
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def search(self, request: SearchRequest, encoder: QueryEncoder) -> list[SearchResult]:
        """See `search`."""
        snapshot = self.snapshot(encoder.model_id)
        page = hits(snapshot, request, encoder)
        told = zip(page, snapshot.facts(page), strict=True)
        return [_result(hit, facts, request.collapse) for hit, facts in told]

    def snapshot(self, model_id: str) -> Snapshot:
        """The lake as it is now; where vectors are being added to a large table, as it was a moment ago.

        The first one, and one of a lake that has changed, may take minutes.
        """
        seen = self._seen.get(model_id)
        if seen is not None and seen.was_just_looked_at:
            return seen.snapshot
        with self._lock:
            seen, now = self._seen.get(model_id), state_of(self.lake, self._store, model_id)
            if seen is None or (seen.state != now and (seen.state.marts != now.marts or seen.is_due)):
                state = keep_fresh(self.lake, model_id, self._store)
                snapshot = Snapshot(self.lake, self._store, model_id, state.table)
                if not snapshot.n_rows:
                    raise EmptyLake(f"there is no vector of {model_id} yet; run `glamlake embed`")
                seen = self._seen[model_id] = _Seen(state, snapshot, time.monotonic())
            seen.looked_at_s = time.monotonic()
            return seen.snapshot


@dataclass
class _Seen:
    """A snapshot, of what, since when, and when it was last compared with what there is."""

    state: Compared
    snapshot: Snapshot
    since_s: float
    looked_at_s: float = -math.inf

    @property
    def was_just_looked_at(self) -> bool:
        """Whether to spare the look: files are asked for, and with many searches at once that takes long."""
        return self.snapshot.n_rows >= LARGE and time.monotonic() - self.looked_at_s < LOOK_EVERY_S

    @property
    def is_due(self) -> bool:
        """Whether new vectors are to be looked at: at once in a small table, now and then in a large one."""
        return self.snapshot.n_rows < LARGE or time.monotonic() - self.since_s > EVERY_S


def search(lake: Lake, request: SearchRequest, encoder: QueryEncoder) -> list[SearchResult]:
    """The samples that fit best, best first; samples asked for by `like` are not among them.

    Raises UsageError for a request that asks nothing, BadFilter for its `where`, EmptyLake without samples or
    vectors. Who searches more than once keeps a `Searcher`.
    """
    return Searcher(lake).search(request, encoder)


def hits(snapshot: Snapshot, request: SearchRequest, encoder: QueryEncoder) -> list[Hit]:
    """What `search` finds, for who knows by itself what is told of a sample."""
    _require_sense(request)
    question = Question(
        vector=direction_of(_parts(request, encoder, snapshot), request.text_weight, snapshot.spread),
        words=" ".join(request.texts) if request.hybrid else "", choice=snapshot.choice(request.where),
        where=request.where, without=frozenset(request.like), exact=request.exact,
        collapse=request.collapse, diversity=request.diversity,
    )
    return ranked(snapshot, question, request.offset + request.limit)[request.offset:][:request.limit]


def _require_sense(request: SearchRequest) -> None:
    if request.limit < 1 or request.offset < 0 or not 0 <= request.text_weight <= 1:
        raise UsageError(
            f"limit {request.limit}, offset {request.offset}, text weight {request.text_weight}: "
            "the limit must be at least 1, the offset not negative, the weight between 0 and 1"
        )
    if not 0 <= request.diversity <= 1:
        raise UsageError(f"diversity {request.diversity}: it must be between 0 and 1")


def _parts(request: SearchRequest, encoder: QueryEncoder, snapshot: Snapshot) -> Parts:
    """All that is asked, as vectors."""
    nothing = np.zeros((0, snapshot.dim), dtype=np.float32)
    texts = in_templates(request.texts, request.templates)
    negative = in_templates(request.negative, request.templates)
    pictures = [encoder.encode_images(request.images)] if request.images else [nothing]
    pictures += [_vectors_of(request.like, snapshot)] if request.like else []
    return Parts(
        texts=encoder.encode_texts(texts) if texts else nothing, pictures=np.concatenate(pictures),
        negative=encoder.encode_texts(negative) if negative else nothing,
    )


def _vectors_of(sample_ids: Sequence[str], snapshot: Snapshot) -> Vector:
    held = snapshot.vectors_of(sample_ids)
    if missing := sorted(set(sample_ids) - set(held)):
        raise UsageError(
            f"no vector of sample {', '.join(missing)}; give one that is in the lake, "
            "and run `glamlake embed` where it is new"
        )
    return np.stack([held[sample_id] for sample_id in sample_ids])


def _result(hit: Hit, facts: dict[str, Any], collapse: bool) -> SearchResult:
    return SearchResult(
        sample_id=hit.sample_id, score=hit.score, path=facts["path"], title=facts["title"],
        caption=facts["caption"], year=facts["year"], label=facts["label"], labels=facts["labels"] or [],
        archives=facts["archives"] or [], providers=facts["providers"] or [],
        countries=facts["countries"] or [], rights_class=facts["rights_class"],
        attribution=facts["attribution"], landing_urls=facts["landing_urls"] or [], split=facts["split"],
        n_near=facts["n_near" if collapse else "n_copies"],
        reasons=reasons_of(hit),
    )


def reasons_of(hit: Hit) -> tuple[Reason, ...]:
    """What spoke for it."""
    return tuple(Reason(kind, share) for kind, share in hit.shares.items())
