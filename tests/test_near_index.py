"""The index of a large table finds what comparing every vector finds, under filters of every kind too."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from lake.near_codes import Mask, Vector
from lake.near_index import About, NearIndex, write_near_index

N, DIM, CLUSTERS = 24_000, 48, 60
Clustered = tuple[Vector, Vector]


@pytest.fixture(scope="module")
def clustered() -> Clustered:
    """Vectors around centres, cluster by cluster, and the centres."""
    rng = np.random.default_rng(5)
    centres = unit(rng.normal(size=(CLUSTERS, DIM)))
    return unit(np.repeat(centres, N // CLUSTERS, axis=0) + 0.12 * rng.normal(size=(N, DIM))), centres


@pytest.fixture(scope="module")
def index(clustered: Clustered, tmp_path_factory: pytest.TempPathFactory) -> NearIndex:
    folder = tmp_path_factory.mktemp("near") / "0"
    batch = pa.record_batch({
        "_rowid": pa.array(np.arange(N, dtype=np.uint64)), "sample_id": [f"{i:08}" for i in range(N)],
        "told": [""] * N, "vector": pa.FixedSizeListArray.from_arrays(pa.array(clustered[0].ravel()), DIM),
    })
    write_near_index(folder, About("0", DIM, "float32"), [batch])
    return NearIndex(folder)


def test_without_a_filter(index: NearIndex, clustered: Clustered) -> None:
    assert recall(index, clustered, lambda _: None) >= 0.97


@pytest.mark.parametrize("share", [1.0, 0.3, 0.02])
def test_of_words_which_lie_far_from_all_pictures(
    index: NearIndex, clustered: Clustered, share: float,
) -> None:
    """As CLIP's do: all of them share a direction that says nothing about pictures."""
    mask = None if share == 1 else np.random.default_rng(1).random(N) < share
    assert recall(index, clustered, lambda _: mask, alike=0.25) >= 0.95


@pytest.mark.parametrize("share", [0.5, 0.05, 0.01])
def test_with_a_filter_that_has_nothing_to_do_with_looks(
    index: NearIndex, clustered: Clustered, share: float,
) -> None:
    mask = np.random.default_rng(1).random(N) < share
    assert recall(index, clustered, lambda _: mask) >= 0.97


@pytest.mark.parametrize("n_clusters", [2, 6, 24])
def test_with_a_filter_that_keeps_what_is_farthest(
    index: NearIndex, clustered: Clustered, n_clusters: int,
) -> None:
    """As a label does that has nothing to do with the words."""
    def farthest(question: Vector) -> Mask:
        kept = np.argsort(clustered[1] @ question)[:n_clusters]
        return np.isin(np.arange(N) // (N // CLUSTERS), kept)

    assert recall(index, clustered, farthest) >= 0.95


def test_a_filter_that_keeps_nothing_finds_nothing(index: NearIndex, clustered: Clustered) -> None:
    places, scores = index.nearest(clustered[1][0], 10, np.zeros(N, dtype=bool))
    assert (len(places), len(scores)) == (0, 0)


def test_more_are_asked_for_than_a_filter_keeps(index: NearIndex, clustered: Clustered) -> None:
    mask = np.zeros(N, dtype=bool)
    mask[[3, 9_000, 17]] = True
    assert sorted(index.nearest(clustered[1][0], 48, mask)[0].tolist()) == [3, 17, 9_000]


def recall(
    index: NearIndex, clustered: Clustered, mask_for: Callable[[Vector], Mask | None], alike: float = 1.0,
) -> float:
    """The share of the ten nearest that are found, over forty questions `alike` to pictures."""
    vectors, centres = clustered
    rng = np.random.default_rng(9)
    questions = unit(centres[:40] + 0.1 * rng.normal(size=(40, DIM)))
    questions = unit(alike * questions + np.sqrt(1 - alike**2) * unit(rng.normal(size=(1, DIM))))
    found = []
    for question in questions:
        mask = mask_for(question)
        scores = vectors @ question if mask is None else np.where(mask, vectors @ question, -9)
        found.append(np.isin(np.argsort(-scores)[:10], index.nearest(question, 48, mask)[0]).mean())
    return float(np.mean(found))


def unit(rows: NDArray[np.floating[Any]]) -> Vector:
    length: NDArray[np.floating[Any]] = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / length).astype(np.float32)
