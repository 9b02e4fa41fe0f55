"""Each replayed service over real HTTP, answering as the real one does."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.archives import load_archive
from pipelines.archives._archive import Query
from pipelines.replay import DemoService, EuropeanaService, FinnaService, RecordedService, ReplayServer
from pipelines.replay.recorded import SEARCHES, recorded_answers

SEARCH, FINNA, OBJECTS = "/record/v2/search.json", "/v1/search", "/v1/objects"
ODD = (
    r'{"id":"/9/odd","type" : "IMAGE","price":1.10,"big":123456789012345678901234567890,'
    r'"slash":"a\/b\u00e4","score":1e2}'
)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        yield client


def item(n: int, **more: Any) -> dict[str, Any]:
    link = f"https://e.example/{n}?wskey={{{{KEY}}}}"
    return {"id": f"/1/{n}", "type": "IMAGE", "title": [f"Tram {n}"], "link": link} | more


def record(n: int, **more: Any) -> dict[str, Any]:
    images = [f"/Cover/Show?id={n}"]
    return {"id": f"sa-kuva.{n}", "title": f"Lentokone {n}", "year": "1941", "images": images} | more


def titles(answer: httpx.Response) -> list[str]:
    return [entry["title"][0] for entry in answer.json()["items"]]


# --- Europeana ---------------------------------------------------------------------------------


def europeana_pages(client: httpx.Client, server: ReplayServer, rows: int = 100) -> list[dict[str, Any]]:
    pages, cursor = [], "*"
    while cursor:
        answer = client.get(server.url + SEARCH, params={"query": "tram", "rows": rows, "cursor": cursor})
        pages.append(answer.json())
        cursor = pages[-1].get("nextCursor", "")
    return pages


def test_cursor_paging_gives_every_item_once_and_no_cursor_on_the_last_page(client: httpx.Client) -> None:
    with ReplayServer([EuropeanaService([item(n) for n in range(1207)])]) as server:
        pages = europeana_pages(client, server)
    assert [page["itemsCount"] for page in pages] == [100] * 12 + [7]
    assert {page["totalResults"] for page in pages} == {1207}
    assert [i["id"] for page in pages for i in page["items"]] == [f"/1/{n}" for n in range(1207)]
    assert all(mark in pages[0]["nextCursor"] for mark in "/+=")


def test_a_last_page_that_is_full_still_has_no_cursor_unless_told_to(client: httpx.Client) -> None:
    items = [item(n) for n in range(20)]
    with ReplayServer([EuropeanaService(items)]) as server:
        assert [page["itemsCount"] for page in europeana_pages(client, server, 10)] == [10, 10]
    with ReplayServer([EuropeanaService(items, empty_last_page=True)]) as server:
        assert [page["itemsCount"] for page in europeana_pages(client, server, 10)] == [10, 10, 0]


def test_start_paging_ends_at_the_thousandth_hit_and_the_error_names_the_cursor(client: httpx.Client) -> None:
    with ReplayServer([EuropeanaService([item(n) for n in range(1500)])]) as server:
        last = client.get(server.url + SEARCH, params={"query": "*", "rows": 100, "start": 901})
        refused = client.get(server.url + SEARCH, params={"query": "*", "rows": 100, "start": 902})
    assert titles(last)[-1] == "Tram 999"
    assert refused.status_code == 400
    assert refused.json()["success"] is False
    assert "cursor-based pagination" in refused.json()["error"]


@pytest.mark.parametrize(("params", "reason"), [
    ({"query": "tram", "cursor": "*", "start": 1}, "cannot be used together"),
    ({"query": "tram", "cursor": "AoE/D MDAw"}, "encode the cursor"),
    ({"query": "tram", "rows": "ten"}, "rows"),
    ({"query": "tram", "qf": "COLOUR:red"}, "undefined field COLOUR"),
    ({}, "Empty search query"),
])
def test_europeana_refuses_what_it_does_not_understand(
    client: httpx.Client, params: dict[str, Any], reason: str
) -> None:
    with ReplayServer([EuropeanaService([item(1)])]) as server:
        answer = client.get(server.url + SEARCH, params=params)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_rows_are_12_by_default_and_100_at_most(client: httpx.Client) -> None:
    with ReplayServer([EuropeanaService([item(n) for n in range(300)])]) as server:
        assert len(titles(client.get(server.url + SEARCH, params={"query": "*"}))) == 12
        assert len(titles(client.get(server.url + SEARCH, params={"query": "*", "rows": 1000}))) == 100
        counts_only = client.get(server.url + SEARCH, params={"query": "*:*", "rows": 0}).json()
    assert (counts_only["totalResults"], counts_only["items"]) == (300, [])


def test_a_wrong_or_missing_key_is_401_with_the_service_s_error(client: httpx.Client) -> None:
    with ReplayServer([EuropeanaService([item(1)], key="right")]) as server:
        wrong = client.get(server.url + SEARCH, params={"query": "*"}, headers={"X-Api-Key": "wrong"})
        missing = client.get(server.url + SEARCH, params={"query": "*"})
    assert (wrong.status_code, missing.status_code) == (401, 401)
    assert wrong.json() == {"apikey": "wrong", "success": False, "error": "Invalid API key"}


@pytest.mark.parametrize("by", ["header", "parameter"])
def test_the_caller_s_key_is_echoed_in_the_envelope_and_in_items(client: httpx.Client, by: str) -> None:
    params, headers = {"query": "*", "profile": "rich params"}, {}
    if by == "header":
        headers["X-Api-Key"] = "s3cret"
    else:
        params["wskey"] = "s3cret"
    with ReplayServer([EuropeanaService([item(1)], key="s3cret")]) as server:
        answer = client.get(server.url + SEARCH, params=params, headers=headers).json()
    assert answer["apikey"] == "s3cret"
    assert answer["items"][0]["link"] == "https://e.example/1?wskey=s3cret"
    assert answer["params"] == {"query": "*", "profile": "rich params"}


def test_an_item_given_as_text_is_sent_byte_for_byte(client: httpx.Client) -> None:
    with ReplayServer([EuropeanaService([ODD]), FinnaService([ODD])]) as server:
        europeana = client.get(server.url + SEARCH, params={"query": "image", "qf": "TYPE:IMAGE"})
        fields = ["id", "type", "price", "big", "slash", "score"]
        finna = client.get(server.url + FINNA, params={"field[]": fields})
    assert ODD.encode() in europeana.content
    assert ODD.encode() in finna.content


@pytest.mark.parametrize(("qf", "found"), [
    (["YEAR:[1914 TO 1918]"], [1, 4]),
    (["YEAR:[1919 TO *]"], [1, 2]),
    (["-YEAR:[* TO *]"], [3]),
    (["COUNTRY:Finland"], [1, 2]),
    (["COUNTRY:(Sweden OR Norway)"], [3, 4]),
    (['DATA_PROVIDER:"City Museum"'], [1]),
    (["DATA_PROVIDER:*museum"], [1, 2]),
    (["TYPE:IMAGE", "COUNTRY:Sweden"], [3]),
    (["TYPE:TEXT", "MIME_TYPE:image/jpeg"], [4]),
])
def test_europeana_filters_by_year_country_provider_and_type(
    client: httpx.Client, qf: list[str], found: list[int]
) -> None:
    items = [
        item(1, year=["1930", "1916"], country=["Finland"], dataProvider=["City Museum"]),
        item(2, year=["1939"], country=["Finland"], dataProvider=["Tram Museum"]),
        item(3, country=["Sweden"]),
        item(4, year=["1914"], country=["Norway"], type="TEXT"),
    ]
    with ReplayServer([EuropeanaService(items)]) as server:
        answer = client.get(server.url + SEARCH, params={"query": "tram", "qf": qf})
    assert titles(answer) == [f"Tram {n}" for n in found]


@pytest.mark.parametrize(("query", "found"), [
    ("STEAM", [1, 2]), ("steam crew", [2]), ('"steam" AND (train)', [1]), ("höyry*", [1]),
    ("ship OR crew", [2, 3]), ("*:*", [1, 2, 3]), ("zeppelin", []),
])
def test_a_hit_holds_every_word_of_the_query_in_any_case(
    client: httpx.Client, query: str, found: list[int]
) -> None:
    items = [
        item(1, title=["Tram 1"], dcTitleLangAware={"fi": ["Höyryveturi"], "en": ["Steam train"]}),
        item(2, dcDescription=["Steam and crew"]), item(3, dcDescription=["A ship"]),
    ]
    with ReplayServer([EuropeanaService(items)]) as server:
        answer = client.get(server.url + SEARCH, params={"query": query})
    assert titles(answer) == [f"Tram {n}" for n in found]


# --- Finna -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [FINNA, "/api/v1/search"])
def test_finna_gives_only_the_fields_named_and_year_only_on_request(client: httpx.Client, path: str) -> None:
    with ReplayServer([FinnaService([record(1, imageRights={"copyright": "CC BY 4.0"})])]) as server:
        default = client.get(server.url + path, params={"lookfor": "lentokone"}).json()
        named = client.get(server.url + path, params={"field[]": ["title", "year", "summary"]})
    assert set(default["records"][0]) == {"id", "title", "images", "imageRights"}
    assert named.json()["records"] == [{"title": "Lentokone 1", "year": "1941"}]


def test_finna_pages_20_by_default_and_leaves_out_records_when_there_are_none(client: httpx.Client) -> None:
    with ReplayServer([FinnaService([record(n) for n in range(45)])]) as server:
        sizes = [
            len(client.get(server.url + FINNA, params={"page": page}).json()["records"]) for page in (1, 2, 3)
        ]
        for params in ({"page": "4"}, {"limit": "0"}):
            empty = client.get(server.url + FINNA, params=params).json()
            assert empty == {"resultCount": 45, "status": "OK"}
        nothing = client.get(server.url + FINNA, params={"lookfor": "laiva"}).json()
    assert sizes == [20, 20, 5]
    assert nothing == {"resultCount": 0, "status": "OK"}


@pytest.mark.parametrize("limit", ["101", "-1", "many", ""])
def test_finna_refuses_a_limit_outside_0_to_100(client: httpx.Client, limit: str) -> None:
    with ReplayServer([FinnaService([record(1)])]) as server:
        answer = client.get(server.url + FINNA, params={"limit": limit})
    assert answer.status_code == 400
    assert answer.json() == {"status": "ERROR", "statusMessage": "Invalid limit"}


def test_past_its_ceiling_finna_gives_the_last_page_again(client: httpx.Client) -> None:
    with ReplayServer([FinnaService([record(n) for n in range(50)], ceiling=20)]) as server:
        last, beyond = (
            client.get(server.url + FINNA, params={"limit": 10, "page": page}).json() for page in (2, 3)
        )
    assert beyond == last
    assert beyond["resultCount"] == 50


@pytest.mark.parametrize(("filters", "found"), [
    (['search_daterange_mv:"[1939 TO 1945]"'], [1, 2]),
    (['search_daterange_mv:"[1942 TO *]"'], [2]),
    (['search_daterange_mv:"[1939-11-30 TO 1940-03-13]"'], []),
    (['building:"0/SA-kuva/"', 'format:"0/Image/"'], [1, 3]),
    (['~building:"0/SA-kuva/"', '~building:"0/Museovirasto/"'], [1, 2, 3]),
    (['-building:"0/SA-kuva/"'], [2]),
    (['online_boolean:"1"'], [1, 2]),
])
def test_finna_filters_by_dates_building_and_format(
    client: httpx.Client, filters: list[str], found: list[int]
) -> None:
    sa_kuva = {"buildings": [{"value": "0/SA-kuva/", "translated": "SA-kuva"}],
               "formats": [{"value": "0/Image/"}]}
    museum = {"buildings": [{"value": "0/Museovirasto/", "translated": "Museovirasto"}]}
    records = [record(1, **sa_kuva), record(2, year="1944", **museum), record(3, images=[], **sa_kuva)]
    del records[2]["year"]
    with ReplayServer([FinnaService(records)]) as server:
        answer = client.get(server.url + FINNA, params={"filter[]": filters})
    assert [entry["id"] for entry in answer.json().get("records", [])] == [f"sa-kuva.{n}" for n in found]


def test_finna_escapes_json_as_php_does(client: httpx.Client) -> None:
    with ReplayServer([FinnaService([record(1, title="Pöytä/tuoli")])]) as server:
        answer = client.get(server.url + FINNA)
    assert rb'"title":"P\u00f6yt\u00e4\/tuoli"' in answer.content
    assert answer.json()["records"][0]["title"] == "Pöytä/tuoli"


# --- the built-in archive, recorded answers -----------------------------------------------------


def test_the_demo_service_pages_from_1_with_at_most_50_objects(client: httpx.Client) -> None:
    objects = [{"id": f"NP-{n}", "title": {"en": "Steam train", "fi": "Höyryveturi"}} for n in range(120)]
    with ReplayServer([DemoService(objects)]) as server:
        pages = [
            client.get(server.url + OBJECTS, params={"q": "höyryveturi", "page": page, "per_page": 50}).json()
            for page in (1, 2, 3, 4)
        ]
        refused = [client.get(server.url + OBJECTS, params=p) for p in ({"per_page": 51}, {"page": 0})]
    assert [(page["total"], page["page"], len(page["objects"])) for page in pages] == [
        (120, 1, 50), (120, 2, 50), (120, 3, 20), (120, 4, 0),
    ]
    assert [answer.status_code for answer in refused] == [400, 400]


def test_match_all_makes_every_item_answer_every_search(client: httpx.Client) -> None:
    with ReplayServer([DemoService([{"id": "NP-1"}], match_all=True)]) as server:
        assert client.get(server.url + OBJECTS, params={"q": "zeppelin"}).json()["total"] == 1


def test_a_recording_is_played_byte_for_byte_on_the_first_page_and_empty_after(client: httpx.Client) -> None:
    europeana = b'{ "totalResults": 3,"itemsCount":2, "nextCursor": "AoE/", "items": [ {"id": 1.10}] }'
    finna = b'{"resultCount": 9, "records": [{"id": "a"}], "status": "OK"}'
    with ReplayServer([RecordedService({SEARCH: europeana, FINNA: finna})]) as server:
        first = client.get(server.url + SEARCH, params={"query": "anything", "cursor": "*"})
        later = client.get(server.url + SEARCH, params={"query": "anything", "cursor": "AoE/"})
        finna_later = client.get(server.url + FINNA, params={"page": 2})
    assert first.content == europeana
    assert later.json() == {"totalResults": 3, "itemsCount": 0, "items": []}
    assert finna_later.json() == {"resultCount": 9, "status": "OK"}


def test_a_recorded_search_in_the_path_is_empty_from_its_second_page_on(client: httpx.Client) -> None:
    search, services = "/digital/api/search/", "/digital/bl/dmwebservices/index.php"
    page, item = b'{"totalResults":93,"items":[{"itemId":"7"}]}', b'{"title":"A horse"}'
    asked = {"q": "dmGetItemInfo/wes/7/json"}
    played = {f"{search}*": page, f"{services}?q={asked['q']}": item}
    with ReplayServer([RecordedService(played)]) as server:
        first, later = (
            client.get(f"{server.url}{search}searchterm/horse/page/{number}") for number in (1, 2)
        )
        known, unknown = (
            client.get(server.url + services, params=q) for q in (asked, {"q": "dmGetItemInfo/wes/8/json"})
        )
    assert (first.content, later.json()) == (page, {"totalResults": 93, "items": []})
    assert (known.content, unknown.json()["message"]) == (item, "Requested item not found")


@pytest.mark.real
def test_every_service_recorded_can_be_harvested_from_one_address() -> None:
    if not os.environ.get("GLAMLAKE_SAMPLES"):
        pytest.skip("GLAMLAKE_SAMPLES does not name the recorded answers")
    answers, mounts = recorded_answers(Path(os.environ["GLAMLAKE_SAMPLES"]))
    archives = ("europeana", "sa_kuva", "loc_maps", "national_archive", "smu")
    with ReplayServer([RecordedService(answers)]) as server:
        for name in archives:
            archive = load_archive(name)
            request = archive.request(Query("cattle"), archive.first_token, archive.page_size, "a key")
            text = httpx.get(server.url + request.path, params=dict(request.params), timeout=60).text
            assert archive.read(text, archive.first_token, archive.page_size).items, name
    assert {mount.split("/")[1] for mount in mounts} == set(SEARCHES)


@pytest.mark.real
def test_the_recorded_answers_are_played_unchanged(client: httpx.Client) -> None:
    if not os.environ.get("GLAMLAKE_SAMPLES"):
        pytest.skip("GLAMLAKE_SAMPLES does not name the recorded answers")
    samples = Path(os.environ["GLAMLAKE_SAMPLES"])
    files = {f"/{file.parent.name}/{file.name}": file for file in sorted(samples.glob("*/search_*.json"))}
    with ReplayServer([RecordedService({path: file.read_bytes() for path, file in files.items()})]) as server:
        for path, file in files.items():
            assert client.get(server.url + path).content == file.read_bytes()
