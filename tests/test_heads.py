"""Heads on frozen vectors: against scikit-learn, over hierarchies, calibrated, and back from their files."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from torchmetrics.functional.classification import binary_calibration_error

from lake.errors import EncoderError, LakeError, UsageError
from models.calibration import Platt, ece, fit_platt
from models.ensemble import Annotator, calibrate, fit_annotator
from models.head_files import WEIGHTS, read_annotator, write_annotator
from models.head_layout import KINDS, label_probabilities, layout_of
from models.heads import fit
from models.label_truth import Facet, Way
from tests.lakes import little_room

LABELS = ["ferry", "house", "sailing ship", "ship", "train"]
WAYS: list[Way] = [
    ("building", "house"), ("vehicle", "ship"), ("vehicle", "ship", "ferry"),
    ("vehicle", "ship", "sailing ship"), ("vehicle", "train"), ("work", "ferry"),
]
CENTRES = np.random.default_rng(0).normal(size=(len(LABELS), 6))


def facet_of(marked: NDArray[np.float64], ways: list[Way] | None = None) -> Facet:
    sparse = csr_array(marked)
    return Facet("topic", LABELS, ways or WAYS, sparse, sparse, csr_array(marked.shape))


def pictures(n: int, seed: int, spread: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vectors of length 1 around each label's centre, and which label each is of; later labels are rarer."""
    rng = np.random.default_rng(seed)
    label = rng.choice(len(LABELS), n, p=[0.35, 0.3, 0.2, 0.1, 0.05])
    rows = CENTRES[label] + spread * rng.normal(size=(n, CENTRES.shape[1]))
    marked = np.zeros((n, len(LABELS)))
    marked[np.arange(n), label] = 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), marked


def names(n: int) -> list[str]:
    return [f"{i:016x}" for i in range(n)]


def scaled(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return (vectors - vectors.mean(axis=0)) / vectors.std()


def test_the_softmax_head_is_scikit_learns_logistic_regression():
    vectors, marked = pictures(300, 1)
    head = fit("softmax", vectors, facet_of(marked), names(300), penalty=1e-2)
    theirs = LogisticRegression(C=1 / (300 * 1e-2), tol=1e-8, max_iter=2000)
    theirs.fit(scaled(vectors), marked.argmax(axis=1))
    assert head.probabilities(vectors) == pytest.approx(theirs.predict_proba(scaled(vectors)), abs=2e-3)


def test_the_sigmoid_head_is_one_logistic_regression_for_each_label():
    vectors, marked = pictures(300, 2)
    marked[:, 0] = np.maximum(marked[:, 0], vectors[:, 0] > 0)     # several labels a picture
    found = fit("sigmoid", vectors, facet_of(marked), names(300), penalty=1e-2).probabilities(vectors)
    for column in (0, 1, 4):
        theirs = LogisticRegression(C=1 / (300 * 1e-2), tol=1e-8, max_iter=2000)
        theirs.fit(scaled(vectors), marked[:, column])
        assert found[:, column] == pytest.approx(theirs.predict_proba(scaled(vectors))[:, 1], abs=2e-3)


def test_weights_find_more_of_the_rarest_label():
    vectors, marked = pictures(600, 3, spread=1.5)
    facet = facet_of(marked)
    rare = marked[:, 4] > 0
    found = {
        kind: fit(kind, vectors, facet, names(600), penalty=1e-2).probabilities(vectors[rare]).argmax(axis=1)
        for kind in ("softmax", "weighted_softmax")
    }
    assert (found["weighted_softmax"] == 4).sum() > (found["softmax"] == 4).sum()


@pytest.mark.parametrize("kind", ["softmax", "weighted_softmax", "hierarchical_level", "hierarchical_node"])
def test_the_labels_of_one_choice_share_a_probability_of_one(kind):
    layout = layout_of(kind, LABELS, WAYS)
    logits = np.random.default_rng(4).normal(size=(7, layout.n_units))
    found = label_probabilities(layout, logits, len(LABELS))
    assert found.sum(axis=1) == pytest.approx(np.ones(7))
    assert (found > 0).all()


def test_by_node_a_label_is_the_product_down_its_ways_summed_over_them():
    layout = layout_of("hierarchical_node", LABELS, WAYS)
    found = label_probabilities(layout, np.zeros((1, layout.n_units)), len(LABELS))[0]
    # each of three tops a third; vehicle: ship or train; ship: itself, ferry, sailing ship; work: all ferries
    ship = 1 / 3 * 1 / 2
    assert found == pytest.approx([ship / 3 + 1 / 3, 1 / 3, ship / 3, ship / 3, ship])


def test_by_level_each_level_is_a_choice_of_its_own():
    layout = layout_of("hierarchical_level", LABELS, WAYS)
    sizes = [group.stop - group.start for group in layout.groups]
    assert sizes == [3, 4, 3]   # tops; house, ship, train, ferry (as work); ferry, sailing ship, no deeper


@pytest.mark.parametrize("kind", KINDS)
def test_every_head_learns_what_is_there_to_learn(kind):
    vectors, marked = pictures(400, 5, spread=0.3)
    ways = [way for way in WAYS if way[0] != "work"]
    head = fit(kind, vectors, facet_of(marked, ways), names(400), penalty=1e-3)
    fresh, wanted = pictures(200, 6, spread=0.3)
    right = head.probabilities(fresh).argmax(axis=1) == wanted.argmax(axis=1)
    assert right.mean() > 0.9


def test_the_same_pictures_give_the_same_head():
    vectors, marked = pictures(120, 7)
    one, other = (fit("hierarchical_node", vectors, facet_of(marked), names(120)) for _ in range(2))
    assert (one.weight == other.weight).all()
    assert one.penalty == other.penalty


@pytest.mark.parametrize(("columns", "said"), [((), "none among the labels"), ((1,), "only 'house' among")])
def test_one_label_or_none_is_nothing_to_learn(columns, said):
    vectors, marked = pictures(20, 8)
    kept = np.zeros_like(marked)
    kept[:, list(columns)] = 1
    with pytest.raises(UsageError, match=said):
        fit("softmax", vectors, facet_of(kept), names(20))


@cache
def annotator(n: int = 200) -> Annotator:
    vectors, marked = pictures(n, 9)
    prompts = (CENTRES / np.linalg.norm(CENTRES, axis=1, keepdims=True)).astype(np.float32)
    return fit_annotator(facet_of(marked), vectors, names(n), prompts, ("sigmoid", "softmax"))


def test_heads_are_compared_alone_together_and_with_zero_shot():
    made = annotator()
    assert set(made.methods) == {
        "zero_shot", "sigmoid", "softmax", "all_heads", "sigmoid+zero_shot", "softmax+zero_shot",
        "all_heads+zero_shot",
    }
    for shares in made.methods.values():
        assert sum(shares.values()) == pytest.approx(1.0)
    mixed = made.probabilities("softmax+zero_shot", pictures(5, 10)[0])
    assert mixed.sum(axis=1) == pytest.approx(np.ones(5))


def test_heads_come_back_from_their_files_as_they_were(tmp_path):
    made = replace(annotator(), curves={"softmax": Platt(0.7, -0.2)})
    write_annotator(tmp_path / "topic", made, {"data": {"version": "x"}})
    again, card = read_annotator(tmp_path / "topic")
    vectors, _ = pictures(9, 11)
    for method in made.methods:
        assert (again.confidences(method, vectors) == made.confidences(method, vectors)).all()
    assert (card["data"]["version"], card["dim"], len(card["weights"])) == ("x", 6, 64)
    assert sorted(path.name for path in (tmp_path / "topic").iterdir()) == ["card.json", "heads.safetensors"]


@pytest.mark.parametrize("damage", ["cut", "no JSON", "gone", "less"])
def test_a_broken_head_is_one_clear_line(tmp_path, damage):
    folder = tmp_path / "topic"
    write_annotator(folder, annotator(), {})
    weights, card = folder / WEIGHTS, folder / "card.json"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:100])
    elif damage == "gone":
        weights.unlink()
    else:
        card.write_text("{" if damage == "no JSON" else '{"annotator": {"ways": []}}')
    with pytest.raises(EncoderError, match="run `glamlake heads` again"):
        read_annotator(folder)


