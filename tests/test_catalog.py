"""catalog.duckdb: what somebody sees who knows DuckDB and nothing of us."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from lake import Lake, catalog
from lake.macros import MACROS, Macro
from lake.tables import CONTRACT_TABLES, RAW_HITS, RAW_TABLES, RECORDS
from pipelines.load import archive_loader
from tests.good_lake import good_lake
from tests.lakes import NOON, table_of, write_mart

Client = duckdb.DuckDBPyConnection
OLDEST_FORMAT = 64      # the number in the header of a file that DuckDB 1.0 opens
LOOKED_AT = [
    *(table.name for table in CONTRACT_TABLES), *(f"raw_{table.name}" for table in RAW_TABLES),
]


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = good_lake(Lake(tmp_path_factory.mktemp("explored") / "it's a lake").open())
    catalog.refresh_catalog(lake)
    return lake


@pytest.fixture(scope="module")
def client(explored: Lake) -> duckdb.DuckDBPyConnection:
    """A plain client of `catalog.duckdb`."""
    return duckdb.connect(str(explored.catalog), read_only=True)


def test_it_opens_from_another_folder_beside_a_running_stage(explored: Lake, tmp_path: Path) -> None:
    code = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True); "
        "print(con.sql('select count(*) from raw_hits').fetchall(), con.sql('from undated()').columns[0])"
    )
    explored.locks.mkdir(exist_ok=True)
    with FileLock(explored.locks / "transform.lock"):
        words = [sys.executable, "-c", code, str(explored.catalog)]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[(7,)] record_id"


def test_a_stage_writes_it_while_a_client_has_it_open(explored: Lake, client: Client) -> None:
    catalog.write_catalog(explored)
    assert client.sql("select count(*) from records").fetchall() == [(5,)]


def test_clients_older_than_ours_open_it(explored: Lake) -> None:
    header = explored.catalog.read_bytes()[8:20]
    assert (header[:4], int.from_bytes(header[4:], "little")) == (b"DUCK", OLDEST_FORMAT)


@pytest.mark.parametrize("view", LOOKED_AT)
def test_every_view_and_column_says_what_it_is(client: Client, view: str) -> None:
    [(told,)] = client.sql(f"select comment from duckdb_views() where view_name = '{view}'").fetchall()
    told_columns = f"select column_name, comment from duckdb_columns() where table_name = '{view}'"
    columns = client.sql(told_columns).fetchall()
    assert told.endswith(".")
    assert columns
    assert [name for name, comment in columns if not comment] == []


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_every_macro_has_a_comment_and_an_example_that_runs(
    client: Client, explored: Lake, macro: Macro
) -> None:
    told = f"select comment, parameters from duckdb_functions() where function_name = '{macro.name}'"
    assert client.sql(told).fetchall() == [(macro.comment, list(macro.parameters))]
    assert macro.name in macro.example
    assert len(client.sql(macro.example).fetchall()) == catalog.query(explored, macro.example).num_rows


@pytest.mark.parametrize(("asked", "found"), [
    ("select hash_distance('000000000000000f', '0000000000000000')", [(4,)]),
    ("select image_url from near('aaaaaaaaaaaaaaab', 1)",
     [("https://pictures.invalid/1.jpg",), ("https://pictures.invalid/2.jpg",)]),
    ("select native_id from overlapping('1932-12', '1933') order by 1", [("2",), ("3",)]),
    ("select native_id from overlapping('1940', '1950')", []),
    ("select native_id from labelled('ship') order by 1", [("1",), ("4",), ("5",)]),
    ("select native_id from mentions('THE HÁRBOUR') order by 1 limit 1", [("1",)]),
    ("select native_id from mentions('arbour')", []),
    ("select fill_rate(country), fill_rate(subjects) from records", [(1.0, 0.0)]),
    ("select decade_of(1939), first_day_of('1939'), last_day_of('1940-02')", None),
    ("select relation from copies_of('aaaaaaaaaaaaaaaa')", [("same_bytes",)]),
])
def test_macros_answer(
    client: Client, asked: str, found: list[tuple[object, ...]] | None
) -> None:
    answer = client.sql(asked).fetchall()
    if found is None:
        assert [str(value) for value in answer[0]] == ["1930", "1939-01-01", "1940-02-29"]
    else:
        assert answer == found


def test_an_interval_with_one_open_end_overlaps_whatever_lies_on_that_side(lake: Lake) -> None:
    good_lake(lake, "harvest")
    write_mart(lake, RECORDS, [
        {"record_id": "before 1914", "date_end": date(1913, 12, 31)},
        {"record_id": "after 1918", "date_start": date(1919, 1, 1)},
        {"record_id": "undated"},
    ])
    asked = "select record_id from overlapping('{}', '{}')"
    assert [row["record_id"] for row in catalog.rows(lake, asked.format(1500, 1600))] == ["before 1914"]
    assert [row["record_id"] for row in catalog.rows(lake, asked.format(1930, 1940))] == ["after 1918"]
    assert [row["record_id"] for row in catalog.rows(lake, "select record_id from undated()")] == ["undated"]


def test_it_is_written_again_only_when_what_it_shows_has_changed(lake: Lake) -> None:
    good_lake(lake, "harvest")
    catalog.refresh_catalog(lake)
    first = lake.catalog.stat().st_ino
    catalog.refresh_catalog(lake)
    assert lake.catalog.stat().st_ino == first
    write_mart(lake, RECORDS, [{"record_id": "demo:1"}])
    catalog.refresh_catalog(lake)
    assert duckdb.connect(str(lake.catalog)).sql("select record_id from records").fetchall() == [("demo:1",)]


def test_a_harvest_leaves_a_catalog(lake: Lake) -> None:
    with archive_loader(lake, "demo") as loader:
        loader.append({"hits": table_of(RAW_HITS, [{"hit_id": "1", "fetched_at": NOON, "payload": "{}"}])})
    with duckdb.connect(str(lake.catalog), read_only=True) as con:
        assert con.sql("select hit_id, archive from answers()").fetchall() == [("1", "demo")]


def test_a_broken_file_is_told_and_the_catalog_stays(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    good_lake(lake, "harvest")
    catalog.refresh_catalog(lake)
    before = lake.catalog.read_bytes()
    lake.marts.mkdir()
    lake.mart("records").write_bytes(b"torn")
    catalog.refresh_catalog(lake)
    assert "broken file" in caplog.text
    assert lake.catalog.read_bytes() == before
