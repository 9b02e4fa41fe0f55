"""Prediction of labels, measured: overall, by tier, by level of the hierarchy, with credit for parents."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from lake.tables import TIERS
from models.intervals import Resampling, by_slice, summary
from models.label_truth import Facet
from models.metrics import Measured, Scorer, chance, measure

Slices = Mapping[str, Mapping[str, NDArray[np.bool_]]]


def image_to_label(
    facet: Facet, scorers: Mapping[str, Scorer], tiers: Mapping[str, str], slices: Slices, how: Resampling,
) -> dict[str, Any]:
    """For each method, and chance: how well it finds the labels of these pictures.

    `tier` leaves the labels of other tiers out on both sides; `level` asks for what stands at that
    level of the hierarchy, which scores as its best label does; `credit` counts a true label's parent
    as partly right.
    """
    right, ignored = _notions(facet, tiers)
    levels = range(1, facet.n_levels + 1) if facet.n_levels > 1 else ()
    found = {}
    for name, score in [*scorers.items(), ("chance", None)]:
        parts = _measured(score, right, ignored)
        whole = parts.pop("all")
        found[name] = summary(whole, how) | {
            "tier": {tier: summary(part, how) for tier, part in parts.items()},
            "level": {str(level): summary(_at_level(facet, score, level), how) for level in levels},
            "credit": summary(_credited(facet, score), how),
            "slices": by_slice(whole, slices, how),
        }
    return found


def label_to_image(
    facet: Facet, scorers: Mapping[str, Scorer], tiers: Mapping[str, str], how: Resampling,
) -> dict[str, Any]:
    """For each method, and chance: how well a label finds the pictures that carry it."""
    right, ignored = csr_array(facet.exact.T), csr_array(facet.unsure.T)
    of_tier = {"tier": {tier: np.array([tiers.get(x) == tier for x in facet.labels]) for tier in TIERS}}
    found = {}
    for name, score in [*scorers.items(), ("chance", None)]:
        whole = _measured(score, {"all": right}, {"all": ignored})["all"]
        found[name] = summary(whole, how) | by_slice(whole, of_tier, how)
    return found


def _notions(facet: Facet, tiers: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is right and what is ignored, over all labels and in each tier."""
    right, ignored = {"all": facet.exact}, {"all": facet.unsure}
    for tier in TIERS:
        own = np.array([tiers.get(label) == tier for label in facet.labels], dtype=float)
        right[tier] = _nonzero(facet.exact @ diags_array(own))
        ignored[tier] = _nonzero(facet.unsure + facet.exact @ diags_array(1 - own))
    kept = {name: matrix for name, matrix in right.items() if matrix.nnz or name == "all"}
    return kept, {name: ignored[name] for name in kept}


def _measured(
    score: Scorer | None, right: Mapping[str, Any], ignored: Mapping[str, Any],
) -> dict[str, Measured]:
    if score is not None:
        return measure(score, right, ignored=ignored)
    return {name: chance(matrix, ignored=ignored[name]) for name, matrix in right.items()}


def _at_level(facet: Facet, score: Scorer | None, level: int) -> Measured:
    _, members = facet.level(level)
    right = _nonzero(facet.exact @ members)
    unsure = _without(facet.unsure @ members, right)
    below = [np.flatnonzero(column) for column in members.toarray().T]

    def best_below(part: slice) -> NDArray[Any]:
        scores = score(part) if score is not None else np.zeros((1, 1))
        return np.stack([scores[:, labels].max(axis=1) for labels in below], axis=1)

    return _measured(best_below if score else None, {"all": right}, {"all": unsure})["all"]


def _credited(facet: Facet, score: Scorer | None) -> Measured:
    credit = facet.credit()
    unsure = _without(facet.unsure, credit)
    if score is None:
        return chance(credit, graded=True, ignored=unsure)
    return measure(score, {"all": credit}, graded=True, ignored=unsure)["all"]


def _without(matrix: Any, other: Any) -> Any:
    """The matrix's entries that the other one lacks."""
    marked = csr_array(matrix) > 0
    return _nonzero(csr_array(marked, dtype=float) - csr_array(marked, dtype=float).multiply(other > 0))


def _nonzero(matrix: Any) -> Any:
    """Ones where a matrix is positive."""
    found = csr_array(csr_array(matrix) > 0, dtype=np.float64)
    found.sort_indices()
    return found
