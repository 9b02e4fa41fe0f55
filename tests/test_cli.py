"""The command line as people meet it: help, bad input, and answers that scripts read."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lake import Lake, catalog
from lake.errors import EmptyLake, NotALake
from lake.tables import RAW_HITS, RECORDS
from pipelines.cli import cli
from pipelines.commands.curating import how_many_or_who
from pipelines.replay import FinnaService, ReplayServer
from tests.commands import glamlake
from tests.lakes import NOON, write_mart, write_raw
from tests.test_harvest import IN_SA_KUVA

COMMANDS = sorted(cli.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_ends_with_an_example(name):
    answer = CliRunner().invoke(cli, [name, "--help"])
    assert answer.exit_code == 0
    last = answer.output.strip().splitlines()[-1]
    assert last.strip().startswith(f"glamlake {name}")


def test_the_commands_others_rely_on_are_all_there():
    assert set(COMMANDS) >= {
        "archives", "harvest", "normalise", "fetch", "curate", "embed", "search", "export", "train",
        "evaluate", "check", "status", "serve", "sql", "run", "demo",
    }


@pytest.mark.parametrize(("words", "status", "said"), [
    (["harvest", "nowhere"], 2, "no archive named 'nowhere'; there are: demo, eufcc, europeana"),
    (["harvest", "europeana", "--query", "x"], 2, "set EUROPEANA_API_KEY"),
    (["harvest"], 2, "Missing argument"),
    (["harvest", "sa_kuva", "--start-date", "soon"], 2, "'soon' is no date"),
    (["harvest", "sa_kuva", "--start-date", "1945", "--end-date", "1939"], 2, "is after"),
    (["harvest", "sa_kuva", "--query-file", "/nowhere/q.txt"], 2, "cannot read the query file"),
    (["harvest", "sa_kuva", "--base-url", "gopher://x"], 2, "no http or https address"),
    (["harvest", "sa_kuva", "--limit", "0"], 2, "--limit"),
    (["nonsense"], 2, "No such command"),
    (["sql"], 2, "Missing argument"),
])
def test_bad_input_is_one_clear_line_and_makes_no_lake(tmp_path, words, status, said):
    done = glamlake(tmp_path / "lake", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr
    assert not (tmp_path / "lake").exists()


READING = [
    ["normalise"], ["fetch"], ["curate"], ["embed"], ["search", "x"], ["export", "csv", "a"],
    ["train", "a", "b"], ["evaluate"], ["check"], ["status"], ["report"], ["drift"],
    ["sql", "select 1"],
    ["why", "demo:1"], ["rules"], ["labels"], ["ask", "what_is_missing"],
]


def test_a_lake_that_is_not_there_is_one_clear_line_and_is_not_made(tmp_path):
    done = glamlake(tmp_path / "lake", "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("glamlake: there is no lake at")
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_an_empty_lake_is_one_clear_line(lake, words):
    done = glamlake(lake.root, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "glamlake harvest" in done.stderr


@pytest.mark.parametrize("name", ["lake [1]", "*", "what?"])
def test_a_lake_whose_name_is_a_pattern_is_refused_and_not_made(tmp_path, name):
    with pytest.raises(NotALake, match=r"without \* \? \["):
        cli.main(["--lake", str(tmp_path / name), "harvest", "demo"], standalone_mode=False)
    assert list(tmp_path.iterdir()) == []


TOUCHING = [["status"], ["harvest", "sa_kuva", "--query", "x"], ["demo"]]


@pytest.mark.parametrize("words", TOUCHING, ids=lambda words: words[0])
def test_a_lake_that_is_a_file_is_left_as_it_is(tmp_path, words):
    path = tmp_path / "lake"
    path.write_text("mine")
    done = glamlake(path, *words)
    assert done.returncode == 1
    assert done.stderr == f"glamlake: {path} is a file; --lake wants a folder (it is made if missing)\n"
    assert path.read_text() == "mine"


def test_a_full_disk_is_one_clear_line_and_the_next_run_goes_on(lake):
    records = [
        {"id": f"sa-kuva.{i}", "title": "laiva", "summary": [f"{i}" * 50], **IN_SA_KUVA} for i in range(700)
    ]
    with ReplayServer([FinnaService(records)]) as server:
        asked = ("harvest", "sa_kuva", "--query", "laiva", "--base-url", server.url)
        done = glamlake(lake.root, *asked, largest_file=5_000)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.strip().splitlines()) == 1
        assert "cannot write to the lake" in done.stderr
        assert "; make room, then run again" in done.stderr
        assert glamlake(lake.root, *asked).returncode == 0
    [counted] = catalog.rows(lake, "select count(*) as n, count(distinct hit_id) as ids from raw_hits")
    assert counted == {"n": 700, "ids": 700}


@pytest.mark.parametrize("words", [
    ["curate", "--val-split", "nan"], ["curate", "--near-by-embedding", "nan"],
    ["fetch", "--max-side", "99", "--larger-than-mb", "inf"], ["search", "x", "--weight", "nan"],
], ids=" ".join)
def test_what_is_no_number_to_count_with_is_bad_usage(lake, words):
    with pytest.raises(click.BadParameter, match="is no number to count with"):
        cli.main(["--lake", str(lake.root), *words], standalone_mode=False)


def test_a_digit_that_is_no_number_is_a_name(lake):
    with pytest.raises(EmptyLake):
        cli.main(["--lake", str(lake.root), "curate", "--ood-providers", "²"], standalone_mode=False)


def test_a_provider_is_found_however_its_accents_are_typed():
    assert how_many_or_who(None, None, ("A\u0308iti ", "O'Hara")) == ("\u00c4iti", "O'Hara")
    assert (how_many_or_who(None, None, ("3",)), how_many_or_who(None, None, ())) == (3, 0)


def test_archives_are_told_with_key_and_paging():
    told = json.loads(CliRunner().invoke(cli, ["archives", "--json"]).output)
    keys = {row["archive"]: row["key"] for row in told}
    assert {archive: key for archive, key in keys.items() if key != "none"} == {
        "europeana": "EUROPEANA_API_KEY", "national_archive": "NARA_API_KEY (optional)",
    }
    assert {"demo", "eufcc", "loc_maps", "sa_kuva", "smu", "ww_vehicles", "wwii"} < set(keys)
    assert all(row["paging"] and row["rights"] and row["documentation"] for row in told)


@pytest.fixture(scope="module")
def asked_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = Lake(tmp_path_factory.mktemp("asked") / "lake").open()
    write_raw(lake, RAW_HITS, [{"hit_id": "1", "fetched_at": NOON}])
    write_mart(lake, RECORDS, [
        {"record_id": "demo:1", "title": 'Ship, "big"\nand old', "subjects": ["ä", "b"], "year": 1931},
        {"record_id": "demo:2"},
    ])
    return lake.root


ASK = "select record_id, title, subjects, year from records order by 1"


def test_sql_answers_as_csv_with_lists_as_json(asked_lake):
    rows = list(csv.reader(io.StringIO(glamlake(asked_lake, "sql", ASK, "--format", "csv").stdout)))
    assert rows == [
        ["record_id", "title", "subjects", "year"], ["demo:1", 'Ship, "big"\nand old', '["ä", "b"]', "1931"],
        ["demo:2", "", "", ""],
    ]


def test_sql_answers_as_json(asked_lake):
    rows = json.loads(glamlake(asked_lake, "sql", ASK, "--format", "json").stdout)
    assert rows[0]["subjects"] == ["ä", "b"]
    assert rows[1]["year"] is None


NO_SQL = ["select nothing from records", "selec 1", "drop table records", "", "select 1;;x"]


@pytest.mark.parametrize("statement", NO_SQL)
def test_sql_that_is_none_is_one_clear_line(asked_lake, statement):
    done = glamlake(asked_lake, "sql", statement)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_is_said_on_the_terminal_is_logged_in_the_lake(asked_lake):
    glamlake(asked_lake, "sql", "selec 1")
    logs = (asked_lake / "logs").glob("glamlake-*.log")    # two where midnight came between two tests
    assert any("BadSql" in log.read_text() for log in logs)


def test_processes_of_a_command_run_no_file_of_the_folder_one_is_in(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('run by mistake')")
    code = """if True:
        import subprocess, sys
        from pipelines.cli import main
        sys.argv[1:] = ["--version"]
        main()
        subprocess.run([sys.executable, "-c", "import json"], check=True)
    """
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment)
    assert done.returncode == 0
