"""All heads of a facet, fitted and compared: each alone, each with zero-shot beside it, and all together.

How much a head and zero-shot count, and zero-shot's temperature, are chosen on training pictures that were
set aside. An encoder that was itself trained on them flatters zero-shot there, so which method is best is
then asked of the val split, where there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import Platt, ece, fit_platt, written
from models.head_layout import KINDS
from models.heads import Head, fit, require_lesson, set_aside
from models.label_truth import Facet
from models.metrics import Matrix, measure

Floats = NDArray[np.float64]

ZERO_SHOT, ALL_HEADS = "zero_shot", "all_heads"
TEMPERATURES = (5.0, 10.0, 20.0, 50.0, 100.0)    # CLIP's own end at 100
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Annotator:
    """What predicts the labels of a facet: heads and prompts, and the methods made of them.

    A method is shares of members (heads, or zero-shot); `curves` calibrate each method's probabilities.
    """

    facet: str
    labels: Sequence[str]
    ways: Sequence[tuple[str, ...]]
    heads: Mapping[str, Head]
    prompts: Matrix                   # labels × dim
    temperature: float
    methods: Mapping[str, Mapping[str, float]]
    best: str
    curves: Mapping[str, Platt] = field(default_factory=dict)

    def probabilities(self, method: str, vectors: Matrix) -> Floats:
        """How likely each label is (pictures × labels), not yet calibrated."""
        return _mixed(self.methods[method], self.members(vectors))

    def members(self, vectors: Matrix) -> dict[str, Floats]:
        """The probabilities of each head and of zero-shot."""
        found = {kind: head.probabilities(vectors) for kind, head in self.heads.items()}
        cosines = (vectors @ self.prompts.T).astype(np.float64)
        return found | {ZERO_SHOT: _softmax(self.temperature * cosines)}

    def confidences(self, method: str, vectors: Matrix) -> Floats:
        """Calibrated: of what is given 0.8, about eight in ten are right."""
        return self.curves.get(method, Platt()).confidence(self.probabilities(method, vectors))


@dataclass(frozen=True)
class Calibrated:
    """Expected calibration error of a method before and after; `on` says which pictures it is from."""

    before: float
    after: float
    on: str


def fit_annotator(
    facet: Facet, vectors: Matrix, sample_ids: Sequence[str], prompts: Matrix, kinds: Sequence[str] = KINDS,
) -> Annotator:
    """Fit every head to training pictures and choose how each goes with zero-shot.

    Raises UsageError where there is no picture to learn from, or but one label.
    """
    taught = require_lesson(facet)
    ids = [sample_ids[i] for i in taught]
    vectors, facet = vectors[taught], facet.of(taught)
    heads = {kind: fit(kind, vectors, facet, ids) for kind in kinds}
    aside = set_aside(ids)
    trial = _trial(facet, vectors, ids, aside, heads)
    judged = np.flatnonzero(aside)
    temperature = _best_temperature((vectors[judged] @ prompts.T).astype(np.float64), facet.exact[judged])
    draft = Annotator(
        facet.name, facet.labels, facet.ways, trial, prompts, temperature, _alone(kinds), ZERO_SHOT,
    )
    methods, best = _best_methods(draft.members(vectors[judged]), facet.exact[judged], facet.unsure[judged])
    return Annotator(facet.name, facet.labels, facet.ways, heads, prompts, temperature, methods, best)


def calibrate(
    annotator: Annotator, vectors: Matrix, facet: Facet, sample_ids: Sequence[str], on: str,
) -> tuple[dict[str, Platt], dict[str, Calibrated]]:
    """A curve for each method, and what it does: fitted to one half of the pictures, judged on the other."""
    half = np.array([hash_bit(sample_id) for sample_id in sample_ids], dtype=bool)
    members = annotator.members(vectors)
    curves, errors = {}, {}
    for method, shares in annotator.methods.items():
        found = _mixed(shares, members)
        parts = [
            written(found[rows], facet.exact[rows], facet.unsure[rows])
            for rows in (np.flatnonzero(half), np.flatnonzero(~half))
        ]
        values, right = (np.concatenate(column) for column in zip(*parts, strict=True))
        after = np.concatenate([
            fit_platt(*parts[other]).confidence(parts[own][0]) for own, other in ((0, 1), (1, 0))
        ])
        curves[method] = fit_platt(values, right)
        errors[method] = Calibrated(ece(values, right), ece(after, right), on)
    return curves, errors


def best_method(annotator: Annotator, vectors: Matrix, facet: Facet) -> str:
    """The method that finds most of the labels of these pictures, by mAP."""
    members = annotator.members(vectors)
    return max(annotator.methods, key=lambda name: _quality(
        _mixed(annotator.methods[name], members), facet.exact, facet.unsure,
    ))


def hash_bit(sample_id: str) -> bool:
    """One of two halves, by the name alone."""
    return sum(sample_id.encode()) % 2 == 0


def _trial(
    facet: Facet, vectors: Matrix, ids: Sequence[str], aside: NDArray[np.bool_], heads: Mapping[str, Head],
) -> Mapping[str, Head]:
    """The heads as fitted without the pictures set aside; the whole ones where too little would be left."""
    rows = np.flatnonzero(~aside)
    if not len(rows) or len(rows) == len(aside) or (facet.learned[rows].sum(axis=0) > 0).sum() < 2:
        return heads
    part, kept = facet.of(rows), [ids[i] for i in rows.tolist()]
    return {kind: fit(kind, vectors[rows], part, kept, head.penalty) for kind, head in heads.items()}


def _alone(kinds: Sequence[str]) -> dict[str, dict[str, float]]:
    return {ZERO_SHOT: {ZERO_SHOT: 1.0}} | {kind: {kind: 1.0} for kind in kinds}


def _best_methods(
    members: Mapping[str, Floats], exact: Any, unsure: Any,
) -> tuple[dict[str, dict[str, float]], str]:
    """Each member alone, all heads together, and each of these with the best share of zero-shot."""
    kinds = [name for name in members if name != ZERO_SHOT]
    methods = _alone(kinds)
    if len(kinds) > 1:
        methods[ALL_HEADS] = {kind: 1 / len(kinds) for kind in kinds}

    def quality(shares: Mapping[str, float]) -> float:
        return _quality(_mixed(shares, members), exact, unsure)

    for name in [name for name in methods if name != ZERO_SHOT]:
        mixes = [
            {kind: share * own for kind, own in methods[name].items()} | {ZERO_SHOT: 1 - share}
            for share in SHARES
        ]
        methods[f"{name}+{ZERO_SHOT}"] = max(mixes, key=quality)
    return methods, max(methods, key=lambda name: quality(methods[name]))


def _quality(found: Floats, exact: Any, unsure: Any) -> float:
    values = measure(lambda part: found[part], {"all": exact}, ignored=unsure)["all"].values["mAP"]
    return float(values.mean()) if len(values) else 0.0


def _mixed(shares: Mapping[str, float], members: Mapping[str, Floats]) -> Floats:
    """One member as it is; several as shares of one choice each."""
    if len(shares) == 1:
        return members[next(iter(shares))]
    parts = [share * _to_one(members[name]) for name, share in shares.items()]
    total: Floats = np.sum(parts, axis=0)
    return total


def _best_temperature(cosines: Floats, exact: Any) -> float:
    """The temperature under which the true labels are likeliest."""
    if not exact.nnz:
        return TEMPERATURES[-1]
    rows, columns = exact.nonzero()

    def likelihood(temperature: float) -> float:
        return float(np.log(np.maximum(_softmax(temperature * cosines)[rows, columns], 1e-30)).mean())

    return max(TEMPERATURES, key=likelihood)


def _softmax(values: Floats) -> Floats:
    shifted = np.exp((values - values.max(axis=1, keepdims=True)).astype(np.float64))
    found: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def _to_one(values: Floats) -> Floats:
    found: Floats = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    return found
