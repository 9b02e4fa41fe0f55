"""normalise: fixtures through dbt into a lake, and what must be in it afterwards."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from lake import Lake, catalog
from lake.errors import EmptyLake, LakeBusy, TransformError
from lake.tables import RAW_HITS, RECORD_LABELS, RECORDS, REJECTIONS, Table
from pipelines.cache_folder import cache_folder
from pipelines.transform import normalise, vocabulary
from tests.hit_fixtures import ARCHIVES, FIXTURES, fixture_items, hit, load_hits
from tests.lakes import little_room, write_raw

QUERIES = {"demo": "train", "europeana": "Ship", "sa_kuva": "panssarivaunu"}
MARTS = (RECORDS, REJECTIONS, RECORD_LABELS)
BROKEN = (
    '{"id": "cut short", "title": "Tra', '"only a string"', "[1, 2]", "null", "",
    '{"id": "surrogate", "title": "\\ud800", "picture": "/a.jpg"}',
)
UNTIDY: tuple[dict[str, Any], ...] = (
    {"id": "year", "title": "Absurd year", "made": "123456789", "picture": "/year.jpg"},
    {"id": "long", "title": "x" * 1_000_000, "picture": "/long.jpg"},
    {
        "id": "objects", "title": [{"en": "In a list"}], "note": {"fi": []}, "picture": ["/list.jpg"],
        "keywords": [["a", None], {"b": 1}],
    },
    {
        "id": "numbers", "title": 1943, "made": 1943, "makers": 7, "picture": "/numbers.jpg",
        "licence": {"en": "CC0"},
    },
    {
        "id": "  spaced  ", "title": "\u200b \u00a0", "note": "&nbsp;&lt;br&gt;&amp;amp;",
        "picture": " /a b.jpg ",
    },
)


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Every archive's fixture, broken and untidy hits and a repeated search, normalised once."""
    lake = Lake(tmp_path_factory.mktemp("transform") / "lake")
    for archive in ARCHIVES:
        load_hits(lake, archive, QUERIES.get(archive, "ship"), fixture_items(archive))
    write_raw(lake, RAW_HITS, _more_hits(), "demo")
    load_hits(lake, "elsewhere", "ship", [{"id": "1", "picture": "/1.jpg"}])
    normalise(lake, ARCHIVES)
    return lake


def _more_hits() -> list[dict[str, object]]:
    first = fixture_items("demo")[0]
    older = datetime(2025, 1, 1, tzinfo=UTC)
    again = [hit("demo", query, first) for query in ("Locomotive", " northport RIDDLE ", "train", "*")]
    outdated = hit("demo", "train", first | {"title": "Old title"}, fetched_at=older)
    broken = [hit("demo", "train", text, native_id=f"broken-{n}") for n, text in enumerate(BROKEN)]
    return [*again, outdated, *broken, *(hit("demo", "train", item) for item in UNTIDY)]


def _rows(lake: Lake, sql: str) -> list[dict[str, Any]]:
    return catalog.rows(lake, sql)


def _one(lake: Lake, sql: str) -> dict[str, Any]:
    (row,) = _rows(lake, sql)
    return row


@pytest.mark.parametrize("archive", ARCHIVES)
def test_an_archives_answers_become_the_records_they_must(fixtures: Lake, archive: str) -> None:
    expected = json.loads((FIXTURES / "records" / f"{archive}.json").read_text(encoding="utf-8"))
    names = [name for name in expected[0] if name not in ("queries", "labels", "n_hits")]
    ids = ", ".join(f"'{row['record_id']}'" for row in expected)
    chosen = f"select {', '.join(names)} from records where record_id in ({ids}) order by record_id"
    found = _rows(fixtures, chosen)
    as_json = json.loads(json.dumps(found, default=str))
    assert as_json == [{name: row[name] for name in names} for row in expected]


@pytest.mark.parametrize("table", MARTS, ids=lambda table: table.name)
def test_marts_have_the_columns_of_the_contract_in_its_types(fixtures: Lake, table: Table) -> None:
    written = pq.read_schema(fixtures.mart(table.name))
    assert {field.name: field.type for field in written if field.name in table.schema.names} == {
        field.name: field.type for field in table.schema
    }


def test_every_hit_is_in_a_record_or_in_rejections(fixtures: Lake) -> None:
    counts = _one(fixtures, """
        select
            (select count(distinct hit_id) from raw_hits) as hits,
            (select sum(n_hits) from records) as kept,
            (select count(*) from rejections) as rejected
    """)
    assert counts["hits"] == counts["kept"] + counts["rejected"]


def test_rejections_name_their_rule(fixtures: Lake) -> None:
    found = _rows(fixtures, "select native_id, rule from rejections where archive = 'demo'")
    rules = {str(row["native_id"]): row["rule"] for row in found}
    broken = {f"broken-{n}": "malformed_json" for n in range(len(BROKEN))}
    assert rules == {"NP-9004": "no_image", "None": "missing_id"} | broken


