"""Items of an answer are the very characters that were sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import UnexpectedAnswer
from pipelines.archives._verbatim import split_items

ODD = '{"n": 1.10, "big": 123456789012345678901234567890, "s": "\\/\\ud800\\u00e4", "n": 2 }'

json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12,
)


def test_numbers_escapes_spaces_and_repeated_keys_survive():
    _, items = split_items(f' {{"total" : 2, "items": [ {ODD} ,\n[1.0] ] }} ', "items", "x")
    assert [text for text, _ in items] == [ODD, "[1.0]"]


def test_the_rest_of_the_answer_is_the_envelope():
    envelope, items = split_items('{"total": 2, "items": [], "next": {"a": [1]}}', "items", "x")
    assert (envelope, items) == ({"total": 2, "next": {"a": [1]}}, [])


def test_an_answer_without_the_list_has_no_items():
    assert split_items('{"resultCount": 0}', "records", "x") == ({"resultCount": 0}, [])
    assert split_items("{}", "records", "x") == ({}, [])


@pytest.mark.parametrize("text", ["", "[1]", '{"items": [1, 2', '{"items": [1 2]}', '{"a" 1}', "{"])
def test_what_is_not_one_whole_object_is_named(text):
    with pytest.raises(UnexpectedAnswer, match=r"archive-x did not send whole JSON"):
        split_items(text, "items", "archive-x")


def test_a_web_page_where_json_was_expected_is_called_one():
    with pytest.raises(UnexpectedAnswer, match="archive-x sent a web page instead of JSON"):
        split_items("<html>", "items", "archive-x")


def test_an_answer_nested_beyond_reason_is_refused_not_fatal():
    with pytest.raises(UnexpectedAnswer):
        split_items('{"items": [' + "[" * 200_000, "items", "x")


@given(st.lists(json_values), st.dictionaries(st.text(), json_values), st.sampled_from([None, 2]))
def test_any_items_come_back_as_the_json_module_wrote_them(items, envelope, indent):
    envelope.pop("items", None)
    text = json.dumps({**envelope, "items": items}, indent=indent)
    found_envelope, found = split_items(text, "items", "x")
    assert [value for _, value in found] == items
    assert all(piece in text and json.loads(piece) == value for piece, value in found)
    assert found_envelope == envelope
