"""Confidences that mean what they say: of labels given with 0.8, eight in ten should be right.

A head's probability is put through Platt's logistic curve, fitted to pictures the head did not learn
from. It is fitted and judged on what would be written down: each picture's first few labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WRITTEN = 5     # labels of a picture that a cataloguer is shown at most
BINS = 15


@dataclass(frozen=True)
class Platt:
    """Confidence = 1 / (1 + exp(-(slope · logit(probability) + shift))); 1 and 0 change nothing."""

    slope: float = 1.0
    shift: float = 0.0

    def confidence(self, probabilities: Floats) -> Floats:
        """Calibrated confidences, in the order of the probabilities (the slope is never negative)."""
        return _sigmoid(self.slope * _logit(probabilities) + self.shift)


def fit_platt(probabilities: Floats, right: NDArray[np.bool_]) -> Platt:
    """The curve of the greatest likelihood; with Platt's softened targets, so that no curve is a cliff."""
    if not len(right):
        return Platt()
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    goal = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    inputs = np.stack([_logit(probabilities), np.ones(len(right))], axis=1)
    curve = np.array([1.0, 0.0])
    for _ in range(100):
        found = _sigmoid(inputs @ curve)
        slope = inputs.T @ (found - goal) + 1e-6 * curve
        bend = (inputs * (found * (1 - found))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        curve = curve - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    if curve[0] < 0:     # worse than knowing nothing: every label gets the share of right ones
        return Platt(0.0, float(_logit(np.array([goal.mean()]))[0]))
    return Platt(float(curve[0]), float(curve[1]))


def ece(confidences: Floats, right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error: how far confidence and the share of right ones lie apart, over bins."""
    if not len(right):
        return float("nan")
    which = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = np.bincount(which, weights=confidences - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))


def written(probabilities: Floats, exact: Any, unsure: Any) -> tuple[Floats, NDArray[np.bool_]]:
    """Each picture's first labels by probability, and whether they are right; unsure ones are left out.

    Pictures without a true label say nothing of what is wrong, so they are left out too.
    """
    known = np.diff(exact.indptr) > 0
    probabilities, exact, unsure = probabilities[known], exact[known], unsure[known]
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :WRITTEN]
    right, skipped = (np.take_along_axis(m.toarray() > 0, best, axis=1) for m in (exact, unsure))
    return np.take_along_axis(probabilities, best, axis=1)[~skipped], right[~skipped]


def _logit(probabilities: Floats) -> Floats:
    inside = np.clip(probabilities, 1e-9, 1 - 1e-9)
    found: Floats = np.log(inside) - np.log1p(-inside)
    return found


def _sigmoid(values: Floats) -> Floats:
    found: Floats = np.exp(-np.logaddexp(0, -values))
    return found
