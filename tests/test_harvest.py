"""Harvests against services that play by their rules, and services that do not."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import LakeBusy, MissingKey, ServiceRefused, UnknownArchive
from pipelines import transform
from pipelines.archives import archive_names
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners
from pipelines.load import archive_loader
from pipelines.replay import EuropeanaService, Fault, FinnaService, RecordedService, ReplayServer

KEY = "sEcReT+7"
QUICK = Manners(attempts=4, backoff_s=0.01, allow_private_hosts=True)


def europeana_items(n: int) -> list[dict[str, Any]]:
    return [
        {"id": f"/7/item_{i}", "title": [f"Harbour {i}"], "type": "IMAGE", "year": [str(1900 + i % 50)],
         "guid": f"https://www.europeana.eu/item/7/item_{i}?utm_campaign={{{{KEY}}}}"}
        for i in range(n)
    ]


IN_SA_KUVA = {
    "buildings": [{"value": "0/SA-kuva/", "translated": "SA-kuva"}],
    "formats": [{"value": "0/Image/", "translated": "Kuva"}],
}


def finna_records(n: int) -> list[dict[str, Any]]:
    return [
        {"id": f"sa-kuva.{i}", "title": f"Lentokone {i}.", "year": str(1939 + i % 7), **IN_SA_KUVA}
        for i in range(n)
    ]


def europeana(n: int, **options: Any) -> ReplayServer:
    return ReplayServer([EuropeanaService(europeana_items(n), key=KEY, **options)])


def finna(n: int) -> ReplayServer:
    return ReplayServer([FinnaService(finna_records(n))])


def ask_europeana(
    lake: Lake, server: ReplayServer, queries: Sequence[str] = ("harbour",), manners: Manners = QUICK,
    **more: Any,
) -> HarvestReport:
    return harvest(lake, "europeana", HarvestOptions(queries, base_url=server.url, **more), KEY, manners)


def ask_finna(
    lake: Lake, server: ReplayServer, queries: Sequence[str] = ("lentokone",), **more: Any
) -> HarvestReport:
    return harvest(lake, "sa_kuva", HarvestOptions(queries, base_url=server.url, **more), None, QUICK)


def hits(lake: Lake) -> list[tuple[str, str, str]]:
    rows = catalog.rows(lake, "select distinct hit_id, query, payload from raw_hits order by all")
    return [tuple(row.values()) for row in rows]  # type: ignore[misc]


def statuses(lake: Lake) -> list[tuple[Any, ...]]:
    rows = catalog.rows(lake, "select query, status, announced, received, cap from harvests order by query")
    return [tuple(row.values()) for row in rows]


def test_a_cursor_is_followed_to_the_last_short_page(lake):
    with europeana(207) as server:
        ask_europeana(lake, server)
    assert len(hits(lake)) == 207
    assert statuses(lake) == [("harbour", "complete", 207, 207, None)]


def test_a_cursor_past_the_last_item_ends_the_harvest_complete(lake):
    with europeana(200, empty_last_page=True) as server:
        ask_europeana(lake, server)
    assert statuses(lake) == [("harbour", "complete", 200, 200, None)]


def test_pages_are_counted_to_the_end(lake):
    with finna(203) as server:
        ask_finna(lake, server)
    assert len(hits(lake)) == 203
    assert statuses(lake) == [("lentokone", "complete", 203, 203, None)]


def test_a_search_without_hits_is_complete(lake):
    with finna(3) as server:
        ask_finna(lake, server, ["submarine"])
    assert statuses(lake) == [("submarine", "complete", 0, 0, None)]


def test_an_item_is_kept_as_the_characters_that_were_sent(lake):
    odd = '{"id": "/1/a", "n": 1.10, "big": 12345678901234567890123, "s": "\\/\\ud800", "type":"IMAGE" }'
    with ReplayServer([EuropeanaService([odd], match_all=True)]) as server:
        ask_europeana(lake, server)
    [(_, _, payload)] = hits(lake)
    assert payload == odd


def test_one_object_found_by_two_searches_is_two_hits(lake):
    with finna(3) as server:
        ask_finna(lake, server, ["lentokone", "lentokone 1."])
    found_by = sorted(query for _, query, _ in hits(lake))
    assert found_by == ["lentokone", "lentokone", "lentokone", "lentokone 1."]


def test_items_without_an_id_are_hits_too(lake):
    records = [{"title": "a", **IN_SA_KUVA}, {"id": None, **IN_SA_KUVA}, {"id": 7, **IN_SA_KUVA}]
    with ReplayServer([FinnaService(records, match_all=True)]) as server:
        ask_finna(lake, server)
    assert len(hits(lake)) == 3
    assert statuses(lake)[0][1] == "complete"


def test_a_limit_stops_the_asking_and_says_so(lake):
    with europeana(500) as server:
        ask_europeana(lake, server, limit=5)
        assert len(server.requests) == 1
    assert len(hits(lake)) == 5
    assert statuses(lake) == [("harbour", "truncated", 500, 5, "limit 5")]


def test_a_limit_above_what_there_is_leaves_the_slice_complete(lake):
    with finna(30) as server:
        ask_finna(lake, server, limit=200)
    assert statuses(lake) == [("lentokone", "complete", 30, 30, None)]


def test_a_larger_limit_and_then_none_add_what_is_missing(lake):
    with europeana(250) as server:
        ask_europeana(lake, server, limit=5)
        ask_europeana(lake, server, limit=120)
        ask_europeana(lake, server)
    assert len(hits(lake)) == 250
    assert statuses(lake) == [("harbour", "complete", 250, 250, None)]


def test_what_is_complete_is_not_asked_again_unless_refreshed(lake):
    with finna(130) as server:
        ask_finna(lake, server)
        asked = len(server.requests)
        assert ask_finna(lake, server).skipped == 1
        assert len(server.requests) == asked
        ask_finna(lake, server, refresh=True)
        assert len(server.requests) == 2 * asked
    assert len(hits(lake)) == 130


def test_dates_go_into_the_question(lake):
    with europeana(100) as server:
        ask_europeana(lake, server, start=date(1910, 1, 1), end=date(1914, 12, 31))
    assert len(hits(lake)) == 10
    assert catalog.rows(lake, "select slice, status from harvests") == [
        {"slice": "1910-01-01/1914-12-31", "status": "complete"}
    ]


@pytest.mark.parametrize("fault", [
    Fault("http_429", retry_after="0"), Fault("http_500", after=1), Fault("http_503", times=2),
    Fault("truncate", after=1), Fault("truncated_json"), Fault("html", after=1),
    Fault("drop_connection", after=1), Fault("stall", stall_s=600),
])
def test_a_passing_fault_loses_and_doubles_nothing(lake, fault):
    manners = replace(QUICK, timeout_s=2.0) if fault.kind == "stall" else QUICK
    with europeana(230) as server:
        server.add_fault(fault)
        ask_europeana(lake, server, manners=manners)
    assert len(hits(lake)) == 230
    assert statuses(lake) == [("harbour", "complete", 230, 230, None)]


@pytest.mark.parametrize("fault", [
    Fault("http_500", after=1, times=99), Fault("html", after=1, times=99),
    Fault("truncated_json", after=1, times=99),
])
def test_a_lasting_fault_files_the_slice_as_failed_with_what_came(lake, fault):
    with europeana(230) as server:
        server.add_fault(fault)
        ask_europeana(lake, server)
    assert len(hits(lake)) == 100
    assert statuses(lake)[0][1:4] == ("failed", 230, 100)


def test_a_failed_slice_goes_on_after_its_last_page(lake):
    with europeana(330) as server:
        server.add_fault(Fault("http_500", after=2, times=4))
        ask_europeana(lake, server)
        asked = len(server.requests)
        ask_europeana(lake, server)
        assert len(server.requests) - asked == 2
    assert len(hits(lake)) == 330
    assert statuses(lake) == [("harbour", "complete", 330, 330, None)]


@pytest.mark.parametrize(("fault", "received"), [
    (Fault("lie_count", times=99, offset=20, factor=1.0), 230), (Fault("hole", after=1), 100),
    (Fault("repeat_page", after=1), 100), (Fault("lie_count", after=2, times=99, factor=2.0), 230),
])
def test_numbers_that_disagree_are_never_filed_complete(lake, fault, received):
    with finna(230) as server:
        server.add_fault(fault)
        ask_finna(lake, server)
    assert statuses(lake)[0][1] == "truncated"
    assert len(hits(lake)) == received


def test_what_ended_short_is_asked_again_and_nothing_is_doubled(lake):
    with finna(230) as server:
        server.add_fault(Fault("hole", after=1))
        ask_finna(lake, server)
        ask_finna(lake, server)
    assert len(hits(lake)) == 230
    assert statuses(lake) == [("lentokone", "complete", 230, 230, None)]


def test_a_service_that_keeps_failing_is_left_alone(lake):
    with finna(3) as server:
        server.add_fault(Fault("http_500", times=999))
        report = ask_finna(lake, server, [f"q{i}" for i in range(20)])
        assert len(server.requests) == 3 * QUICK.attempts
    assert len(report.slices) == 3


def test_the_key_is_nowhere_in_the_lake(lake):
    with europeana(30) as server:
        ask_europeana(lake, server)
        ask_europeana(lake, server, ["nothing such"])
        assert all("wskey" not in dict(request.params) for request in server.requests)
    forms = [form.encode() for form in (KEY, KEY.replace("+", "%2B"))]
    files = [path for path in lake.root.rglob("*") if path.is_file()]
    assert not [path for path in files if any(form in path.read_bytes() for form in forms)]
    assert all(KEY not in payload and "REDACTED" in payload for _, _, payload in hits(lake))


def test_a_key_turned_away_is_one_clear_error_and_a_failed_slice(lake):
    with europeana(3) as server, pytest.raises(ServiceRefused, match=r"401.*check EUROPEANA_API_KEY") as e:
        harvest(lake, "europeana", HarvestOptions(["x"], base_url=server.url), "wrong-key", QUICK)
    assert "wrong-key" not in str(e.value)
    with catalog.connect(lake) as con:
        assert con.sql("select status from harvests").fetchall() == [("failed",)]


def test_a_missing_key_and_an_unknown_archive_are_named(lake):
    with pytest.raises(MissingKey, match="EUROPEANA_API_KEY"):
        harvest(lake, "europeana", HarvestOptions(["x"]))
    with pytest.raises(UnknownArchive, match="no archive named 'nowhere'; there are: demo, "):
        harvest(lake, "nowhere", HarvestOptions(["x"]))


def test_two_harvests_of_one_archive_do_not_run_at_once(lake):
    busy = pytest.raises(LakeBusy, match="another process")
    with finna(3) as server, archive_loader(lake, "sa_kuva"), busy:
        ask_finna(lake, server)


_HARVEST = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from lake import Lake
from pipelines.harvest import HarvestOptions, harvest
at = datetime(2026, 1, 2, tzinfo=UTC)
asked = HarvestOptions(["lentokone", "lentokone 1."], base_url=sys.argv[2], at=at)
harvest(Lake(Path(sys.argv[1])), "sa_kuva", asked)
"""


