"""What stands beside every prediction of labels: zero-shot with prompts, nearest neighbours, counting."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lake.errors import EncoderError, UsageError
from models.metrics import DECIMALS, Matrix, blocks

TEMPLATES = ("{}", "a photograph of {}", "an old photograph showing {}", "a picture of {} in an archive")
NEIGHBOURS = 10


class TextEncoder(Protocol):
    """What evaluation needs of an encoder: pictures have their vectors in the lake already."""

    model_id: str

    def encode_texts(self, texts: Sequence[str]) -> Matrix: ...


def label_vectors(
    encoder: TextEncoder, labels: Sequence[str], templates: Sequence[str] = TEMPLATES,
) -> Matrix:
    """A vector of length 1 for each label: the mean over the prompts that the templates make of it.

    Raises UsageError for a template without {}, EncoderError where the encoder gives what is no number.
    """
    for template in templates:
        if template.count("{}") != 1:
            raise UsageError(f"the template {template!r} has to hold {{}} once, where the label goes")
    texts = [template.replace("{}", label) for label in labels for template in templates]
    rows = encoded(encoder, texts).reshape(len(labels), len(templates), -1)
    return unit(rows.mean(axis=1))


def encoded(encoder: TextEncoder, texts: Sequence[str]) -> Matrix:
    """The texts' vectors; raises EncoderError where one is no number, which no ranking survives."""
    rows = encoder.encode_texts(texts)
    if not np.isfinite(rows).all():
        raise EncoderError(f"{encoder.model_id} makes vectors that are no numbers; its weights are broken")
    return rows


def unit(rows: Matrix) -> Matrix:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    found: Matrix = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return found


def neighbour_votes(queries: Matrix, known: Matrix, marked: Any, k: int = NEIGHBOURS) -> Any:
    """For each query and label the cosines of those of its k nearest known pictures that carry it, summed.

    A neighbour that points away does not vote against; of equally near ones at the border the earlier
    counts.
    """
    k = min(k, len(known))
    columns, values = [], []
    for part in blocks(len(queries), len(known)):
        scores = np.round(queries[part] @ known.T, DECIMALS)
        near = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        columns.append(near)
        values.append(np.clip(np.take_along_axis(scores, near, axis=1), 1e-6, None))
    shape = (len(queries), len(known))
    start = np.arange(0, k * len(queries) + 1, k)
    weights = csr_array((np.concatenate(values).ravel(), np.concatenate(columns).ravel(), start), shape=shape)
    votes = csr_array(weights @ marked)
    votes.data = np.round(votes.data, DECIMALS)
    return votes


def frequencies(marked: Any) -> NDArray[np.float64]:
    """How many training pictures carry each label: the answer that does not look at the picture."""
    counts: NDArray[np.float64] = np.asarray(marked.sum(axis=0)).ravel()
    return counts
