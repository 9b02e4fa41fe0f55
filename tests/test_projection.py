"""The map of the samples: what is alike lies close, the same every time."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lake import Lake
from lake.errors import EmptyLake
from lake.projection import find_areas, make_map, map_path, project, read_map_points
from tests.colour_gallery import add_samples, gallery_rows, open_gallery


def groups(n: int, of: int = 4, dim: int = 16) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors around a few directions, and which each belongs to."""
    rng = np.random.default_rng(0)
    belongs = rng.integers(0, of, n)
    rows = np.eye(dim)[belongs] + rng.normal(scale=0.08, size=(n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), belongs


@pytest.mark.parametrize("landmarks", [1000, 80])
def test_the_nearest_on_the_map_are_of_the_same_group(landmarks: int) -> None:
    vectors, belongs = groups(240)
    placed = project(vectors, landmarks)
    away = ((placed[:, None] - placed[None]) ** 2).sum(axis=2)
    np.fill_diagonal(away, np.inf)
    assert (belongs[away.argmin(axis=1)] == belongs).mean() > 0.97
    assert placed.min() >= 0
    assert placed.max() <= 1


def test_the_same_vectors_give_the_same_map_broader_than_high() -> None:
    vectors, _ = groups(60)
    first, second = project(vectors), project(vectors)
    assert np.array_equal(first, second)
    assert np.ptp(first[:, 0]) >= np.ptp(first[:, 1])


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 7])
def test_very_few_vectors_have_a_map_too(n: int) -> None:
    placed = project(groups(n)[0])
    assert placed.shape == (n, 2)
    assert np.isfinite(placed).all()
    assert len(find_areas(placed)) == n


@pytest.mark.filterwarnings("error")
def test_many_points_at_few_places_are_as_few_areas_without_a_word() -> None:
    placed = np.repeat(np.array([[0, 0.5], [1, 0.5]], dtype=np.float32), 50, axis=0)
    assert len(set(find_areas(placed).tolist())) == 2


@pytest.mark.parametrize("n_distinct", [1, 2, 4, 5, 9])
def test_vectors_that_are_the_same_lie_at_one_place(n_distinct: int) -> None:
    vectors = groups(n_distinct)[0][np.arange(40) % n_distinct]
    placed = project(vectors)
    assert np.isfinite(placed).all()
    assert len(np.unique(placed, axis=0)) <= n_distinct


def test_vectors_of_one_number_have_a_map() -> None:
    assert project(np.ones((9, 1), dtype=np.float32)).shape == (9, 2)


def test_the_map_is_kept_with_the_vectors_and_holds_every_sample(tmp_path: Path) -> None:
    lake = open_gallery(tmp_path)
    assert read_map_points(lake, "colours") is None
    assert make_map(lake) == map_path(lake, "colours")
    points = read_map_points(lake, "colours")
    assert points is not None
    assert sorted(points["sample_id"].to_pylist()) == [f"{i:016x}" for i in range(36)]


def test_without_vectors_the_command_that_makes_them_is_named(lake: Lake) -> None:
    add_samples(lake, gallery_rows()[:2])
    with pytest.raises(EmptyLake, match="glamlake embed"):
        make_map(lake)
