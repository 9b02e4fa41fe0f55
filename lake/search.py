"""From a question to ranked samples: texts, pictures and filters in, samples with their scores out.

The encoder is an argument: what makes query vectors lives in `models`, lake knows only what it must offer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lake import catalog
from lake.catalog import Connection
from lake.errors import UsageError
from lake.filters import facts_sql, matching
from lake.layout import Lake
from lake.vectors import Neighbour, VectorStore

Vector = NDArray[np.float32]

NEGATIVE_WEIGHT = 0.5   # a text after --not pulls half as strongly as the others push
FEW = 5_000             # a filter that leaves no more samples than this is answered on them alone


class QueryEncoder(Protocol):
    """What makes query vectors: rows of length 1."""

    @property
    def model_id(self) -> str: ...

    def encode_texts(self, texts: Sequence[str]) -> Vector: ...

    def encode_images(self, images: Sequence[Any]) -> Vector: ...


@dataclass(frozen=True)
class SearchRequest:
    """What is looked for: texts, pictures, what not, and a condition on the samples (see lake/filters.py).

    `images` are PIL images, `like` ids of samples. Texts are averaged, pictures are averaged, and where there
    are both they count `text_weight` to the rest.
    """

    texts: tuple[str, ...] = ()
    images: tuple[Any, ...] = ()
    like: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    where: str | None = None
    limit: int = 20
    offset: int = 0
    text_weight: float = 0.5


@dataclass(frozen=True)
class SearchResult:
    """A sample that was found; `score` is the cosine of its vector and the query's."""

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


def search(lake: Lake, request: SearchRequest, encoder: QueryEncoder) -> list[SearchResult]:
    """The samples that fit best, best first; samples asked for by `like` are not among them.

    Raises UsageError for a request that asks nothing, BadFilter for its `where`, EmptyLake without samples or
    vectors.
    """
    _require_sense(request)
    catalog.require_mart(lake, "samples", "curate")
    store = VectorStore(lake)
    query = query_vector(request, encoder, store)
    with catalog.connect(lake) as con:
        ranked = _ranked(con, request, store, encoder.model_id, query)
    return ranked[request.offset:request.offset + request.limit]


def query_vector(request: SearchRequest, encoder: QueryEncoder, store: VectorStore) -> Vector:
    """One vector of length 1 for everything a request asks for; raises UsageError where it asks nothing."""
    texts = [_mean(encoder.encode_texts(request.texts))] if request.texts else []
    pictures = [_mean(rows) for rows in _pictures(request, encoder, store)]
    if texts and pictures:
        wanted = request.text_weight * texts[0] + (1 - request.text_weight) * pictures[0]
    elif texts or pictures:
        wanted = (texts or pictures)[0]
    else:
        raise UsageError("nothing to search for; give a text, or a picture with --image")
    if request.negative:
        wanted = wanted - NEGATIVE_WEIGHT * _mean(encoder.encode_texts(request.negative))
    return _unit(wanted)


def _require_sense(request: SearchRequest) -> None:
    if request.limit < 1 or request.offset < 0 or not 0 <= request.text_weight <= 1:
        raise UsageError(
            f"limit {request.limit}, offset {request.offset}, text weight {request.text_weight}: "
            "the limit must be at least 1, the offset not negative, the weight between 0 and 1"
        )


def _pictures(request: SearchRequest, encoder: QueryEncoder, store: VectorStore) -> list[Vector]:
    """One table with the vectors of all pictures asked for; none where no picture is."""
    rows = [encoder.encode_images(request.images)] if request.images else []
    if request.like:
        held, vectors = store.vectors(encoder.model_id, request.like)
        if missing := sorted(set(request.like) - set(held)):
            raise UsageError(f"no vector of sample {', '.join(missing)}; give one that is in the lake")
        rows.append(vectors)
    return [np.concatenate(rows)] if rows else []


def _ranked(
    con: Connection, request: SearchRequest, store: VectorStore, model_id: str, query: Vector,
) -> list[SearchResult]:
    """The results up to the page asked for; takes ever more neighbours until enough pass the filter."""
    wanted = request.offset + request.limit
    if request.where is not None:
        chosen = matching(con, request.where, FEW + 1)   # also finds out whether the condition is one
        if len(chosen) <= FEW:
            near = store.nearest(model_id, query, wanted + len(request.like), among=chosen)
            return _described(con, near, None, request.like)
    width = 2 * wanted + len(request.like)
    while True:
        near = store.nearest(model_id, query, width)
        found = _described(con, near, request.where, request.like)
        if len(found) >= wanted or len(near) < width:
            return found
        width *= 4


def _described(
    con: Connection, near: Iterable[Neighbour], where: str | None, without: Sequence[str],
) -> list[SearchResult]:
    """Neighbours as results, best first; not those excluded, filtered out, or no samples any more."""
    scores = {n.sample_id: n.score for n in near if n.sample_id not in without}
    source = facts_sql(con, "list_contains(?::varchar[], sample_id)")
    sql = f"select * from ({source}) as samples where ({where or 'true'}\n)"
    facts = {row["sample_id"]: row for row in catalog.ask(con, sql, [list(scores)]).to_pylist()}
    best = sorted(facts, key=lambda sample_id: (-scores[sample_id], sample_id))
    return [_result(facts[sample_id], scores[sample_id]) for sample_id in best]


def _result(facts: dict[str, Any], score: float) -> SearchResult:
    return SearchResult(
        sample_id=facts["sample_id"], score=score, path=facts["path"], title=facts["title"],
        caption=facts["caption"], year=facts["year"], label=facts["label"], labels=facts["labels"] or [],
        archives=facts["archives"] or [], providers=facts["providers"] or [],
        countries=facts["countries"] or [], rights_class=facts["rights_class"],
        attribution=facts["attribution"], landing_urls=facts["landing_urls"] or [], split=facts["split"],
    )


def _mean(rows: Vector) -> Vector:
    return _unit(rows.mean(axis=0))


def _unit(vector: Vector) -> Vector:
    length = max(float(np.linalg.norm(vector)), 1e-12)
    unit: Vector = (vector / length).astype(np.float32)
    return unit
