"""Vectors: one sample's embedding under one model."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from checks.expectations import CRITICAL, WARNING, Finding, Nothing, Scene, Suite
from lake import Lake
from lake.catalog import ask
from lake.vectors import ModelInfo, VectorStore

_BATCH = 5_000
_TOLERANCE = 1e-3   # float32 rounding of a length is far below


def _not_yet(lake: Lake) -> str | None:
    found = lake.vectors.is_dir() and VectorStore(lake).models()
    return None if found else "no vectors yet; run `glamlake embed`"


def _pictures(scene: Scene) -> dict[str, str]:
    rows = ask(scene.con, "select sample_id, sha256 from samples order by sample_id").to_pylist()
    return {row["sample_id"]: row["sha256"] for row in rows}


@dataclass
class _Survey:
    """What one walk over all vectors finds: offenders, and by model how many there are and their spread."""

    not_of_length_1: list[str] = field(default_factory=list)
    of_other_dim: list[str] = field(default_factory=list)
    n_held: Counter[str] = field(default_factory=Counter)
    spread: dict[str, float] = field(default_factory=dict)

    def add(self, info: ModelInfo, ids: list[str], vectors: NDArray[np.float32]) -> None:
        """Look at some vectors of a model."""
        model = info.model_id
        self.not_of_length_1 += [f"{model} {ids[i]}: length {n:.4g}" for i, n in wrong_lengths(vectors)]
        if len(ids) and vectors.shape[1] != info.dim:
            self.of_other_dim.append(f"{model}: {vectors.shape[1]} numbers, not {info.dim}")
        self.n_held[model] += len(ids)
        whole = vectors[np.isfinite(vectors).all(axis=1)]
        if len(whole) > 1:
            self.spread[model] = max(self.spread.get(model, 0.0), float(np.ptp(whole, axis=0).max()))


def _survey(scene: Scene) -> _Survey:
    """The vectors of all models, a few thousand at a time, looked at once."""
    found: _Survey = scene.once("vectors", _walk)
    return found


def _walk(scene: Scene) -> _Survey:
    store, ids, found = VectorStore(scene.lake), list(_pictures(scene)), _Survey()
    for info in store.models():
        for start in range(0, len(ids), _BATCH):
            found.add(info, *store.vectors(info.model_id, ids[start:start + _BATCH]))
    return found


def _not_of_length_1(scene: Scene) -> Finding:
    return Finding.of(_survey(scene).not_of_length_1)


def _of_other_dim(scene: Scene) -> Finding:
    return Finding.of(list(dict.fromkeys(_survey(scene).of_other_dim)))


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
    store, held = VectorStore(scene.lake), _survey(scene).n_held
    surplus = {m.model_id: store.count(m.model_id) - held[m.model_id] for m in store.models()}
    return Finding(sum(surplus.values()), tuple(f"{model_id}: {n}" for model_id, n in surplus.items() if n))


def _all_alike(scene: Scene) -> Finding:
    """Models whose vectors are all the same: a collapsed or broken encoder."""
    spread = _survey(scene).spread
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
            "vectors have as many numbers as their model gives",
            "vectors of another model cannot be compared with those of this one", CRITICAL, _of_other_dim,
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