def start_harvest(lake: Lake, url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", _HARVEST, str(lake.root), url])


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Lake, dict[str, str]]]:
    """A service, a lake harvested from it without a disturbance, and the checksums of its marts."""
    lake = Lake(tmp_path_factory.mktemp("undisturbed") / "calm")
    with finna(1500) as server:
        assert start_harvest(lake, server.url).wait() == 0
        yield server.url, lake, marts_of(lake)


@pytest.mark.parametrize("killed_after_s", [0.0, 0.3])
def test_a_killed_harvest_goes_on_and_ends_as_an_undisturbed_one(tmp_path, calm, killed_after_s):
    disturbed, (url, undisturbed, marts) = Lake(tmp_path / "disturbed"), calm
    process = start_harvest(disturbed, url)
    while not list(disturbed.raw.glob("hits/*/*.parquet")):
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(killed_after_s)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert start_harvest(disturbed, url).wait() == 0
    assert hits(disturbed) == hits(undisturbed)
    assert statuses(disturbed) == statuses(undisturbed)
    assert {status for _, status, *_ in statuses(disturbed)} == {"complete"}
    assert marts_of(disturbed) == marts


def marts_of(lake: Lake) -> dict[str, str]:
    """The checksum of each mart after `normalise`."""
    transform.normalise(lake, archive_names())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in lake.marts.glob("*.parquet")}