def test_an_object_found_by_several_searches_is_one_record(fixtures: Lake) -> None:
    record = _one(fixtures, "select title, queries, labels, n_hits from records where native_id = 'NP-9001'")
    assert record["queries"] == [" northport RIDDLE ", "*", "Locomotive", "train"]
    assert record["labels"] == ["northport riddle", "train"]
    assert record["n_hits"] == 4


def test_the_newest_payload_counts(fixtures: Lake) -> None:
    record = _one(fixtures, "select title from records where native_id = 'NP-9001'")
    assert record["title"] == "Steam train & crew"


def test_untidy_fields_are_read_or_left_empty(fixtures: Lake) -> None:
    by_id = {row["native_id"]: row for row in _rows(fixtures, "select * from records")}
    numbers, spaced = by_id["numbers"], by_id["spaced"]
    assert by_id["year"]["year"] is None
    assert len(by_id["long"]["title"]) == 1_000_000
    assert by_id["objects"]["title"] == "In a list"
    assert (numbers["title"], numbers["year"], numbers["creators"]) == ("1943", 1943, ["7"])
    assert (spaced["title"], spaced["description"]) == (None, "&")
    assert spaced["image_url"] == "http://demo.glamlake.invalid/a%20b.jpg"


def test_a_search_that_the_record_does_not_speak_of_is_low_in_confidence(fixtures: Lake) -> None:
    found = _rows(fixtures, "select * from record_labels where source = 'query' and label = 'ship'")
    low = {row["record_id"] for row in found if row["confidence"] < 0.5}
    assert "europeana:/9907/katu_2" in low
    assert "europeana:/9907/laiva_1" not in low


def test_normalising_again_in_another_order_gives_the_same_bytes(fixtures: Lake, tmp_path: Path) -> None:
    other = Lake(tmp_path / "other")
    for archive in reversed(ARCHIVES):
        rows = [hit(archive, QUERIES.get(archive, "ship"), item) for item in fixture_items(archive)]
        rows += _more_hits() if archive == "demo" else []
        for row in reversed(rows[: len(rows) // 2]):
            write_raw(other, RAW_HITS, [row], archive)
        write_raw(other, RAW_HITS, rows[: len(rows) // 2 - 1 : -1], archive)
    load_hits(other, "elsewhere", "ship", [{"id": "1", "picture": "/1.jpg"}])
    normalise(other, tuple(reversed(ARCHIVES)))
    for table in MARTS:
        assert other.mart(table.name).read_bytes() == fixtures.mart(table.name).read_bytes(), table.name


def test_hits_of_an_archive_without_a_model_are_rejected(fixtures: Lake) -> None:
    found = _rows(fixtures, "select native_id, rule from rejections where archive = 'elsewhere'")
    assert found == [{"native_id": "1", "rule": "unknown_archive"}]


def test_a_lake_without_hits_is_empty(lake: Lake) -> None:
    with pytest.raises(EmptyLake, match="glamlake harvest"):
        normalise(lake, ARCHIVES)


def test_a_second_process_is_told_to_wait(lake: Lake) -> None:
    load_hits(lake, "demo", "train", fixture_items("demo"))
    lake.locks.mkdir()
    with FileLock(lake.locks / "transform.lock"), pytest.raises(LakeBusy, match="another process"):
        normalise(lake, ARCHIVES)


def test_an_archive_without_sql_is_named_and_nothing_is_lost(fixtures: Lake) -> None:
    before = fixtures.mart("records").read_bytes()
    with pytest.raises(TransformError, match="stg_nowhere__records"):
        normalise(fixtures, [*ARCHIVES, "nowhere"])
    assert fixtures.mart("records").read_bytes() == before


def test_the_source_tree_stays_as_it_is(fixtures: Lake) -> None:
    project = Path(__file__).parent.parent / "sql"
    strays = [name for name in ("target", "logs", ".user.yml", "dbt_packages") if (project / name).exists()]
    assert strays == []
    assert (fixtures.dbt / "logs" / "dbt.log").exists()
    assert not (Path.cwd() / "logs").exists()


def test_the_default_searches_are_the_vocabularys() -> None:
    english, finnish = vocabulary("en"), vocabulary("fi")
    assert len(english) >= 150
    assert len(finnish) >= 150
    assert {"steam train", "aeroplane"} <= set(english)
    assert {"höyryjuna", "lentokone"} <= set(finnish)
    assert len(set(vocabulary())) == len(set(english) | set(finnish))


@pytest.mark.usefixtures("fixtures")      # they leave a cache
def test_a_full_disk_is_said_and_the_next_run_does_it_all(lake, tmp_path, monkeypatch):
    load_hits(lake, "demo", "train", fixture_items("demo")[:3])
    shutil.copytree(cache_folder(), tmp_path / "cache")     # what dbt leaves there is cut short, too
    monkeypatch.setenv("GLAMLAKE_CACHE", str(tmp_path / "cache"))
    with little_room(2000), pytest.raises(TransformError, match=r"for want of room, .*; make room"):
        normalise(lake, ARCHIVES)
    assert not lake.mart("records").exists()
    assert normalise(lake, ARCHIVES)["records"] == 3
