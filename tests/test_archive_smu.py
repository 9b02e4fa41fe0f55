"""SMU on CONTENTdm: fields by name, each item's own metadata, errors that come with status 200."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import ServiceRefused, UnexpectedAnswer
from pipelines.archives import load_archive
from pipelines.archives._initial_state import initial_state
from pipelines.archives.smu import Smu
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners
from pipelines.replay import Fault, ReplayServer, SmuService

QUICK = Manners(attempts=2, backoff_s=0.01, allow_private_hosts=True)
SERVICES = "/digital/bl/dmwebservices/index.php"


def items(n: int, alias: str = "wes", filetype: str = "jp2") -> list[dict[str, Any]]:
    return [
        {"collectionAlias": alias, "itemId": str(i), "filetype": filetype, "title": f"Rider {i}",
         "metadataFields": [{"field": "title", "value": f"Rider {i}"}]}
        for i in range(n)
    ]


def metadata(n: int) -> dict[str, str]:
    return {f"wes/{i}": f'{{"title":"Rider {i}","creato":{{}},"url":"a\\/b","n":1.10}}' for i in range(n)}


def ask(lake: Lake, server: ReplayServer, archive: str | Smu = "smu", query: str = "rider") -> HarvestReport:
    return harvest(lake, archive, HarvestOptions([query], base_url=server.url), None, QUICK)


def payloads(lake: Lake) -> list[str]:
    rows = catalog.rows(lake, "select payload from raw_hits order by page, position")
    return [str(row["payload"]) for row in rows]


def test_each_hit_holds_the_item_as_found_and_its_own_metadata_both_verbatim(lake):
    held = items(60)
    with ReplayServer([SmuService([json.dumps(item, indent=1) for item in held], metadata(60))]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.received, len(server.requests)) == ("complete", 60, 62)
    for n, payload in enumerate(payloads(lake)):
        assert json.dumps(held[n], indent=1) in payload
        assert metadata(60)[f"wes/{n}"] in payload


def test_an_item_without_metadata_is_kept_with_null(lake):
    with ReplayServer([SmuService(items(3), metadata(2))]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.received) == ("complete", 3)
    assert [json.loads(payload)["item"] is None for payload in payloads(lake)] == [False, False, True]


def test_metadata_that_fails_for_good_costs_no_hit(lake):
    broken = Fault("http_500", SERVICES, times=QUICK.attempts)
    with ReplayServer([SmuService(items(2), metadata(2))], faults=[broken]) as server:
        (result,) = ask(lake, server).slices
    assert (result.status, result.received) == ("complete", 2)
    assert [json.loads(payload)["item"] is None for payload in payloads(lake)] == [True, False]


def test_an_object_of_several_pages_brings_the_list_of_them(lake):
    held = [*items(1, filetype="cpd"), *items(2)[1:]]
    pages = {"wes/0": {"type": "Document", "page": {"pagetitle": "Page 1", "pageptr": "7"}}}
    with ReplayServer([SmuService(held, metadata(2), pages)]) as server:
        ask(lake, server)
    compound, simple = (json.loads(payload) for payload in payloads(lake))
    assert compound["compound"]["page"]["pageptr"] == "7"
    assert "compound" not in simple


def test_metadata_comes_from_the_items_page_just_as_well(lake):
    names = {"wes/0": {"title": "Käsi \u2028 \"x\" </script>", "empty": {}}}
    with ReplayServer([SmuService(items(1), names)]) as server:
        ask(lake, server, Smu(metadata="page"))
    (payload,) = payloads(lake)
    fields = json.loads(payload)["item"]["fields"]
    assert [(field["key"], field["value"]) for field in fields] == [("title", names["wes/0"]["title"])]
    assert server.requests[1].path == "/digital/collection/wes/id/0"


STATE = {"t": "Käsi 'x' \"y\" \\ 雪"}
STATE_TEXT = json.dumps(STATE, ensure_ascii=False)


@pytest.mark.parametrize("literal", [
    json.dumps(json.dumps(STATE)), json.dumps(STATE_TEXT), json.dumps(STATE_TEXT, ensure_ascii=False),
    "'" + STATE_TEXT.replace("\\", "\\\\").replace("'", "\\'") + "'",
])
def test_no_letter_of_a_pages_state_is_hurt(literal):
    page = f"<script>window.__INITIAL_STATE__ = JSON.parse({literal});</script>"
    assert json.loads(initial_state(page, "smu")) == STATE


@pytest.mark.parametrize("page", [
    "<html></html>", '<script>window.__INITIAL_STATE__ = JSON.parse("{");</script>',
    "<script>window.__INITIAL_STATE__ = JSON.parse('{</script>",
    "<script>window.__INITIAL_STATE__ = {1}</script>",
])
def test_a_page_without_a_whole_state_is_named(page):
    with pytest.raises(UnexpectedAnswer, match="__INITIAL_STATE__"):
        initial_state(page, "smu")


def test_words_travel_in_the_path_whatever_they_are(lake):
    held = [*items(1), {**items(2)[1], "title": "Höyry 50% ship?"}]
    with ReplayServer([SmuService(held)]) as server:
        (result,) = ask(lake, server, Smu(metadata="none"), query="höyry/50% ship? #1!").slices
        (found,) = ask(lake, server, Smu(metadata="none"), query="höyry/50% ship?").slices
    assert (result.received, found.received) == (0, 1)


def test_an_unknown_collection_is_named_though_the_status_is_200(lake):
    with ReplayServer([SmuService(items(3))]) as server:
        (result,) = ask(lake, server, Smu(collections=("nosuch",))).slices
    assert (result.status, result.slice) == ("failed", "collections=nosuch")
    assert "nosuch" in str(result.error)


def test_an_item_is_named_with_its_collection():
    archive = load_archive("smu")
    assert archive.native_id({"collectionAlias": "/wes", "itemId": "9"}) == "wes/9"
    assert archive.native_id({"search": {"collectionAlias": "wes", "itemId": 9}, "item": None}) == "wes/9"
    assert archive.native_id({"itemId": "9"}) is None


@pytest.mark.real
def test_the_recorded_search_becomes_hits_verbatim(lake):
    folder = Path(os.environ["GLAMLAKE_SAMPLES"]) / "contentdm"
    recorded = (folder / "smu_search_wes_cowboy.json").read_text("utf-8")
    details = {"wes/2539": (folder / "smu_wes_2539_dmGetItemInfo.json").read_text("utf-8")}
    archive = load_archive("smu")
    page = archive.read(recorded, "1", 50)
    with ReplayServer([SmuService(page.items, details)]) as server:
        (result,) = ask(lake, server, query="*").slices
    assert (page.announced, page.next_token) == (93, "2")
    assert (result.status, result.received) == ("complete", 25)
    assert [json.loads(text)["search"] for text in payloads(lake)] == json.loads(recorded)["items"]
    assert all(item in recorded for item in page.items)
    assert json.loads(payloads(lake)[0])["item"] == json.loads(details["wes/2539"])
    assert details["wes/2539"].strip() in payloads(lake)[0]


@pytest.mark.real
def test_recorded_errors_are_errors():
    folder = Path(os.environ["GLAMLAKE_SAMPLES"]) / "contentdm"
    archive = load_archive("smu")
    for name in ("adah_item_not_found.json", "umn_winona_680_not_compound.json"):
        with pytest.raises(ServiceRefused):
            archive.read_detail((folder / name).read_text("utf-8"))
    with pytest.raises(UnexpectedAnswer):
        archive.read((folder / "adah_bad_alias.html").read_text("utf-8"), "1", 50)
