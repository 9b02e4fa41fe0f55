"""Rights: what archives state, the one URI it becomes, and its class. Unknown is never open."""

import csv
from pathlib import Path
from typing import Any

from tests.model_room import ModelRoom

TABLE = Path(__file__).parent / "fixtures" / "rights.csv"
SEEDS = ("rights_statements", "rights_classes", "rights_phrases")


def classify(*texts: str) -> dict[str, dict[str, Any]]:
    """Rows of int_rights__classified by text."""
    room = ModelRoom().seed(*SEEDS)
    room.con.execute(
        "create table int_records__cleaned as select 1 as record_id, ? as rights_texts", [list(texts)]
    )
    room.build("int_rights__classified")
    return {row["rights_text"]: row for row in room.rows("select * from int_rights__classified")}


def test_each_statement_of_the_table_becomes_its_uri_and_class() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) >= 60
    found = classify(*(row["text"] for row in table))
    got = [
        {"text": text, "uri": row["rights_uri"] or "", "rights_class": row["rights_class"]}
        for text, row in ((must["text"], found[must["text"]]) for must in table)
    ]
    assert [row for row, must in zip(got, table, strict=True) if row != must] == []


def test_nothing_is_open_without_a_uri() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        found = classify(
            *(row["text"] for row in csv.DictReader(file)), "Open", "open access", "free to use", ""
        )
    assert [
        text for text, row in found.items() if row["rights_class"] == "open" and not row["rights_uri"]
    ] == []
    assert {found[text]["rights_class"] for text in ("Open", "open access", "free to use", "")} == {"unknown"}


def test_a_licence_is_named_with_its_version_and_country() -> None:
    found = classify("CC BY 3.0 DE", "http://creativecommons.org/licenses/by/4.0/deed.de")
    assert found["CC BY 3.0 DE"]["rights_name"] == "CC BY 3.0 DE"
    assert found["http://creativecommons.org/licenses/by/4.0/deed.de"]["rights_name"] == "CC BY 4.0"


def test_of_a_records_statements_the_strictest_that_is_recognised_counts() -> None:
    room = ModelRoom().seed(*SEEDS)
    room.con.execute("""
        create table int_records__cleaned as from (values
            (1, ['CC BY 4.0', 'All rights reserved', 'ask us']), (2, ['ask us', 'CC0'])
        ) as v(record_id, rights_texts)
    """)
    room.build("int_rights__classified").build("int_records__licensed")
    first, second = room.rows("select * from int_records__licensed order by record_id")
    assert (first["rights_class"], first["rights_raw"]) == (
        "restricted",
        "CC BY 4.0 | All rights reserved | ask us",
    )
    assert second["rights_class"] == "open"
