"""Exclusion rules are data: which objects they keep out, and the words they say they saw."""

from functools import cache
from typing import Any

import pytest

from tests.model_room import ModelRoom

OBJECT = {
    "archive": "demo",
    "native_id": "1",
    "title": None,
    "description": None,
    "provider": None,
    "titles": [],
    "descriptions": [],
    "creators": [],
    "concept_uris": [],
    "collections": [],
    "subjects": [],
    "object_types": [],
}


@cache
def _room() -> ModelRoom:
    return ModelRoom()


def excluded(rule: tuple[str, str, str, str], **fields: Any) -> dict[str, Any] | None:
    """What one rule (archive, field, match kind, value) finds in one object."""
    room = _room()
    room.con.execute(
        "create or replace table exclusions (archive text, field text, match_kind text, value text,"
        " reason text)"
    )
    room.con.execute("insert into exclusions values (?, ?, ?, ?, 'why not')", list(rule))
    row = OBJECT | fields
    texts = ", ".join(f"?::varchar{'[]' if isinstance(OBJECT[name], list) else ''} as {name}" for name in row)
    room.con.execute(f"create or replace table int_records__cleaned as select {texts}", list(row.values()))
    rows = room.build("int_records__excluded").rows("select found from int_records__excluded")
    return rows[0]["found"] if rows else None


def test_a_word_is_not_found_inside_another() -> None:
    rule = ("*", "title", "words", "map")
    assert excluded(rule, title="Maple in autumn") is None
    found = excluded(rule, title="Turku: an old MAP, 1923")
    assert found == {"rule": "excluded_title", "detail": '"MAP" in "Turku: an old MAP, 1923" (map: why not)'}


def test_case_accents_and_signs_do_not_count_and_the_span_is_as_written() -> None:
    found = excluded(("*", "description", "words", "muhle am see"), description="Die Mühle am See, 1900")
    assert found is not None
    assert found["detail"].startswith('"Mühle am See" in "Die Mühle')


@pytest.mark.parametrize(
    ("kind", "title", "is_out"),
    [
        ("whole", "Test record!", True),
        ("whole", "A test record", False),
        ("start", "Test record 12", True),
        ("start", "A test record", False),
        ("words", "A test record of speed", True),
        ("words", "A test of records", False),
    ],
)
def test_the_kind_of_match_says_where_the_words_stand(kind: str, title: str, is_out: bool) -> None:
    assert (excluded(("*", "title", kind, "test record"), title=title) is not None) == is_out


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("provider", {"provider": "Northport Bank"}),
        ("creator", {"creators": ["A", "Northport Bank"]}),
        ("collection", {"collections": ["Northport Bank, coins"]}),
        ("subject", {"subjects": ["northport bank"]}),
        ("object_type", {"object_types": ["Northport Bank note"]}),
        ("title", {"titles": ["Der Northport Bank"]}),
    ],
)
def test_every_field_can_be_looked_at(field: str, fields: dict[str, Any]) -> None:
    rule = ("demo", field, "words", "northport bank")
    assert (excluded(rule, **fields) or {}).get("rule") == f"excluded_{field}"
    assert excluded(("europeana", *rule[1:]), **fields) is None


def test_a_concept_is_compared_as_an_address() -> None:
    uris = ["http://vocab.getty.edu/aat/300028094"]
    assert excluded(("*", "concept", "whole", uris[0]), concept_uris=uris) is not None
    assert (
        excluded(("*", "concept", "whole", "http://vocab.getty.edu/aat/30002809"), concept_uris=uris) is None
    )
