"""`glamlake run`, from an archive's answers to an export and a search, as a person types it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from lake import Lake, catalog
from lake.ledger import ledger
from pipelines.demo.collection import EUROPEANA_HOST, demo_collection
from pipelines.replay import EuropeanaService, FinnaService, RecordedService, ReplayServer, Service
from tests.commands import glamlake, typed
from tests.encoders import tiny_checkpoint

KEY = "k3y+Of-mine"


@dataclass(frozen=True)
class Ran:
    """A lake after `run` on both archives, and how each ended: status, what is on stdout and on stderr."""

    lake: Lake
    ended: dict[str, tuple[int, str, str]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("flow")
    checkpoint = str(tiny_checkpoint(folder / "tiny", seed=1))
    collection = demo_collection()
    services: list[Service] = []
    with ReplayServer(services, collection) as server:
        items = json.dumps(collection.europeana_items).replace(EUROPEANA_HOST, server.url)
        services += [EuropeanaService(json.loads(items), KEY), FinnaService(collection.finna_records)]
        more = ("--query", "no such thing", "--base-url", server.url, "--checkpoint", checkpoint,
                "--val-split", "0.3")
        first = glamlake(
            folder / "lake", "run", "europeana", "--query", "ship", *more, EUROPEANA_API_KEY=KEY,
        )
        second = typed(folder / "lake", "run", "sa_kuva", "--query", "laiva", *more)
    return Ran(Lake(folder / "lake"), {
        "europeana": (first.returncode, first.stdout, first.stderr),
        "sa_kuva": (second.exit_code, second.stdout, second.stderr),
    })


@pytest.mark.parametrize("archive", ["europeana", "sa_kuva"])
def test_run_ends_well_and_says_where_things_are(ran, archive):
    status, told, talk = ran.ended[archive]
    assert status == 0, talk
    assert "0 critical failures" in talk
    assert "hits in records + rejections" in told


def test_the_ledger_balances_and_nothing_is_pending(ran):
    found = ledger(ran.lake)
    assert found.balanced
    assert found.count("samples") > 5
    assert found.count("vectors") == found.count("samples")


def test_records_of_both_archives_have_what_the_answers_carry(ran):
    rows = catalog.rows(ran.lake, """
        select archive, count(*) as n, count(title) as titles, count(provider) as providers,
            count(image_url) as pictures, count(landing_url) as links, count(distinct record_id) as ids
        from records group by archive order by archive
    """)
    assert [row["archive"] for row in rows] == ["europeana", "sa_kuva"]
    for row in rows:
        assert row["n"] == row["ids"] == row["providers"] == row["pictures"] == row["links"]


def test_labels_follow_from_searches_in_both_languages(ran):
    found = catalog.rows(ran.lake, "select distinct archive from records where list_contains(labels, 'ship')")
    assert {row["archive"] for row in found} == {"europeana", "sa_kuva"}


def test_there_is_an_export_a_report_and_a_log_and_the_key_is_in_none(ran):
    assert list(ran.lake.exports.glob("webdataset-*/manifest.json"))
    assert (ran.lake.reports / "data-quality" / "index.html").is_file()
    assert list(ran.lake.logs.glob("*.log"))
    files = [path for path in ran.lake.root.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_what_was_embedded_is_found_by_words_by_picture_and_by_both(ran):
    by_words = json.loads(glamlake(ran.lake.root, "search", "a ship", "--json", "--limit", "3").stdout)
    assert [row["rank"] for row in by_words] == [1, 2, 3]
    sample = by_words[0]["sample_id"]
    picture = str(ran.lake.root / by_words[0]["path"])
    by_picture = json.loads(typed(ran.lake.root, "search", "--image", picture, "--json").stdout)
    assert by_picture[0]["sample_id"] == sample
    asked = ("a ship", "--image", sample, "--where", "year is not null", "--json")
    both = typed(ran.lake.root, "search", *asked)
    assert all(row["year"] is not None and row["sample_id"] != sample for row in json.loads(both.stdout))


RECORDED = {
    "europeana": ("europeana/search_cursor_italian_ww1_maps.json", "/record/v2/search.json", "items"),
    "sa_kuva": ("finna/search_museovirasto_images.json", "/v1/search", "records"),
}


@pytest.mark.real
def test_every_item_of_the_recorded_answers_is_accounted_for(lake):
    samples = Path(os.environ["GLAMLAKE_SAMPLES"])
    answers = {path: (samples / name).read_bytes() for name, path, _ in RECORDED.values()}
    with ReplayServer([RecordedService(answers)]) as server:
        done = glamlake(
            lake.root, "run", *RECORDED, "--query", "lentokone", "--base-url", server.url,
            EUROPEANA_API_KEY=KEY,
        )
    assert done.returncode == 0, done.stderr
    for archive, (_, path, key) in RECORDED.items():
        counted = catalog.rows(lake, f"""
            select (select count(distinct hit_id) from raw_hits where archive = '{archive}') as hits,
                (select count(*) from records where archive = '{archive}') as records,
                (select count(*) from rejections where archive = '{archive}') as rejections
        """)
        n_items = len(json.loads(answers[path])[key])
        assert counted == [{"hits": n_items, "records": n_items, "rejections": 0}]
    assert ledger(lake).balanced
