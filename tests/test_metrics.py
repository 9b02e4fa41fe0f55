"""Retrieval metrics against other people's implementations, and ties against every order they allow."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.metrics import average_precision_score, ndcg_score
from torchmetrics.functional import retrieval as other

from models.intervals import Resampling, interval, summary
from models.metrics import KS as METRIC_KS
from models.metrics import Measured, chance, cosines, measure, same_group

KS = (1, 2, 3, 5, 10)


def cut_precision(_: torch.Tensor, target: torch.Tensor, top_k: int) -> float:
    """mAP@K as CIRCO defines it: over the right answers that could be among the first k."""
    precisions = [float(target[: i + 1].float().mean()) for i in range(min(top_k, len(target))) if target[i]]
    return sum(precisions) / min(int(target.sum()), top_k)


THEIRS: dict[str, Any] = {
    "mAP": other.retrieval_average_precision, "MRR": other.retrieval_reciprocal_rank,
    "R-Precision": other.retrieval_r_precision,
}
THEIRS_AT_K: dict[str, Any] = {
    "R": other.retrieval_hit_rate, "Recall": other.retrieval_recall, "Precision": other.retrieval_precision,
    "MRR": other.retrieval_reciprocal_rank, "mAP": cut_precision,
}


def dense(scores: NDArray[np.float32]) -> Callable[[slice], NDArray[np.float32]]:
    return lambda part: scores[part]


@st.composite
def rankings(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Scores with many ties and what is right of them: few queries, few answers, at least one right."""
    n_queries, n_answers = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    cells = n_queries * n_answers
    scores = np.array(draw(st.lists(st.integers(0, 3), min_size=cells, max_size=cells)), np.float32)
    gains = np.array(draw(st.lists(st.sampled_from([0, 0, 0.5, 1]), min_size=cells, max_size=cells)))
    gains = gains.reshape(n_queries, n_answers)
    gains[np.arange(n_queries), draw(st.integers(0, n_answers - 1))] = 1.0
    return scores.reshape(n_queries, n_answers), gains


def every_order(scores: NDArray[np.float32]) -> list[list[int]]:
    """Every order of the answers, best first, that the scores allow."""
    return [
        list(order) for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]


def over_orders(
    scores: NDArray[np.float32], right: NDArray[np.float64],
    metric: Callable[[torch.Tensor, torch.Tensor], float],
) -> float:
    """The mean of somebody's metric, one that knows no ties, over every order."""
    return float(np.mean([
        metric(torch.arange(len(scores), 0, -1).float(), torch.tensor(right[order] > 0))
        for order in every_order(scores)
    ]))


@settings(deadline=None, max_examples=40)
@given(rankings())
def test_metrics_are_torchmetrics_mean_over_all_orders_of_ties(ranking):
    scores, gains = ranking
    found = measure(dense(scores), {"all": csr_array(gains)}, KS)["all"]
    for i, (row, right) in enumerate(zip(scores, gains, strict=True)):
        expected = {name: over_orders(row, right, metric) for name, metric in THEIRS.items()}
        for k in KS:
            for name, metric in THEIRS_AT_K.items():
                expected[f"{name}@{k}"] = over_orders(row, right, partial(metric, top_k=k))
        expected |= {f"Acc@{k}": expected[f"R@{k}"] for k in (1, 10)}
        orders = every_order(row)
        places = [[1 + place for place, answer in enumerate(order) if right[answer]] for order in orders]
        expected |= {"rank": np.mean(places), "first_rank": np.mean([min(p) for p in places])}
        assert {name: float(values[i]) for name, values in found.values.items()} == pytest.approx(expected)


def test_long_rankings_without_ties_are_torchmetrics_and_scikit_learns_at_every_depth():
    rng = np.random.default_rng(8)
    scores = rng.permuted(np.arange(20 * 70, dtype=np.float32).reshape(20, 70), axis=1)
    right = rng.random((20, 70)) < rng.uniform(0.02, 0.6, (20, 1))
    right[:, 3] = True
    found = measure(dense(scores), {"all": csr_array(right.astype(float))}, METRIC_KS)["all"].values
    for i, (row, truth) in enumerate(zip(scores, right, strict=True)):
        order = np.argsort(-row)
        given = torch.tensor(row[order]), torch.tensor(truth[order])
        expected = {name: float(metric(*given)) for name, metric in THEIRS.items()}
        for k in METRIC_KS:
            found_k = {name: float(metric(*given, top_k=k)) for name, metric in THEIRS_AT_K.items()}
            expected |= {f"{name}@{k}": value for name, value in found_k.items()}
        places = 1 + np.flatnonzero(truth[order])
        expected |= {"Acc@1": expected["R@1"], "Acc@10": expected["R@10"], "rank": places.mean()}
        expected["first_rank"] = places[0]
        assert {name: float(values[i]) for name, values in found.items()} == pytest.approx(expected)
        assert found["mAP"][i] == pytest.approx(average_precision_score(truth, row))


