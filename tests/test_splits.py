"""The split: groups whole, labels in their shares, the same for ever, and calm while the lake grows."""

import random
from collections import Counter, defaultdict

import duckdb
import pytest

from tests.splits import Samples, group_name, long_tailed, split

SHARE = 0.35


@pytest.fixture(scope="module")
def samples() -> Samples:
    """11,000 samples in 6,600 groups, of 30 labels."""
    return long_tailed(11_000, 6_600, 30)


@pytest.fixture(scope="module")
def sides(samples: Samples) -> dict[str, str]:
    """Their split."""
    return split(samples)


def _counts(samples: Samples, sides: dict[str, str]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, labels in zip(samples.names, samples.labels, strict=True):
        for label in labels:
            counts[label][sides[name]] += 1
    return counts


def _few(**labels: str) -> Samples:
    """One sample a name, of its own provider; its labels as words."""
    return Samples(list(labels), list(labels), list(labels), [words.split() for words in labels.values()])


def test_no_group_is_on_two_sides(samples: Samples, sides: dict[str, str]) -> None:
    of_group = defaultdict(set)
    for name, group in zip(samples.names, samples.groups, strict=True):
        of_group[group].add(sides[name])
    assert max(len(found) for found in of_group.values()) == 1


def test_every_label_has_its_share_within_a_hundredth(samples: Samples, sides: dict[str, str]) -> None:
    counts = _counts(samples, sides)
    assert len(counts) == 30
    for label, found in counts.items():
        assert found.total() >= 100, label
        assert abs(found["val"] / found.total() - SHARE) <= 0.01, label


def test_row_order_and_threads_do_not_matter(samples: Samples, sides: dict[str, str]) -> None:
    places = list(range(len(samples.names)))
    random.Random(1).shuffle(places)
    assert split(samples.part(places), threads=1) == sides


def test_another_seed_is_another_split(samples: Samples, sides: dict[str, str]) -> None:
    other = split(samples, seed=43)
    assert 0.3 < sum(other[name] != side for name, side in sides.items()) / len(sides) < 0.6


def test_few_samples_change_sides_when_the_lake_grows(samples: Samples, sides: dict[str, str]) -> None:
    old = {group_name(number) for number in range(6_000)}
    kept = samples.part([i for i, group in enumerate(samples.groups) if group in old])
    before = split(kept)
    moved = sum(sides[name] != side for name, side in before.items())
    assert moved / len(before) <= 0.01     # a hundred thousand samples: 0.003 (bench_split.py)


def test_labels_of_one_sample_are_trained() -> None:
    pairs = {f"s{n}": f"common rare{n}" for n in range(40)}
    assert set(split(_few(**pairs), val_split=0.9).values()) == {"train"}


def test_the_three_shares_are_kept_together(samples: Samples) -> None:
    counts = _counts(samples, split(samples, val_split=0.2, test_split=0.1))
    for label, found in counts.items():
        assert abs(found["test_id"] / found.total() - 0.1) <= 0.01, label
        assert abs(found["val"] / found.total() - 0.2) <= 0.02, label


def test_a_provider_with_a_label_of_its_own_is_not_drawn() -> None:
    given = _few(a="ship", b="ship", c="ship", d="ship", e="ship tank", f="ship", g="ship")
    found = split(given, ood_providers=6)
    assert found["e"] == "train"
    assert Counter(found.values())["test_ood"] == 6


def test_a_label_that_only_named_providers_have_is_told_and_they_are_not_held_out() -> None:
    given = _few(a="ship", b="ship tank", c="ship tank", d="ship")
    with pytest.raises(duckdb.Error, match=r"--ood-providers: .* no picture of tank is left to train on;"):
        split(given, ood_providers=["b", "c"])
    with pytest.raises(duckdb.Error, match=r"--ood-providers: .* nothing is left to train on;"):
        split(given, ood_providers=["a", "b", "c", "d"])


def test_providers_whose_pictures_have_no_labels_are_drawn_too_but_never_all() -> None:
    given = _few(a="", b="", c="", d="", e="", f="")
    assert Counter(split(given, ood_providers=1, val_split=0).values()) == {"test_ood": 1, "train": 5}
    assert Counter(split(given, ood_providers=6, val_split=0).values()) == {"test_ood": 5, "train": 1}


@pytest.mark.parametrize("seed", range(5))
def test_pictures_without_labels_are_trained_before_they_are_tested(seed: int) -> None:
    assert split(_few(a=""), val_split=0.9, seed=seed) == {"a": "train"}


def test_a_provider_named_is_held_out_with_all_that_shares_its_groups() -> None:
    given = Samples(["a", "b", "c"], ["g", "g", "h"], ["O'Hara", "Other", "Third"], [["ship"]] * 3)
    assert split(given, ood_providers=["O'Hara"]) == {"a": "test_ood", "b": "test_ood", "c": "train"}


def test_the_split_of_fixed_samples_is_the_same_for_ever() -> None:
    fixed = long_tailed(60, 40, 5, seed=7)
    sides = split(fixed, test_split=0.1, ood_providers=1)
    letters = "".join(sides[name].removeprefix("test_")[0] for name in fixed.names)
    assert letters == "itttvvttvttvvitivvvtvivtvtittttvtvovtttttttvtvvttvvotittvvvv"
