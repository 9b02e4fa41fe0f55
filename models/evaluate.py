"""How well an encoder finds: text to image and image to text on held-out samples, with chance beside.

Pictures that share a caption are all right answers to it. Ties count as what breaking them at random gives on
average, so an encoder that gives everything the same score gets exactly chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lake import Lake, catalog
from lake.errors import EmptyLake
from lake.vectors import VectorStore

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KS = (1, 5, 10)
QUERIES_AT_ONCE = 512


class TextEncoder(Protocol):
    """What evaluation needs of an encoder: pictures have their vectors in the lake already."""

    model_id: str

    def encode_texts(self, texts: Sequence[str]) -> Matrix: ...


@dataclass(frozen=True)
class Ranking:
    """Where each query's best right answer stands: how many wrong ones are above it and tied with it.

    `right` counts the right answers in that tie, itself included.
    """

    above: Ints
    tied: Ints
    right: Ints

    def recall(self, k: int) -> Floats:
        """Per query, the probability that the first k answers hold a right one."""
        free = k - self.above   # places left for the group that ties with the first right answer
        missed = np.ones(len(self.above))
        for place in range(k):
            wrong, others = self.tied - place, self.tied + self.right - place
            factor = np.clip(wrong, 0, None) / np.maximum(others, 1)
            missed = np.where(place < free, missed * factor, missed)
        return 1.0 - missed

    def rank(self) -> Floats:
        """Per query, the expected place (from 1) of the first right answer."""
        return self.above + (self.tied + self.right + 1) / (self.right + 1)


def rank_answers(queries: Matrix, answers: Matrix, query_group: Ints, answer_group: Ints) -> Ranking:
    """Rank all answers for each query by dot product; those of the query's group are right.

    Every query needs at least one right answer.
    """
    parts = [
        _rank_part(queries[part] @ answers.T, query_group[part], answer_group)
        for part in (slice(i, i + QUERIES_AT_ONCE) for i in range(0, len(queries), QUERIES_AT_ONCE))
    ]
    above, tied, right = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Ranking(above, tied, right)


def chance_ranking(query_group: Ints, answer_group: Ints) -> Ranking:
    """The ranking of an encoder that knows nothing: all answers tie."""
    right = (query_group[:, None] == answer_group[None, :]).sum(axis=1)
    return Ranking(np.zeros_like(right), len(answer_group) - right, right)


def metrics(ranking: Ranking, ks: Sequence[int] = KS) -> dict[str, float]:
    """Means over the queries: `R@k` for each k, and the median rank."""
    recalls = {f"R@{k}": float(ranking.recall(k).mean()) for k in ks}
    return {**recalls, "median_rank": float(np.median(ranking.rank()))}


def retrieval(pictures: Matrix, texts: Matrix, picture_group: Ints, text_group: Ints) -> dict[str, Any]:
    """Both directions, each with chance beside; a picture and a text of one group belong together."""
    sides = {
        "text_to_image": (texts, pictures, text_group, picture_group),
        "image_to_text": (pictures, texts, picture_group, text_group),
    }
    return {
        name: {**metrics(rank_answers(q, a, qg, ag)), "chance": metrics(chance_ranking(qg, ag))}
        for name, (q, a, qg, ag) in sides.items()
    }


def evaluate(lake: Lake, encoder: TextEncoder, splits: Sequence[str] = ("val",)) -> dict[str, Any]:
    """Retrieval over the samples of these splits that have a caption and a vector of this encoder's model.

    Raises EmptyLake where there are none.
    """
    samples = _samples(lake, splits)
    held, pictures = VectorStore(lake).vectors(encoder.model_id, [str(s["sample_id"]) for s in samples])
    if not held:
        names = ", ".join(splits)
        raise EmptyLake(f"no captioned {names} samples have vectors; run `glamlake embed`, or give --split")
    by_id = {s["sample_id"]: s for s in samples}
    captions, picture_group = np.unique([str(by_id[i]["caption"]) for i in held], return_inverse=True)
    texts = encoder.encode_texts(captions.tolist())
    text_group = np.arange(len(captions))
    found = rank_answers(texts, pictures, text_group, picture_group)
    labels = [set(by_id[i]["labels"] or ()) for i in held]
    return {
        "model_id": encoder.model_id, "splits": list(splits),
        "n_pictures": len(held), "n_captions": len(captions), "n_without_vector": len(samples) - len(held),
        **retrieval(pictures, texts, picture_group, text_group),
        "labels": list(_by_label(found, labels, picture_group)),
    }


def _rank_part(scores: Matrix, query_group: Ints, answer_group: Ints) -> tuple[Ints, Ints, Ints]:
    right = query_group[:, None] == answer_group[None, :]
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    level = scores == best
    return (scores > best).sum(axis=1), (level & ~right).sum(axis=1), (level & right).sum(axis=1)


def _samples(lake: Lake, splits: Sequence[str]) -> list[dict[str, Any]]:
    catalog.require_mart(lake, "samples", "curate")
    sql = """
        select sample_id, trim(caption) as caption, labels from samples
        where list_contains(?::varchar[], split) and trim(caption) <> '' order by sample_id
    """
    return catalog.rows(lake, sql, [list(splits)])


def _by_label(found: Ranking, labels: Sequence[set[str]], picture_group: Ints) -> Iterator[dict[str, Any]]:
    """Text to image for the captions of each label's pictures."""
    for label in sorted(set().union(*labels)):
        of_label = [i for i, own in enumerate(labels) if label in own]
        captions = np.unique(picture_group[of_label])
        part = Ranking(found.above[captions], found.tied[captions], found.right[captions])
        yield {"label": label, "n_pictures": len(of_label), **metrics(part)}
