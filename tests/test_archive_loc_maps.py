"""The Library of Congress: hits are counted, not pages; any collection; what is no answer."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import ServiceRefused, UnexpectedAnswer
from pipelines.archives import load_archive
from pipelines.archives.loc_maps import LocMaps
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners
from pipelines.replay import Fault, LocService, RecordedService, ReplayServer

QUICK = Manners(attempts=3, backoff_s=0.01, allow_private_hosts=True)


def results(n: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"http://www.loc.gov/item/{i}/", "title": f"Map of a harbour {i}", "date": f"{1800 + i % 100}",
         "original_format": ["map"], "online_format": ["image"], **more}
        for i in range(n)
    ]


def ask(lake: Lake, server: ReplayServer, archive: str | LocMaps = "loc_maps", **more: Any) -> HarvestReport:
    return harvest(lake, archive, HarvestOptions(["harbour"], base_url=server.url, **more), None, QUICK)


def test_hits_are_counted_by_of_and_not_by_total(lake):
    with ReplayServer([LocService(results(730))]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.announced, result.received, result.pages) == ("complete", 730, 730, 8)


def test_more_than_the_service_lets_anybody_page_is_cut_by_years(lake, monkeypatch):
    monkeypatch.setattr(LocMaps, "cap", 300)
    with ReplayServer([LocService(results(830), ceiling=300)]) as server:
        report = ask(lake, server)
    assert len({row["native_id"] for row in catalog.rows(lake, "select native_id from raw_hits")}) == 830
    assert {result.status for result in report.slices} == {"complete"}


def test_another_collection_is_another_slice(lake):
    photos = results(3, original_format=["photo, print, drawing"])
    with ReplayServer([LocService([*results(2), *photos])]) as server:
        (maps,) = ask(lake, server).slices
        (pictures,) = ask(lake, server, LocMaps(collection="photos")).slices
    assert (maps.slice, maps.received) == ("all", 2)
    assert (pictures.slice, pictures.received) == ("collection=photos", 3)
    assert [request.path for request in server.requests] == ["/maps/", "/photos/"]


def test_dates_go_into_the_query(lake):
    with ReplayServer([LocService(results(200))]) as server:
        (result,) = ask(lake, server, start=date(1850, 1, 1), end=date(1859, 12, 31)).slices
    assert (result.status, result.received) == ("complete", 20)
    assert ("dates", "1850/1859") in server.requests[0].params


def test_a_challenge_page_is_no_answer_and_is_asked_again(lake):
    with ReplayServer([LocService(results(5))], faults=[Fault("html")]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.received, len(server.requests)) == ("complete", 5, 2)


def test_a_service_that_stops_naming_a_next_page_is_believed_but_not_called_complete():
    answer = {"pagination": {"of": 500, "total": 5, "next": None, "perpage": 100}, "results": results(100)}
    page = load_archive("loc_maps").read(json.dumps(answer), "1", 100)
    assert (page.announced, page.next_token) == (500, None)


def test_items_are_named_by_their_number_and_the_rest_by_its_address():
    archive = load_archive("loc_maps")
    named = [archive.native_id({"id": address}) for address in (
        "http://www.loc.gov/item/2012646765/", "//www.loc.gov/item/sanborn00192_001",
        "http://www.loc.gov/collections/bain/about-this-collection/",
    )]
    assert named[:2] == ["2012646765", "sanborn00192_001"]
    assert named[2] == "http://www.loc.gov/collections/bain/about-this-collection/"


@pytest.mark.parametrize(("text", "error"), [
    ("<!DOCTYPE html><title>Just a moment</title>", UnexpectedAnswer), ('{"status": 404}', ServiceRefused),
    ('{"pagination": {"total": 72}, "results": []}', UnexpectedAnswer),
])
def test_another_shape_is_an_error(text, error):
    with pytest.raises(error):
        load_archive("loc_maps").read(text, "1", 100)


@pytest.mark.real
def test_recorded_searches_become_hits_verbatim(lake):
    folder = Path(os.environ["GLAMLAKE_SAMPLES"]) / "loc"
    for name in ("photos_search_homesteading_page1", "collections_listing_2017"):
        recorded = (folder / f"{name}.json").read_bytes()
        with ReplayServer([RecordedService({"/maps/": recorded})]) as server:
            harvest(lake, "loc_maps", HarvestOptions([name], base_url=server.url), None, QUICK)
        sql = f"select payload from raw_hits where query = '{name}' order by position"
        kept = [str(row["payload"]) for row in catalog.rows(lake, sql)]
        assert [json.loads(payload) for payload in kept] == json.loads(recorded)["results"]
        assert all(payload in recorded.decode() for payload in kept)


@pytest.mark.real
def test_a_recorded_pagination_is_read(lake):
    file = Path(os.environ["GLAMLAKE_SAMPLES"]) / "loc" / "pagination_sanborn_maps_arkansas.json"
    pagination = json.loads(file.read_text("utf-8"))
    answer = {"pagination": pagination.get("pagination", pagination), "results": results(25)}
    assert load_archive("loc_maps").read(json.dumps(answer), "1", 25).announced == 104
