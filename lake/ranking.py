"""The order of results: rankings fused, near-duplicates shown once, variety where it is wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

# Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): a place counts 1 / (60 + place).
_FUSION = 60
WEIGHTS = {"visual": 1.0, "title": 0.5, "text": 0.5}   # the catalogue together as much as the pictures


_BY_LOOKS = MappingProxyType({"visual": 1.0})    # one for all: of hits there are many


@dataclass(frozen=True, slots=True)
class Hit:
    """A sample that was found: where its row lies, and what each reason adds to its score."""

    sample_id: str
    row_id: int
    score: float
    cluster_id: str | None = None
    shares: Mapping[str, float] = field(default_factory=lambda: _BY_LOOKS)

    @property
    def likeness(self) -> str:
        """The same for all near-duplicates."""
        return self.sample_id if self.cluster_id is None else f"cluster {self.cluster_id}"


def in_order(hits: Sequence[Hit]) -> list[Hit]:
    """Best first; of equal ones, by sample_id."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.sample_id))


def fused(rankings: Mapping[str, Sequence[Hit]]) -> list[Hit]:
    """Reciprocal rank fusion; a score of 1 is the first place in every ranking."""
    best = sum(WEIGHTS[reason] for reason in rankings) / (_FUSION + 1)
    gained: dict[str, dict[str, float]] = {}
    known: dict[str, Hit] = {}
    for reason, hits in rankings.items():
        for place, hit in enumerate(hits, 1):
            known.setdefault(hit.sample_id, hit)
            gained.setdefault(hit.sample_id, {})[reason] = WEIGHTS[reason] / (_FUSION + place)
    return in_order([_with_gains(known[sample_id], gains, best) for sample_id, gains in gained.items()])


def _with_gains(hit: Hit, gains: Mapping[str, float], best: float) -> Hit:
    total = sum(gains.values())
    return replace(hit, score=total / best, shares={reason: gain / total for reason, gain in gains.items()})


def collapsed(hits: Sequence[Hit], seen: set[str], near_too: bool = True) -> list[Hit]:
    """Those not seen yet, the first of each group of near-duplicates or all; `seen` grows by them."""
    kept = []
    for hit in hits:
        name = hit.likeness if near_too else hit.sample_id
        if name not in seen:
            seen.add(name)
            kept.append(hit)
    return kept


def varied(hits: Sequence[Hit], vectors: NDArray[np.float32], diversity: float) -> list[Hit]:
    """Maximal marginal relevance (Carbonell, Goldstein 1998): each next one is good and unlike those before.

    `diversity` weighs unlikeness from 0 (the order given) to 1 (as unlike as can be, after the best).
    """
    if len(hits) < 2 or diversity == 0:
        return list(hits)
    worth = _from_0_to_1(np.array([hit.score for hit in hits], dtype=np.float64))
    likest = np.zeros(len(hits))
    left = np.ones(len(hits), dtype=bool)
    order: list[int] = []
    for _ in hits:
        gain = (1 - diversity) * worth - diversity * likest if order else worth
        chosen = int(np.argmax(np.where(left, gain, -np.inf)))   # of equal ones the first
        order.append(chosen)
        left[chosen] = False
        likest = np.maximum(likest, vectors @ vectors[chosen])
    return [hits[i] for i in order]


def _from_0_to_1(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.ones_like(values)
