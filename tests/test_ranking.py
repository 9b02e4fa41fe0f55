"""The order of results, on numbers that can be worked out by hand."""

import numpy as np
import pytest

from lake.ranking import Hit, collapsed, fused, varied


def hits(*names: str) -> list[Hit]:
    return [Hit(name, row_id=ord(name), score=1 - place / 10) for place, name in enumerate(names)]


def names(found: list[Hit]) -> str:
    return "".join(hit.sample_id for hit in found)


def test_what_several_rankings_agree_on_comes_first():
    found = fused({"visual": hits("a", "b", "c"), "title": hits("c", "d"), "text": hits("c")})
    assert names(found) == "cabd"


def test_a_fused_score_says_how_near_to_first_everywhere():
    found = fused({"visual": hits("a", "b"), "title": hits("a"), "text": hits("a")})
    assert [hit.score for hit in found] == pytest.approx([1, (1 / 62) / (2 / 61)])


def test_shares_say_what_a_hit_was_found_by():
    found = {hit.sample_id: hit.shares for hit in fused({"visual": hits("a"), "title": hits("b", "a")})}
    assert found["b"] == {"title": 1}
    assert found["a"] == pytest.approx({"visual": (1 / 61) / (1 / 61 + 0.5 / 62),
                                        "title": (0.5 / 62) / (1 / 61 + 0.5 / 62)})


def test_equal_scores_are_ordered_by_id():
    assert names(fused({"title": hits("z"), "text": hits("a")})) == "az"


def test_of_near_duplicates_the_first_is_kept_and_none_comes_again_later():
    found = [Hit("a", 1, 0.9, "x"), Hit("b", 2, 0.8), Hit("c", 3, 0.7, "x"), Hit("d", 4, 0.6, None)]
    seen: set[str] = set()
    assert names(collapsed(found, seen)) == "abd"
    assert names(collapsed([Hit("e", 5, 0.5, "x"), Hit("f", 6, 0.4)], seen)) == "f"


def test_a_sample_named_like_a_cluster_is_no_duplicate_of_it():
    assert names(collapsed([Hit("x", 1, 0.9), Hit("y", 2, 0.8, "x")], set())) == "xy"


def test_without_collapsing_only_the_same_sample_is_left_out():
    seen = {"a"}
    assert names(collapsed([Hit("a", 1, 0.9, "x"), Hit("b", 2, 0.8, "x")], seen, near_too=False)) == "b"


VECTORS = np.array([[1, 0], [0.999, 0.04], [0, 1], [0.7, 0.7]], dtype=np.float32)


def test_no_diversity_leaves_the_order():
    assert names(varied(hits("a", "b", "c", "d"), VECTORS, 0)) == "abcd"


def test_diversity_takes_the_unlike_before_the_alike():
    assert names(varied(hits("a", "b", "c", "d"), VECTORS, 0.7)) == "acdb"


def test_diversity_keeps_the_best_first_and_loses_nobody():
    for diversity in (0.1, 0.5, 1):
        found = names(varied(hits("a", "b", "c", "d"), VECTORS, diversity))
        assert (found[0], sorted(found)) == ("a", list("abcd"))
