"""Retrieval metrics against a count over every order that ties allow; evaluation of known answers."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from lake import Lake
from lake.errors import EmptyLake
from lake.vectors import ModelInfo, VectorRow, VectorStore
from models.evaluate import chance_ranking, evaluate, metrics, rank_answers, retrieval
from tests.picture_lakes import picture_lake


def every_order(scores: Sequence[int]) -> list[tuple[int, ...]]:
    """All orders of the answers, best first, that the scores allow."""
    return [
        order for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]


def first_right(order: tuple[int, ...], right: set[int]) -> int:
    return next(place for place, answer in enumerate(order, 1) if answer in right)


@pytest.mark.parametrize("seed", range(25))
def test_recall_and_rank_are_the_mean_over_all_orders(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_answers = int(rng.integers(2, 7))
    scores = rng.integers(0, 3, n_answers)
    group = rng.integers(0, 2, n_answers)
    group[rng.integers(n_answers)] = 0   # the query's own group: at least one is right
    right = {i for i in range(n_answers) if group[i] == 0}
    places = [first_right(order, right) for order in every_order(scores.tolist())]
    ranking = rank_answers(
        np.array([[1.0]], np.float32), scores[:, None].astype(np.float32), np.array([0]), group,
    )
    for k in (1, 2, 3, 10):
        expected = Fraction(sum(place <= k for place in places), len(places))
        assert ranking.recall(k)[0] == pytest.approx(float(expected))
    assert ranking.rank()[0] == pytest.approx(float(Fraction(sum(places), len(places))))


def test_an_encoder_that_says_the_same_of_everything_has_exactly_chance() -> None:
    group = np.array([0, 0, 1, 2, 2, 2, 3, 4])
    same = np.ones((8, 3), np.float32)
    found = retrieval(same, np.ones((5, 3), np.float32), group, np.arange(5))
    for side in found.values():
        assert {k: v for k, v in side.items() if k != "chance"} == pytest.approx(side["chance"])


def test_chance_of_one_right_answer_is_k_of_n() -> None:
    chance = metrics(chance_ranking(np.arange(20), np.arange(20)))
    assert chance == pytest.approx({"R@1": 0.05, "R@5": 0.25, "R@10": 0.5, "median_rank": 10.5})


def test_a_perfect_encoder_is_right_at_once() -> None:
    own = np.eye(12, dtype=np.float32)
    found = retrieval(own, own, np.arange(12), np.arange(12))
    assert {**found["text_to_image"], "chance": None} == {
        "R@1": 1.0, "R@5": 1.0, "R@10": 1.0, "median_rank": 1.0, "chance": None,
    }


def test_many_queries_are_ranked_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    queries, answers = rng.normal(size=(2, 1100, 4)).astype(np.float32)
    group = rng.integers(0, 700, 1100)
    whole = rank_answers(queries, answers, group, group)
    alone = rank_answers(queries[1050:1051], answers, group[1050:1051], group)
    assert whole.rank()[1050] == alone.rank()[0]


class Numbers:
    """An encoder that knows 'number 3' for the third axis, and takes 'number 4' for it too."""

    model_id = "numbers"

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([axis(3 if text == "number 4" else int(text.split()[1])) for text in texts])


def axis(i: int) -> NDArray[np.float32]:
    row = np.zeros(8, dtype=np.float32)
    row[i] = 1
    return row


@pytest.fixture
def numbers(lake: Lake) -> Lake:
    """Six pictures, number i on axis i; the last two are both called 'number 5' and lie on axis 5."""
    samples = picture_lake(lake, 7, {5: {"split": "train"}, 6: {"caption": " number 5 "}})
    store = VectorStore(lake)
    store.register(ModelInfo("numbers", 8, "", "", None, ""))
    axes = [0, 1, 2, 3, 4, 5, 5]
    store.add("numbers", [
        VectorRow(s["sample_id"], s["sha256"], axis(i)) for s, i in zip(samples, axes, strict=True)
    ])
    return lake


def test_evaluation_counts_what_is_found(numbers: Lake) -> None:
    found = evaluate(numbers, Numbers(), ["val", "train"])
    assert (found["n_pictures"], found["n_captions"], found["n_without_vector"]) == (7, 6, 0)
    assert found["text_to_image"]["R@1"] == pytest.approx(5 / 6)
    by_picture = [1, 1, 1, 1 / 2, 1 / 6, 1, 1]   # 3 cannot tell 'number 3' from 4; to 4 all are the same
    assert found["image_to_text"]["R@1"] == pytest.approx(sum(by_picture) / 7)
    assert found["text_to_image"]["chance"]["R@1"] == pytest.approx((5 * 1 / 7 + 2 / 7) / 6)


def test_only_the_splits_asked_for_are_evaluated(numbers: Lake) -> None:
    assert evaluate(numbers, Numbers())["n_pictures"] == 6


def test_labels_have_their_own_numbers(numbers: Lake) -> None:
    by_label = {row["label"]: row for row in evaluate(numbers, Numbers(), ["val", "train"])["labels"]}
    assert by_label["odd"]["n_pictures"] == 3
    assert by_label["odd"]["R@1"] == 1.0
    assert by_label["even"]["R@1"] == pytest.approx(3 / 4)   # 'number 4' is taken for 3


def test_pictures_without_a_vector_are_counted(numbers: Lake) -> None:
    picture_lake(numbers, 9)
    assert evaluate(numbers, Numbers())["n_without_vector"] == 2


def test_a_split_without_samples_says_what_to_do(numbers: Lake) -> None:
    with pytest.raises(EmptyLake, match="--split"):
        evaluate(numbers, Numbers(), ["test_ood"])
