"""From what is asked to one direction among a model's vectors: texts, pictures, and what to keep away from.

Cosines between words and pictures lie closer together than those between pictures, so that in a plain mean
the picture decides. Each part is therefore divided by the spread (standard deviation) of the collection's
cosines with it: then equal weights move a sample by as many standard deviations, and 0.5 means half.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lake.errors import UsageError

Vector = NDArray[np.float32]

NEGATIVE_WEIGHT = 0.5   # a text after --not pushes half as strongly as the others pull
_NOTHING = 1e-6         # shorter than this, parts cancel out


@dataclass(frozen=True)
class Parts:
    """What is asked as rows of length 1; empty tables where nothing of the kind is."""

    texts: Vector
    pictures: Vector
    negative: Vector


class Spread:
    """How much a collection's cosines with a direction vary, by the covariance of a draw of its vectors."""

    def __init__(self, vectors: Vector) -> None:
        self._covariance = np.cov(vectors, rowvar=False) if len(vectors) > 1 else np.eye(vectors.shape[1])

    def along(self, direction: Vector) -> float:
        """The standard deviation of the collection's cosines with a vector of length 1."""
        variance = float(direction @ self._covariance @ direction)
        return float(np.sqrt(max(variance, 0.0)))


def direction_of(parts: Parts, text_weight: float, spread: Callable[[], Spread]) -> Vector:
    """One vector of length 1 for all that is asked; `spread` is only called for where kinds are mixed.

    Raises UsageError where nothing is asked, or the parts cancel out.
    """
    texts, pictures = len(parts.texts) > 0, len(parts.pictures) > 0
    if not (texts or pictures):
        raise UsageError("nothing to search for; give a text, or a picture with --image")
    weighted: list[tuple[float, Vector]] = []
    if texts:
        weighted.append((text_weight if pictures else 1.0, mean_of(parts.texts)))
    if pictures:
        weighted.append((1 - text_weight if texts else 1.0, mean_of(parts.pictures)))
    if len(parts.negative):
        weighted.append((-NEGATIVE_WEIGHT, mean_of(parts.negative)))
    is_mixed = pictures and len(weighted) > 1
    scales = _scales([part for _, part in weighted], spread()) if is_mixed else [1.0] * len(weighted)
    total = sum(weight * scale * part for (weight, part), scale in zip(weighted, scales, strict=True))
    return unit(np.asarray(total))


def in_templates(texts: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Each text in each template: at its {}, or before it where it has none ("map": "Rome map")."""
    return [_filled(template, text) for text in texts for template in templates] or list(texts)


def mean_of(rows: Vector) -> Vector:
    """The mean direction of some vectors of length 1."""
    return unit(rows.mean(axis=0))


def unit(vector: NDArray[np.floating]) -> Vector:
    """The vector with length 1; raises UsageError where it has no direction."""
    length = float(np.linalg.norm(vector))
    if not length > _NOTHING:
        raise UsageError("what is asked for cancels out: its parts point in opposite ways; leave one out")
    scaled: Vector = (vector / length).astype(np.float32)
    return scaled


def _filled(template: str, text: str) -> str:
    return template.replace("{}", text) if "{}" in template else f"{text} {template.strip()}".strip()


def _scales(parts: Sequence[Vector], spread: Spread) -> list[float]:
    """One over each part's spread; where a collection has none, all count as they are."""
    along = [spread.along(part) for part in parts]
    return [1 / one for one in along] if min(along) > _NOTHING else [1.0] * len(parts)