def test_no_room_leaves_the_heads_that_were_there_and_is_one_clear_line(tmp_path):
    made = annotator()
    write_annotator(tmp_path / "topic", made, {"data": "old"})
    with little_room(500), pytest.raises(LakeError, match=r"cannot write .*topic .*make room") as caught:
        write_annotator(tmp_path / "topic", made, {"data": "new"})
    assert "\n" not in str(caught.value)
    assert read_annotator(tmp_path / "topic")[1]["data"] == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["topic"]


def test_a_small_head_is_the_same_to_the_bit_whatever_threads_torch_has():
    vectors, marked = pictures(1000, 14)
    wide = vectors @ np.random.default_rng(15).normal(size=(vectors.shape[1], 256)).astype(np.float32)
    before, weights = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            weights.append(fit("softmax", wide, facet_of(marked), names(1000), penalty=1e-3).weight)
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*weights)


def test_the_calibration_error_is_torchmetrics():
    rng = np.random.default_rng(12)
    confidences, right = rng.random(500), rng.random(500) < 0.4
    theirs = binary_calibration_error(torch.tensor(confidences), torch.tensor(right.astype(int)), n_bins=15)
    assert ece(confidences, right) == pytest.approx(float(theirs), abs=1e-6)


def test_platts_curve_is_scikit_learns_logistic_regression_of_the_logit():
    rng = np.random.default_rng(13)
    probabilities = rng.uniform(0.01, 0.99, 5000)
    right = rng.random(5000) < probabilities**2
    logit = np.log(probabilities / (1 - probabilities))[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(logit, right)
    found = fit_platt(probabilities, right)
    assert (found.slope, found.shift) == pytest.approx((theirs.coef_[0, 0], theirs.intercept_[0]), abs=5e-3)


@pytest.mark.parametrize("right", [np.ones(4, bool), np.zeros(4, bool), np.zeros(0, bool)])
def test_a_curve_of_few_or_like_answers_is_no_cliff(right):
    found = fit_platt(np.linspace(0.2, 0.8, len(right)), right).confidence(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (np.diff(found) >= 0).all()


def test_calibration_brings_a_heads_confidence_nearer_to_how_often_it_is_right():
    made = annotator()
    sharp = replace(made, heads={k: replace(h, weight=4 * h.weight) for k, h in made.heads.items()})
    vectors, marked = pictures(400, 14)
    curves, errors = calibrate(sharp, vectors, facet_of(marked), names(400), "val")
    assert set(curves) == set(made.methods)
    assert errors["softmax"].after < errors["softmax"].before / 2
