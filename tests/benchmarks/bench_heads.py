"""Heads that predict labels, trained and compared as `glamlake heads` does it, beside scikit-learn's.

    python -m tests.benchmarks.bench_heads [--quick]

Made vectors with a hierarchy of two levels, one to three labels a picture and a long tail; a prompt of each
label lies near its pictures, as CLIP's do.

(a) Every head, their ensemble and each of them with zero-shot: mAP and R-Precision on pictures none has seen,
    over all labels and over the third with the fewest training pictures, and the expected calibration error
    before and after.
(b) The multi-label head beside scikit-learn's logistic regression, one for each label, on the same vectors,
    with the same penalty and to the same optimum: quality and seconds, both on all cores.
"""

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from models.ensemble import calibrate, fit_annotator
from models.heads import fit
from models.label_truth import Facet, Way
from models.metrics import Matrix, measure
from tests.benchmarks._table import measured, show

CHILDREN = 5
PENALTY = 1e-3
STEPS = 1000          # of scikit-learn's solver at most; it ends earlier where it has arrived
NOISE, NEARNESS = 1.1, 0.6


def main() -> None:
    """Make pictures, fit, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the pictures: does it run at all")
    n = 800 if parser.parse_args().quick else 4_000
    world = World(np.random.default_rng(7))
    learning, judged, known = (world.pictures(size) for size in (n, n // 4, n // 4))
    compared(world, learning, judged, known)
    beside_scikit_learn(learning, judged)


class World:
    """Labels with their directions: a child lies near its parent."""

    def __init__(self, rng: np.random.Generator, parents: int = 20, dim: int = 128) -> None:
        self._rng = rng
        above = np.repeat(rng.normal(size=(parents, dim)), CHILDREN, axis=0)
        self._centres = above + 0.8 * rng.normal(size=above.shape)
        self.labels = [f"label {i:03d}" for i in range(len(above))]
        self.ways: list[Way] = [(f"parent {i // CHILDREN:02d}", label) for i, label in enumerate(self.labels)]
        shares = 1 / (1 + rng.permutation(len(above)))     # Zipf's: a few are common
        self._shares = shares / shares.sum()
        self.prompts = _unit(self._centres + NEARNESS * rng.normal(size=above.shape))

    def pictures(self, n: int) -> tuple[Matrix, Facet, list[str]]:
        """Vectors, labels and names of n pictures."""
        marked = np.zeros((n, len(self.labels)))
        for row in marked:
            row[self._rng.choice(len(row), self._rng.integers(1, 4), p=self._shares)] = 1
        middle = marked @ self._centres / marked.sum(axis=1, keepdims=True)
        vectors = _unit(middle + NOISE * self._rng.normal(size=middle.shape))
        facet = Facet(
            "topic", self.labels, self.ways, csr_array(marked), csr_array(marked), csr_array(marked.shape),
        )
        return vectors, facet, [f"{self._rng.integers(2**63):016x}" for _ in range(n)]


def compared(world: World, learning: Any, judged: Any, known: Any) -> None:
    """(a): every method, on pictures that neither a head nor a curve has seen."""
    vectors, facet, names = learning
    began = time.perf_counter()
    annotator = fit_annotator(facet, vectors, names, world.prompts)
    took = time.perf_counter() - began
    _, errors = calibrate(annotator, known[0], known[1], known[2], "val")
    counts = facet.learned.sum(axis=0)
    rare = np.argsort(counts, kind="stable")[:len(counts) // 3]
    rows: list[dict[str, Any]] = []
    quality: dict[str, dict[str, float]] = {}
    for method in annotator.methods:
        found = annotator.probabilities(method, judged[0])
        quality[method] = told(found, judged[1].exact)
        tail = told(found[:, rare], csr_array(judged[1].exact[:, rare]))
        error = errors[method]
        rows.append({
            "method": method, **quality[method], "tail mAP": tail["mAP"], "ECE": error.before,
            "calibrated": error.after,
        })
    show(f"{len(vectors)} pictures, {len(counts)} labels, all methods fitted in {took:.1f} s", rows)
    best = max(quality[method]["mAP"] for method in annotator.methods)
    chosen = quality[annotator.best]["mAP"]
    measured("heads", "mAP of the method chosen", chosen, peer=best, peer_name="best", ratio_at_least=0.98)
    before, after = (max(getattr(e, when) for e in errors.values()) for when in ("before", "after"))
    measured("heads", "worst calibration error, calibrated", after, peer=before, peer_name="before",
             ratio_at_most=1.0)


def beside_scikit_learn(learning: Any, judged: Any) -> None:
    """(b): the same convex problem for each label, ours at once and scikit-learn's one by one."""
    vectors, facet, names = learning
    began = time.perf_counter()
    head = fit("sigmoid", vectors, facet, names, PENALTY)
    ours_s = time.perf_counter() - began
    middle, spread = vectors.mean(axis=0), vectors.std()
    began = time.perf_counter()
    one = LogisticRegression(C=1 / (PENALTY * len(vectors)), max_iter=STEPS)
    theirs = OneVsRestClassifier(one, n_jobs=-1).fit((vectors - middle) / spread, facet.exact.toarray())
    theirs_s = time.perf_counter() - began
    ours = told(head.probabilities(judged[0]), judged[1].exact)
    peer = told(theirs.predict_proba((judged[0] - middle) / spread), judged[1].exact)
    show("multi-label head", [
        {"by": "glamlake", **ours, "s": ours_s}, {"by": "scikit-learn", **peer, "s": theirs_s},
    ])
    measured("heads", "mAP of the multi-label head", ours["mAP"], peer=peer["mAP"],
             peer_name="scikit-learn one-vs-rest", ratio_at_least=0.995)
    measured("heads", "seconds to fit the multi-label head", ours_s, peer=theirs_s,
             peer_name="scikit-learn one-vs-rest", ratio_at_most=1.0)


def told(found: NDArray[np.float64], exact: Any) -> dict[str, float]:
    """Mean over pictures that have a label."""
    values = measure(lambda part: found[part], {"all": exact})["all"].values
    return {name: float(values[name].mean()) for name in ("mAP", "R-Precision")}


def _unit(rows: NDArray[np.float64]) -> Matrix:
    found: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


if __name__ == "__main__":
    main()
