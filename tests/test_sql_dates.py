"""Dates as intervals: what catalogues write, and the first and last day it stands for."""

import csv
import json
import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.model_room import ModelRoom

SAMPLES = os.environ.get("GLAMLAKE_SAMPLES")
TABLE = Path(__file__).parent / "fixtures" / "dates.csv"
SEEDS = ("date_words", "date_habits", "date_parts")
# fields of the recorded answers that say when a picture was made
DATE_FIELDS = {
    "europeana": r"(year|edmTimespanLabel(LangAware)?|dcDate|dctermsCreated|dctermsTemporal)(\.|$)",
    "finna": r"^year$",
    "contentdm": r"(^|\.)(datea|records\.date)$",
    "loc": r"(results\.date|item\.date|created_published|created_published_date)$",
    "national_archives": r"(logicalDate)$",
}


def read(*given: tuple[str, str]) -> list[dict[str, Any]]:
    """What becomes of each (text, archive), in the order given, as rows of int_records__dated."""
    room = ModelRoom().seed(*SEEDS)
    room.con.execute(
        "create table int_records__cleaned (record_id integer, archive varchar, date_texts varchar[])"
    )
    rows = [(n, archive or "demo", text) for n, (text, archive) in enumerate(given)]
    room.con.executemany("insert into int_records__cleaned values (?, ?, [?])", rows)
    room.build("int_dates__parsed").build("int_records__dated")
    return room.rows("select * from int_records__dated order by record_id")


def test_each_date_string_of_the_table_becomes_its_interval() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) >= 150
    found = read(*((row["text"], row["archive"]) for row in table))
    as_text = [
        {
            "text": row["text"],
            "archive": row["archive"],
            "start": str(got["date_start"] or ""),
            "end": str(got["date_end"] or ""),
            "precision": got["date_precision"] or "",
            "rule": got["date_rule"] or "",
        }
        for row, got in zip(table, found, strict=True)
    ]
    assert [row for row, must in zip(as_text, table, strict=True) if row != must] == []


def test_a_doubted_date_is_approximate_and_its_interval_stays() -> None:
    doubted, plain = read(("ca. 1916?", ""), ("1916", ""))
    assert (doubted["is_date_approximate"], plain["is_date_approximate"]) == (True, False)
    assert doubted["date_start"] == plain["date_start"] == date(1916, 1, 1)


def test_an_open_interval_has_one_end_and_a_year_only_where_it_starts() -> None:
    before, after = read(("ennen 1920", ""), ("after 1945", ""))
    assert (before["date_start"], before["date_end"], before["year"]) == (None, date(1920, 12, 31), None)
    assert (after["date_start"], after["date_end"], after["year"]) == (date(1945, 1, 1), None, 1945)


def test_of_several_dates_the_narrowest_is_kept_and_of_unread_ones_all() -> None:
    room = ModelRoom().seed(*SEEDS)
    room.con.execute("""
        create table int_records__cleaned as from (values
            (1, 'demo', ['1916', 'after 1910', '1916-10-02', '20th century']),
            (2, 'demo', ['long ago', 'no date'])
        ) as v(record_id, archive, date_texts)
    """)
    room.build("int_dates__parsed").build("int_records__dated")
    first, second = room.rows("select * from int_records__dated order by record_id")
    assert (first["date_raw"], first["date_rule"]) == ("1916-10-02", "iso_day")
    assert (second["date_raw"], second["date_rule"], second["year"]) == ("long ago | no date", None, None)


def test_no_text_makes_the_reader_fail() -> None:
    hostile = [
        "",
        " ",
        "/",
        "-",
        "--",
        "<>",
        "1939-13",
        "1939-13-45",
        "99.99.1999",
        "m13 1920",
        "99th century",
        "0th century",
        "r00 cent",
        "1" * 5000,
        "1/" * 50,
        "half half century",
        "2024-02-30/2024-02-31",
        "q9 1920",
        "19\u202e45",
        "31.12.9999",
        "00.00.0000",
        "d9c99",
        "ⅩⅨ",
        "١٩٤٥",
    ]
    found = read(*((text, "") for text in hostile))
    assert {row["year"] for row in found if row["date_raw"] != "2024-02-30/2024-02-31"} <= {None, 1939}


@pytest.mark.real
def test_recorded_date_strings_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    if not SAMPLES:
        pytest.skip("GLAMLAKE_SAMPLES names no folder of recorded answers")
    texts = sorted(set(_recorded_dates(Path(SAMPLES))))
    found = read(*texts)
    unread = [text for text, row in zip(texts, found, strict=True) if row["date_rule"] is None]
    with capsys.disabled():
        print(f"\n{len(texts) - len(unread)} of {len(texts)} recorded date strings read; unread: {unread}")
    assert len(unread) <= 0.07 * len(texts)


def _recorded_dates(folder: Path) -> Iterator[tuple[str, str]]:
    archives = {
        "finna": "sa_kuva",
        "loc": "loc_maps",
        "contentdm": "smu",
        "national_archives": "national_archive",
    }
    for path in sorted(folder.glob("*/*.json")):
        pattern = DATE_FIELDS.get(path.parent.name)
        if pattern is None:
            continue
        for field, text in _leaves(json.loads(path.read_text(encoding="utf-8"))):
            is_subject_date = field.endswith("subjects") and re.match(r"(valmistus|kuvaus|otto)aika", text)
            if re.match(r"https?://(?!semium)", text):
                continue  # a concept's address says nothing by itself
            if (re.search(pattern, ".".join(field.split(".")[-2:])) or is_subject_date) and text.strip():
                yield " ".join(text.split()), archives.get(path.parent.name, path.parent.name)


def _leaves(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{field}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, field)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield field, str(value)
