"""One direction for words, pictures and what to keep away from; half means half."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lake.directions import Parts, Spread, direction_of, in_templates, unit
from lake.errors import UsageError

DIM = 32
NONE = np.zeros((0, DIM), np.float32)


def never() -> Spread:
    raise AssertionError("the spread is only asked for where kinds are mixed")


def collection(seed: int = 0) -> NDArray[np.float32]:
    """Pictures: much spread in the first half of the numbers, where pictures lie, little in the others."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(4000, DIM)) * np.where(np.arange(DIM) < DIM // 2, 1, 0.15) + 0.4
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def text_and_picture() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A text, of a kind that all pictures are about equally far from, and one of the pictures."""
    text = np.where(np.arange(DIM) < DIM // 2, 0, 1) * np.random.default_rng(5).normal(size=DIM)
    return unit(text)[None], collection(1)[:1]


def pull(weight: float) -> tuple[float, float]:
    """How closely the order for text and picture together follows that of each."""
    pictures, (text, picture) = collection(), text_and_picture()
    spread = Spread(pictures)
    scores = pictures @ direction_of(Parts(text, picture, NONE), weight, lambda: spread)
    return tuple(float(np.corrcoef(scores, pictures @ one[0])[0, 1]) for one in (text, picture))


def test_cosines_with_words_vary_less_than_those_with_pictures():
    pictures, (text, picture) = collection(), text_and_picture()
    assert (pictures @ picture[0]).std() > 4 * (pictures @ text[0]).std()


def test_at_half_weight_words_and_picture_count_the_same():
    by_text, by_picture = pull(0.5)
    assert by_text == pytest.approx(by_picture, abs=0.01)
    assert by_text > 0.6


def test_without_the_correction_the_picture_would_decide():
    pictures, (text, picture) = collection(), text_and_picture()
    scores = pictures @ unit(text[0] + picture[0])
    by_text, by_picture = (np.corrcoef(scores, pictures @ one[0])[0, 1] for one in (text, picture))
    assert by_picture > 0.95 > 0.5 > by_text


@pytest.mark.parametrize("weight", [0.2, 0.8])
def test_more_weight_for_words_means_more_of_them(weight):
    by_text, by_picture = pull(weight)
    assert (by_text > by_picture) == (weight > 0.5)


def test_a_weight_of_all_or_nothing_leaves_one_of_them():
    text, picture = text_and_picture()
    spread = Spread(collection())
    assert np.allclose(direction_of(Parts(text, picture, NONE), 1, lambda: spread), text[0], atol=1e-6)
    assert np.allclose(direction_of(Parts(text, picture, NONE), 0, lambda: spread), picture[0], atol=1e-6)


def test_the_spread_is_the_standard_deviation_of_the_cosines():
    pictures, (text, _) = collection(), text_and_picture()
    assert Spread(pictures).along(text[0]) == pytest.approx((pictures @ text[0]).std(), rel=0.01)


def test_a_collection_without_spread_counts_parts_as_they_are():
    text, picture = text_and_picture()
    flat = Spread(np.tile(picture, (50, 1)))
    found = direction_of(Parts(text, picture, NONE), 0.5, lambda: flat)
    assert np.allclose(found, unit(text[0] + picture[0]), atol=1e-6)


@pytest.mark.parametrize("parts", [
    Parts(unit(np.ones(DIM))[None], NONE, NONE), Parts(NONE, unit(np.ones(DIM))[None], NONE),
    Parts(unit(np.ones(DIM))[None], NONE, unit(np.eye(DIM)[0])[None]),
])
def test_one_kind_alone_needs_no_correction(parts):
    assert np.linalg.norm(direction_of(parts, 0.5, never)) == pytest.approx(1)


def test_parts_that_cancel_out_are_refused():
    one = unit(np.ones(DIM))[None]
    with pytest.raises(UsageError, match="cancels out"):
        direction_of(Parts(np.concatenate([one, -one]), NONE, NONE), 0.5, never)


def test_nothing_but_a_negative_is_refused():
    with pytest.raises(UsageError, match="nothing to search for"):
        direction_of(Parts(NONE, NONE, unit(np.ones(DIM))[None]), 0.5, never)


@pytest.mark.parametrize(("template", "filled"), [
    ("a map of {}", "a map of Rome"), (" map", "Rome map"), ("map", "Rome map"), ("{}, {}", "Rome, Rome"),
    ("{0} {x!r}", "Rome {0} {x!r}"), ("", "Rome"),
])
def test_a_template_goes_around_the_words_or_after_them(template, filled):
    assert in_templates(["Rome"], [template]) == [filled]


def test_every_text_comes_in_every_template():
    assert in_templates(["a", "b"], ["old {}", "map"]) == ["old a", "a map", "old b", "b map"]
    assert in_templates(["a {}"], []) == ["a {}"]
