"""Vectors: one sample's embedding under one model."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from checks.expectations import CRITICAL, WARNING, Finding, Nothing, Scene, Suite
from lake import Lake
from lake.catalog import ask
from lake.vectors import VectorStore

_BATCH = 5_000
_TOLERANCE = 1e-3   # float32 rounding of a length is far below


def _not_yet(lake: Lake) -> str | None:
    found = lake.vectors.is_dir() and VectorStore(lake).models()
    return None if found else "no vectors yet; run `glamlake embed`"


def _pictures(scene: Scene) -> dict[str, str]:
    rows = ask(scene.con, "select sample_id, sha256 from samples order by sample_id").to_pylist()
    return {row["sample_id"]: row["sha256"] for row in rows}


def _batches(scene: Scene) -> Iterator[tuple[str, list[str], NDArray[np.float32]]]:
    """Model, samples and their vectors, a few thousand at a time."""
    store, ids = VectorStore(scene.lake), list(_pictures(scene))
    for info in store.models():
        for start in range(0, len(ids), _BATCH):
            yield info.model_id, *store.vectors(info.model_id, ids[start:start + _BATCH])


def _not_of_length_1(scene: Scene) -> Finding:
    bad: list[str] = []
    for model_id, ids, vectors in _batches(scene):
        bad += [f"{model_id} {ids[i]}: length {length:.4g}" for i, length in wrong_lengths(vectors)]
    return Finding.of(bad)


def wrong_lengths(vectors: NDArray[np.float32]) -> list[tuple[int, float]]:
    """Place and length of the rows whose length is not 1; a NaN makes the length one."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    is_wrong = ~(np.abs(lengths - 1) <= _TOLERANCE)   # a NaN is not within anything
    return [(int(i), float(lengths[i])) for i in np.flatnonzero(is_wrong)]


def _samples_without(scene: Scene) -> Finding:
    store, pictures = VectorStore(scene.lake), _pictures(scene)
    models = store.models()[:1]
    return Finding.of([f"{m.model_id} {i}" for m in models for i in store.missing(m.model_id, pictures)])


def _of_no_sample(scene: Scene) -> Finding:
    """Vectors beyond those of the samples there are."""
    held: dict[str, int] = {}
    for model_id, ids, _ in _batches(scene):
        held[model_id] = held.get(model_id, 0) + len(ids)
    store = VectorStore(scene.lake)
    surplus = {m.model_id: store.count(m.model_id) - held.get(m.model_id, 0) for m in store.models()}
    return Finding(sum(surplus.values()), tuple(f"{model_id}: {n}" for model_id, n in surplus.items() if n))


def _all_alike(scene: Scene) -> Finding:
    """Models whose vectors are all the same: a collapsed or broken encoder."""
    spread: dict[str, float] = {}
    for model_id, ids, vectors in _batches(scene):
        if len(ids) > 1:
            spread[model_id] = max(spread.get(model_id, 0.0), float(np.ptp(vectors, axis=0).max()))
    return Finding.of([f"{model_id}: spread {s:.2g}" for model_id, s in spread.items() if s < _TOLERANCE])


SUITE = Suite(
    table="vectors",
    view="",
    not_yet=_not_yet,
    expectations=(
        Nothing(
            "every vector has length 1",
            "search takes the dot product for the cosine; zeros and NaN are no direction",
            CRITICAL, _not_of_length_1,
        ),
        Nothing(
            "vectors differ from each other",
            "an encoder that sees the same in every picture is broken",
            CRITICAL,
            _all_alike,
        ),
        Nothing(
            "every vector is of a sample there is", "samples that are gone would still be found", WARNING,
            _of_no_sample,
        ),
        Nothing(
            "every sample has a vector of the newest model",
            "the others cannot be found; run `glamlake embed`",
            WARNING, _samples_without,
        ),
    ),
)
