"""The US National Archives: all hits beyond the window, with and without a key, and what is no answer."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import ServiceRefused, UnexpectedAnswer
from pipelines.archives import load_archive
from pipelines.archives.national_archive import NationalArchive
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners
from pipelines.replay import Fault, NationalArchiveService, RecordedService, ReplayServer

QUICK = Manners(attempts=3, backoff_s=0.01, allow_private_hosts=True)
KEY = "nArA-k3y"
MATERIALS = ["Photographs and other Graphic Materials"]


def hits(n: int, **record: Any) -> list[str]:
    return [
        json.dumps({"_id": str(i), "_source": {"record": {
            "naId": i, "title": f"Ship {i}", "digitalObjects": [], "generalRecordsTypes": MATERIALS, **record,
        }}, "sort": [90.5 - i / 1e6, str(i)]})
        for i in range(n)
    ]


def ask(lake: Lake, server: ReplayServer, key: str | None = None, **more: Any) -> HarvestReport:
    options = HarvestOptions(["ship"], base_url=server.url, **more)
    return harvest(lake, "national_archive", options, key, QUICK)


def test_23_000_hits_behind_a_window_of_10_000_all_arrive_once_each(lake):
    with ReplayServer([NationalArchiveService(hits(23_000))]) as server:
        report = ask(lake, server)
    assert [(result.status, result.announced, result.received) for result in report.slices] == [
        ("complete", 23_000, 23_000)
    ]
    assert len(server.requests) == 231, "a full last page is followed by an empty one"
    assert lake_count(lake) == (23_000, 23_000)


def test_the_endpoint_is_chosen_by_whether_there_is_a_key(lake):
    with ReplayServer([NationalArchiveService(hits(3), key=KEY)]) as server:
        ask(lake, server, KEY)
        ask(lake, server, None, refresh=True)
    paths = [request.path for request in server.requests]
    assert paths == ["/api/v2/records/search", "/proxy/v3/records/search"]
    assert server.requests[0].headers["x-api-key"] == KEY
    assert "x-api-key" not in server.requests[1].headers


def test_a_key_is_optional():
    archive = load_archive("national_archive")
    archive.require_key(None, None)
    assert archive.data_sheet()["key"] == "NARA_API_KEY (optional)"


def test_the_websites_html_with_status_200_is_no_answer(lake):
    with ReplayServer([NationalArchiveService(hits(3), key=KEY)]) as server:
        (result,) = ask(lake, server, "wrong").slices
    assert result.status == "failed"
    assert "web page" in str(result.error)


def test_html_now_and_then_is_asked_again(lake):
    with ReplayServer([NationalArchiveService(hits(250))], faults=[Fault("html", after=1)]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.received) == ("complete", 250)


def test_a_page_with_a_hole_makes_no_complete_harvest(lake):
    with ReplayServer([NationalArchiveService(hits(250))], faults=[Fault("hole", after=1)]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.received) == ("truncated", 100)


def test_a_filter_the_service_does_not_know_fails_with_its_own_words(lake):
    archive = NationalArchive(filters=("typeOfMaterials=Maps",))
    with ReplayServer([NationalArchiveService(hits(3))]) as server:
        (result,) = harvest(lake, archive, HarvestOptions(["ship"], base_url=server.url), None, QUICK).slices
    assert result.status == "failed"
    assert "'Maps and Charts'" in str(result.error)
    assert result.slice == "filters=typeOfMaterials=Maps"


def test_dates_go_into_the_query(lake):
    old, new = hits(2), hits(4, productionDates=[{"year": 1944, "logicalDate": "1944-01-01"}])[2:]
    with ReplayServer([NationalArchiveService(old + new)]) as server:
        (result,) = ask(lake, server, start=date(1940, 1, 1), end=date(1945, 12, 31)).slices
    assert (result.status, result.received) == ("complete", 2)
    assert ("startDate", "1940-01-01") in server.requests[0].params


def test_a_count_that_is_only_a_lower_bound_is_not_taken_for_one():
    hits = {"total": {"value": 10_000, "relation": "gte"}, "hits": []}
    answer = {"statusCode": 200, "body": {"hits": hits}}
    assert load_archive("national_archive").read(json.dumps(answer), "*", 100).announced is None


@pytest.mark.parametrize(("answer", "error"), [
    ({"opaResponse": {"@status": "200"}}, ServiceRefused),
    ({"statusCode": 500, "body": {}}, ServiceRefused),
    ({"statusCode": 200, "body": {"hits": {"hits": []}}}, UnexpectedAnswer),
    ({"statusCode": 200, "body": []}, UnexpectedAnswer),
])
def test_another_shape_is_an_error(answer, error):
    with pytest.raises(error):
        load_archive("national_archive").read(json.dumps(answer), "*", 100)


@pytest.mark.real
def test_recorded_searches_become_hits_verbatim(lake):
    folder = Path(os.environ["GLAMLAKE_SAMPLES"]) / "national_archives"
    for name in ("search_v3_uap_ohio", "record_v3_488808329"):
        recorded = (folder / f"{name}.json").read_bytes()
        with ReplayServer([RecordedService({"/proxy/v3/records/search": recorded})]) as server:
            harvest(lake, "national_archive", HarvestOptions([name], base_url=server.url), None, QUICK)
        sql = f"select native_id, payload from raw_hits where query = '{name}' order by position"
        kept = catalog.rows(lake, sql)
        given = json.loads(recorded)["body"]["hits"]["hits"]
        assert [json.loads(str(row["payload"])) for row in kept] == given
        assert [row["native_id"] for row in kept] == [hit["_id"] for hit in given]
        assert all(str(row["payload"]) in recorded.decode() for row in kept)


@pytest.mark.real
def test_recorded_refusals_and_the_retired_api_are_refused():
    folder = Path(os.environ["GLAMLAKE_SAMPLES"]) / "national_archives"
    expected = {"error_422_invalid_filter": "only the following", "retired_v1_api": "switched off"}
    for name, words in expected.items():
        (file,) = folder.glob(f"{name}*.json")
        with pytest.raises(ServiceRefused, match=words):
            load_archive("national_archive").read(file.read_text("utf-8"), "*", 100)


def lake_count(lake: Lake) -> tuple[int, int]:
    (row,) = catalog.rows(lake, "select count(*) as n, count(distinct native_id) as ids from raw_hits")
    return int(str(row["n"])), int(str(row["ids"]))
