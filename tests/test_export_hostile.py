"""Metadata that looks like code leaves as it is, and breaks neither a table nor the card."""

import csv
import json
import re
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
import webdataset as wds

from lake import Lake
from lake.tables import RAW_HARVESTS
from pipelines.exports import ExportOptions, export
from tests.export_lakes import read_csv, record_of, sample, stock
from tests.lakes import NOON, noise_jpeg, write_raw

TEXTS = [
    "=cmd|' /C calc'!A0", "---\nlicense: mit\n---", "# heading\n\n<script>alert(1)</script>", "| a |\n|---|",
    "[x](javascript:alert(1)) `code` **bold**", "nul \x00 inside", "\u202egnp.exe", "🚋👩\u200d🚀",
    "a\u2028b\x85c\x0bd", "../../etc/passwd", "\ufeffbom", "\r", "\\", '"', "{{ jinja }} {% x %}",
    "x" * 70_000,
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Every text as title, caption, label, credit, institution, search and native id."""
    lake = Lake(tmp_path_factory.mktemp("hostile") / "lake").open()
    rows = [
        sample(lake, noise_jpeg(i, (20, 20)), title=text, caption=text, attribution=text, labels=[text[:40]],
               label=text[:40], record_ids=[f"demo:{i}"])
        for i, text in enumerate(TEXTS)
    ]
    stock(lake, rows, [
        record_of(row) | {
            "record_id": f"demo:{i}", "native_id": text, "provider": text, "queries": [text[:40]],
        }
        for i, (row, text) in enumerate(zip(rows, TEXTS, strict=True))
    ])
    write_raw(lake, RAW_HARVESTS, [{
        "query": TEXTS[2], "slice": TEXTS[3], "status": "truncated", "announced": 5, "received": 1,
        "recorded_at": NOON,
    }])
    return lake


@pytest.fixture(scope="module")
def shards(hostile: Lake) -> Path:
    return export(hostile, "webdataset", "shards", ExportOptions(labels=tuple(text[:40] for text in TEXTS)))


def titles(lake: Lake) -> dict[str, str]:
    table = pd.read_parquet(lake.mart("samples"))
    return dict(zip(table["sample_id"], table["title"], strict=True))


def test_every_reader_of_csv_gets_every_title(hostile: Lake) -> None:
    path = export(hostile, "csv", "table") / "metadata_multi_label.csv"
    by_pandas, by_polars = read_csv(path), pl.read_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        by_python = {row["id"]: row["title"] for row in csv.DictReader(file)}
    with duckdb.connect() as con:
        by_duckdb = dict(con.sql(f"select id, title from '{path}'").fetchall())
    found = [
        by_python, by_duckdb, dict(zip(by_pandas["id"], by_pandas["title"], strict=True)),
        dict(zip(by_polars["id"], by_polars["title"], strict=True)),
    ]
    assert found == [titles(hostile)] * 4


def test_eufcc_has_a_row_for_each_record_whatever_its_id(hostile: Lake) -> None:
    assert set(read_csv(export(hostile, "eufcc", "set") / "train.csv")["idInSource"]) == set(TEXTS)


def test_members_of_shards_are_named_by_samples_and_carry_the_texts(hostile: Lake, shards: Path) -> None:
    found = list(wds.WebDataset([str(shards / "train/00000.tar")], shardshuffle=False).decode())
    assert {row["__key__"]: row["txt"] for row in found} == titles(hostile)
    assert all(row["json"]["title"] == row["txt"] for row in found)


def test_every_picture_has_one_line_of_attribution_that_hides_nothing(shards: Path) -> None:
    lines = (shards / "ATTRIBUTION").read_text(encoding="utf-8").split("\n")
    assert len(lines) == len(TEXTS) + 1
    assert {line.count("\t") for line in lines[:-1]} == {3}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e]", "".join(lines))


def test_the_card_shows_the_texts_and_does_nothing_else(shards: Path) -> None:
    card = (shards / "README.md").read_text(encoding="utf-8")
    front, body = card.split("---\n", 2)[1:]
    assert {line.split(":")[0] for line in front.splitlines()} == {
        "pretty_name", "license", "tags", "size_categories",
    }
    assert all(isinstance(json.loads(line.split(": ", 1)[1]), str | list) for line in front.splitlines())
    assert r"\<script\>alert(1)\</script\>" in body
    assert not re.search(r"(?<!\\)<\w|(?<!\\)\]\(|^(---|# heading|\|---\|$)|\r|\x00", body, re.MULTILINE)
    assert r"\[x\](javascript:alert(1)) \`code\` \*\*bold\*\* (1)" in body
