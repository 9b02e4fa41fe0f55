"""`glamlake demo`, the commands the README shows, and the page: one lake, made once."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from lake import Lake, catalog
from lake.errors import UsageError
from lake.ledger import ledger
from lake.tables import RAW_HITS
from pipelines.demo.compound import QUERIES_FILE
from tests.commands import ROOT, Done, glamlake, typed
from tests.lakes import NOON, write_raw

SHORT_TRAINING_S = "1"


@dataclass(frozen=True)
class Demo:
    """The demo's lake and what it said the first and the second time."""

    lake: Lake
    first: Done
    second: Result


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "lake"
    first = glamlake(folder, "demo", "--seconds", SHORT_TRAINING_S)
    lake = Lake(folder)
    return Demo(lake, first, typed(lake.root, "demo", "--seconds", SHORT_TRAINING_S))


def test_it_ends_well_twice_and_the_second_time_finds_the_work_done(demo):
    assert demo.first.returncode == 0, demo.first.stderr
    assert demo.second.exit_code == 0, demo.second.output
    assert "fetched asked=0" in demo.second.stderr
    assert "trained on this data already" in demo.second.stderr
    assert "skipped=28 hits=0" in demo.second.stderr


def test_nothing_of_it_is_doubled_by_the_second_time(demo):
    [counted] = catalog.rows(demo.lake, """
        select (select count(*) = count(distinct hit_id) from raw_hits) as hits,
            (select count(*) = count(distinct image_url) from raw_images) as images
    """)
    assert counted == {"hits": True, "images": True}


def test_the_ledger_balances_and_knows_every_way_to_fail(demo):
    found = ledger(demo.lake)
    assert found.balanced
    statuses = ("ok", "blank", "corrupt", "not_an_image", "http_error", "too_small")
    assert all(found.count("images", status) for status in statuses)
    assert found.count("duplicates", "same_bytes")
    assert found.count("duplicates", "near")
    assert found.count("rejections", "no_image")


def test_one_picture_in_two_archives_is_one_sample(demo):
    [row] = catalog.rows(demo.lake, "select count(*) as n from samples where len(archives) > 1")
    assert int(str(row["n"])) >= 8


def test_retrieval_is_printed_beside_chance(demo):
    [found] = re.findall(r"R@5\s+([0-9.]+)\s+([0-9.]+)", demo.first.stdout)
    assert 0 < float(found[1]) < 0.1


def test_pictures_asked_for_by_a_picture_and_a_change_are_held_out_and_evaluate_takes_the_questions(demo):
    said = demo.first.stdout
    assert all(re.search(rf"^{way} +0\.\d+", said, re.M) for way in ("picture and words", "chance"))
    [counted] = catalog.rows(demo.lake, """
        select count(*) as n, count(*) filter (split = 'val') as held_out
        from read_csv(?) as asked join samples on sample_id in (id1, id2)
    """, [str(demo.lake.reports / QUERIES_FILE)])
    assert counted["n"] == counted["held_out"] > 600
    done = typed(
        demo.lake.root, "evaluate", "--task", "composed", "--resamples", "0", "--json",
        "--queries", str(demo.lake.reports / QUERIES_FILE),
    )
    assert json.loads(done.stdout)["composed"]["methods"]["text_only"]["n_queries"] == 300, done.stderr


def test_it_shows_three_searches_a_contact_sheet_and_the_way_to_the_page(demo):
    assert demo.first.stdout.count("glamlake search") == 3
    assert "serve" in demo.first.stdout
    with Image.open(demo.lake.reports / "searches.png") as sheet:
        assert sheet.width > 800
    assert (demo.lake.reports / "data-quality" / "index.html").is_file()


def test_it_does_not_mix_with_a_real_archives_hits(demo, lake):
    write_raw(lake, RAW_HITS, [{"hit_id": "1", "base_url": "https://api.finna.fi", "fetched_at": NOON}])
    done = typed(lake.root, "demo")
    assert isinstance(done.exception, UsageError)
    assert "wants a lake of its own" in str(done.exception)


def readme_commands() -> list[tuple[str, str]]:
    """Each command in the README's transcripts, with the output shown under it."""
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    pairs = [block.partition("\n") for part in blocks for block in part.split("$ ")[1:]]
    return [(command, output) for command, _, output in pairs]


@pytest.mark.parametrize(("command", "shown"), readme_commands(), ids=lambda text: text.split("\n")[0][:40])
def test_the_readme_shows_what_happens(demo, command, shown):
    words = re.findall(r'"([^"]*)"|(\S+)', command)
    said = [quoted or plain for quoted, plain in words]
    if said[0] == "make":
        assert re.search(rf"^\.PHONY:.*\b{said[1]}\b", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    assert Path(said[0]).name == "glamlake"
    done = typed(demo.lake.root, *said[1:])
    assert done.exit_code == 0, done.output
    told = done.stdout.splitlines()
    for line in filter(None, shown.splitlines()):
        if line != "…":
            assert _without_scores(line) in [_without_scores(other) for other in told], command


def _without_scores(line: str) -> str:
    """A line of output without what the short training of a test makes different: scores, and model names."""
    return re.sub(r"-?\d\.\d+|glamlake-tiny-\w+|\s+|-+", " ", line).strip()


def test_the_dictionary_of_a_search_result_is_what_scripts_expect(demo):
    [row] = json.loads(typed(demo.lake.root, "search", "a train", "--limit", "1", "--json").stdout)
    assert {"rank", "sample_id", "score", "title", "year", "path", "rights_class", "attribution"} <= set(row)