@settings(deadline=None, max_examples=60)
@given(rankings())
def test_graded_gains_are_scikit_learns_ndcg_with_ties_averaged(ranking):
    scores, gains = ranking
    if scores.shape[1] < 2:
        return   # scikit-learn takes no single answer
    found = measure(dense(scores), {"all": csr_array(gains)}, KS, graded=True)["all"]
    for k in KS:
        each = [ndcg_score(g[None], s[None], k=k) for s, g in zip(scores, gains, strict=True)]
        assert found.values[f"nDCG@{k}"] == pytest.approx(each)


@settings(deadline=None, max_examples=30)
@given(rankings(), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(ranking, random):
    scores, gains = ranking
    order = random.sample(range(scores.shape[1]), scores.shape[1])
    one = measure(dense(scores), {"all": csr_array(gains)}, KS)["all"].values
    other_way = measure(dense(scores[:, order]), {"all": csr_array(gains[:, order])}, KS)["all"].values
    assert all(np.allclose(one[name], other_way[name]) for name in one)


@settings(deadline=None, max_examples=30)
@given(rankings())
def test_scores_that_are_all_the_same_have_exactly_chance(ranking):
    scores, gains = ranking
    right = csr_array(gains)
    for graded in (False, True):
        found = measure(dense(np.zeros_like(scores)), {"all": right}, KS, graded)["all"].values
        expected = chance(right, KS, graded).values
        assert found.keys() == expected.keys()
        assert all(np.allclose(found[name], expected[name]) for name in found)


def test_ignored_answers_are_as_if_not_there():
    scores = np.array([[4.0, 3.0, 2.0, 1.0]], np.float32)
    right, ignored = csr_array([[0, 0, 1.0, 0]]), csr_array([[1.0, 0, 0, 0]])
    found = measure(dense(scores), {"all": right}, KS, ignored=ignored)["all"].values
    without = measure(dense(scores[:, 1:]), {"all": csr_array([[0, 1.0, 0]])}, KS)["all"].values
    assert all(found[name] == pytest.approx(without[name]) for name in found)
    by_chance = chance(right, KS, ignored=ignored).values
    assert by_chance["R@1"] == pytest.approx([1 / 3])


def test_queries_without_a_right_answer_are_left_out():
    found = measure(dense(np.eye(3, dtype=np.float32)), {"all": csr_array(np.diag([1.0, 0, 1]))}, KS)["all"]
    assert found.rows.tolist() == [0, 2]
    assert found.values["R@1"].tolist() == [1.0, 1.0]


def test_nothing_right_at_all_is_an_empty_table():
    found = measure(dense(np.eye(3, dtype=np.float32)), {"all": csr_array((3, 3))}, KS)["all"]
    assert len(found.rows) == 0
    assert summary(found, Resampling()) == {"n_queries": 0}


def test_many_queries_in_blocks_are_ranked_as_in_one(monkeypatch):
    rng = np.random.default_rng(3)
    queries, answers = rng.normal(size=(2, 300, 4)).astype(np.float32)
    group = rng.integers(0, 90, 300)
    right = same_group(group, group)
    whole = measure(cosines(queries, answers), {"all": right})["all"].values
    monkeypatch.setattr("models.metrics.CELLS_AT_ONCE", 700)
    parts = measure(cosines(queries, answers), {"all": right})["all"].values
    assert all(np.allclose(whole[name], parts[name]) for name in whole)


def test_same_group_is_the_plain_comparison():
    rng = np.random.default_rng(5)
    queries, answers = rng.integers(0, 9, 40), rng.integers(0, 9, 60)
    assert (same_group(queries, answers).toarray() == (queries[:, None] == answers[None, :])).all()


def test_an_interval_is_the_percentile_bootstrap_of_the_mean():
    rng = np.random.default_rng(1)
    column = rng.random(200)
    low, high = interval(column[:, None], Resampling(4000, 7))
    error = column.std() / np.sqrt(len(column))
    assert low[0] == pytest.approx(column.mean() - 1.96 * error, abs=0.1 * error)
    assert high[0] == pytest.approx(column.mean() + 1.96 * error, abs=0.1 * error)


def test_a_seed_gives_the_same_intervals_again_and_another_does_not():
    measured = Measured(np.arange(50), {"x": np.random.default_rng(2).random(50)})
    once, again, otherwise = (summary(measured, Resampling(200, seed)) for seed in (1, 1, 2))
    assert once == again
    assert once["x"] == otherwise["x"]
    assert once["intervals"] != otherwise["intervals"]