def test_a_resumed_harvest_does_not_ask_again_for_what_was_loaded(lake):
    with finna(1500) as server:
        process = start_harvest(lake, server.url)
        while not list(lake.raw.glob("pages/*/*.parquet")):
            assert process.poll() is None
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert start_harvest(lake, server.url).wait() == 0
        asked = [dict(r.params)["page"] for r in server.requests if dict(r.params)["lookfor"] == "lentokone"]
    assert asked.count("1") == 1


@pytest.mark.real
def test_recorded_answers_become_hits_item_by_item(lake):
    folder = Path(os.environ["GLAMLAKE_SAMPLES"])
    for name, service, path, key in (
        ("europeana", "europeana/search_cursor_italian_ww1_maps.json", "/record/v2/search.json", "items"),
        ("sa_kuva", "finna/search_museovirasto_images.json", "/v1/search", "records"),
    ):
        recorded = (folder / service).read_bytes()
        with ReplayServer([RecordedService({path: recorded})]) as server:
            harvest(lake, name, HarvestOptions(["*"], base_url=server.url), "api2demo", QUICK)
        text = recorded.decode().replace("api2demo", "REDACTED")
        # the replay takes no heed of what narrows a slice, so pieces of one over the cap bring the same hits
        sql = f"""
            select any_value(payload) as payload from raw_hits where archive = '{name}'
            group by hit_id order by min(position)
        """
        kept = [str(row["payload"]) for row in catalog.rows(lake, sql)]
        assert [json.loads(payload) for payload in kept] == json.loads(text)[key]
        assert all(payload in text for payload in kept)
