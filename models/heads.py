"""Linear heads on frozen vectors: one convex problem for each facet and kind, solved by L-BFGS.

Nothing is drawn at random: the same vectors and labels give the same head. How strongly weights are
kept small is chosen on a fifth of the training pictures, set aside by their names; the head is then
fitted to all of them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lake.errors import UsageError
from models.head_layout import Layout, label_probabilities, layout_of, targets
from models.label_truth import Facet, Way
from models.metrics import Matrix, measure

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)
CHOOSE_ON = 20_000      # more pictures than these choose no better penalty
SET_ASIDE = 5           # one of so many


@dataclass(frozen=True)
class Head:
    """A fitted head: `probabilities` of vectors for every label of its facet."""

    kind: str
    weight: Matrix               # units × dim
    bias: Matrix
    penalty: float
    labels: Sequence[str]
    ways: Sequence[Way]
    layout: Layout = field(repr=False)

    def probabilities(self, vectors: Matrix) -> NDArray[np.float64]:
        """How likely each label is (pictures × labels)."""
        return label_probabilities(self.layout, self.logits(vectors), len(self.labels))

    def logits(self, vectors: Matrix) -> NDArray[np.float64]:
        """The linear map alone (pictures × units)."""
        return (vectors @ self.weight.T + self.bias).astype(np.float64)


def fit(
    kind: str, vectors: Matrix, facet: Facet, sample_ids: Sequence[str], penalty: float | None = None,
) -> Head:
    """Fit a head to training pictures: rows of vectors, of the facet and of the ids go together.

    Raises UsageError where there is no picture to learn from, or but one label.
    """
    taught = require_lesson(facet)
    vectors, learned = vectors[taught], facet.learned[taught]
    empty = Head(
        kind, np.zeros((0, 0), np.float32), np.zeros(0, np.float32), 0.0, facet.labels, facet.ways,
        layout_of(kind, facet.labels, facet.ways),
    )
    if penalty is None:
        aside = set_aside([sample_ids[i] for i in taught])
        penalty = _best_penalty(empty, vectors, learned, facet.exact[taught], aside)
    return _solved(empty, vectors, learned, penalty)


def require_lesson(facet: Facet) -> NDArray[np.int64]:
    """The pictures that have a label of the facet; raises UsageError where they teach nothing."""
    counts = np.asarray(facet.learned.sum(axis=0)).ravel()
    if (n := int((counts > 0).sum())) < 2:
        there = f"only {facet.labels[int(counts.argmax())]!r}" if n else "none"
        raise UsageError(
            f"facet {facet.name!r} has {there} among the labels of training pictures that have a vector; "
            "a head needs two, so harvest more, or run `glamlake curate` and `glamlake embed` first"
        )
    return np.flatnonzero(np.diff(facet.learned.indptr))


def set_aside(sample_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Which pictures choose options and are not fitted to meanwhile: a fifth, by hashes of their names."""
    digests = [hashlib.sha256(f"set aside:{sample_id}".encode()).digest()[0] for sample_id in sample_ids]
    return np.array([digest % SET_ASIDE == 0 for digest in digests], dtype=bool)


def _best_penalty(head: Head, vectors: Matrix, learned: Any, exact: Any, aside: NDArray[np.bool_]) -> float:
    """The penalty whose head finds the most labels of the pictures set aside, by mAP."""
    rows = np.flatnonzero(~aside)[:CHOOSE_ON]
    judged = np.flatnonzero(aside)[:CHOOSE_ON]
    if not len(rows) or not exact[judged].nnz:
        return PENALTIES[-2]

    def quality(penalty: float) -> float:
        fitted = _solved(head, vectors[rows], learned[rows], penalty)
        found = measure(lambda part: fitted.probabilities(vectors[judged[part]]), {"all": exact[judged]})
        return float(found["all"].values["mAP"].mean())

    return max(PENALTIES, key=quality)


def _solved(head: Head, vectors: Matrix, learned: Any, penalty: float) -> Head:
    from models.head_solver import solve  # torch: seconds, and a head that is there predicts without

    weight, bias = solve(head.layout, vectors, targets(head.layout, learned), penalty)
    return replace(head, weight=weight, bias=bias, penalty=penalty)
