"""In which order pictures are seen: each once an epoch, or those of rare labels more often."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def weights_of(labels: Sequence[Sequence[str]], balance: float) -> NDArray[np.float64] | None:
    """How likely each picture is drawn: its rarest label's rarity to the power of `balance`; None: all alike.

    A picture without labels counts as one of the commonest label.
    """
    counts = Counter(label for own in labels for label in set(own))
    if not balance or not counts:
        return None
    commonest = max(counts.values())
    rarest = [min((counts[label] for label in own), default=commonest) for own in labels]
    weights = np.array(rarest, dtype=np.float64) ** -balance
    drawn: NDArray[np.float64] = weights / weights.sum()
    return drawn


def batches(
    n: int, size: int, weights: NDArray[np.float64] | None, seed: tuple[int, int], multiple: int = 1,
) -> list[NDArray[np.int64]]:
    """An epoch's pictures in almost equal batches; each a multiple of the number of processes long.

    A batch holds two pictures or more: one alone has nothing to be told from.
    """
    dice = np.random.default_rng(list(seed))
    order = dice.permutation(n) if weights is None else dice.choice(n, size=n, p=weights)
    parts = np.array_split(order, max(1, min(math.ceil(n / size), n // max(2, multiple))))
    return [part[:len(part) - len(part) % multiple] for part in parts]
