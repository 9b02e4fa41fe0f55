"""What the page gives as data: facets, single pictures, CSV; and pictures named by their address."""

import csv
import io
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lake import Lake
from lake.errors import FetchError
from lake.spreadsheets import harmless
from lake.tables import RECORD_LABELS
from pipelines.remote_pictures import picture_bytes
from tests.colour_gallery import COLOURS, SHADES, ColourEncoder, client_of, open_gallery, picture, titles
from tests.lakes import write_mart
from web.app import create_app


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = open_gallery(tmp_path_factory.mktemp("gallery"))
    label = {"record_id": "demo:0", "label": "red", "source": "subject", "source_value": "rouge",
             "facet": "topic", "path": ["colour", "red"], "confidence": 0.75}
    write_mart(lake, RECORD_LABELS, [label])
    return lake


@pytest.fixture
def visitor(gallery: Lake) -> TestClient:
    return TestClient(create_app(gallery, ColourEncoder()))


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_facets_are_counted_under_the_other_filters(visitor: TestClient) -> None:
    facets = visitor.get("/api/facets", params={"archive": "demo", "from": "1912"}).json()
    assert facets["asked"] == {"from": "1912", "archive": ["demo"]}
    assert {count["name"]: count["n"] for count in facets["archives"]} == {"demo": 16, "sa_kuva": 12}
    assert (facets["n_samples"], {count["name"]: count["n"] for count in facets["rights"] if count["n"]}) == (
        16, {"open": 16},
    )


def test_a_single_picture_tells_where_each_of_its_labels_comes_from(visitor: TestClient) -> None:
    whole = visitor.get(f"/api/samples/{0:016x}").json()
    assert whole["record_labels"][0]["source_value"] == "rouge"
    assert whole["records"][0]["landing_url"] == "https://archive.invalid/red/0"
    assert "the catalogue's subject “rouge”, confidence 0.75" in visitor.get(
        f"/samples/{0:016x}").text.replace("&#39;", "'")


@pytest.mark.parametrize("path", ["/api/samples/none", "/samples/none", "/samples/..%2f", "/api/samples/%00"])
def test_a_picture_that_is_not_there_is_said_so(visitor: TestClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert ("problem+json" in answer.headers["content-type"]) == path.startswith("/api")


@pytest.mark.parametrize(("asked", "said"), [
    ({"weight": "2"}, "not between 0"), ({"weight": "nan"}, "not between 0"), ({"split": "mine"}, "test_ood"),
    ({"weight": "-0.1"}, "not between 0"), ({"label": [str(i) for i in range(51)]}, "51 values"),
])
def test_parameters_that_make_no_sense_are_a_problem(
    visitor: TestClient, asked: dict[str, Any], said: str,
) -> None:
    answer = visitor.get("/api/search", params={"q": "red", "like": f"{9:016x}"} | asked)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("asked", [{"weight": "2"}, {"weight": "x"}, {"hybrid": "perhaps"}])
def test_parameters_that_make_no_sense_are_a_problem_where_nothing_asks_for_them_too(
    visitor: TestClient, asked: dict[str, str],
) -> None:
    assert visitor.get("/api/search", params=asked).status_code == 400


@pytest.mark.parametrize(("typed", "meant"), [("true", "1"), ("false", ""), ("0", "")])
def test_yes_and_no_are_read_as_programs_write_them(visitor: TestClient, typed: str, meant: str) -> None:
    of = [visitor.get("/api/search", params={"q": "red", "hybrid": one}).json() for one in (typed, meant)]
    assert of[0] == of[1]


def test_a_picture_is_sent_to_an_address_that_asks_for_more(visitor: TestClient) -> None:
    sent = {"upload": ("a.jpg", picture(COLOURS["red"]))}
    whole = visitor.post("/api/search?label=blue&weight=0.9", files=sent, data={"weight": "0.2"}).json()
    assert (whole["asked"]["label"], whole["asked"]["weight"]) == (["blue"], "0.2")
    assert all("blue" in result["labels"] for result in whole["results"])


def test_the_last_page_leads_to_no_page_that_is_refused(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert visitor.get("/api/search").json()["next"] == "search?page=2"
    monkeypatch.setattr("web.asked.LAST_PAGE", 1)
    whole = visitor.get("/api/search").json()
    assert (whole["next"], whole["total"]) == (None, 36)
    assert 'rel="next"' not in visitor.get("/").text


def test_unwanted_words_push_away(visitor: TestClient) -> None:
    titles_of = [titles(visitor.get("/", params={"q": "red blue", "not": word}).text) for word in COLOURS]
    first = {word: found[0].split()[0] for word, found in zip(COLOURS, titles_of, strict=True)}
    assert (first["red"], first["blue"]) == ("blue", "red")


def test_the_words_of_titles_count_where_that_is_asked(visitor: TestClient) -> None:
    plain = visitor.get("/api/search", params={"q": "8"}).json()["results"]
    hybrid = visitor.get("/api/search", params={"q": "8", "hybrid": "1"}).json()["results"]
    assert {card["title"] for card in hybrid[:4]} == {f"{name} 8" for name in COLOURS}
    assert all(set(card["reasons"]) == {"visual"} for card in plain)
    assert all({"title", "text"} & set(card["reasons"]) for card in hybrid[:4])


def test_health_and_version_name_the_model(visitor: TestClient) -> None:
    assert visitor.get("/api/version").json()["model"] == "colours"
    assert visitor.get("/api/health").json()["n_samples"] == len(COLOURS) * SHADES


def test_a_search_as_csv_has_its_results_in_their_order(visitor: TestClient) -> None:
    asked = {"q": "blue", "to": "1914"}
    answer = visitor.get("/api/search.csv", params=asked)
    rows = rows_of(answer.content)
    data = visitor.get("/api/search", params=asked).json()["results"]
    assert [row["sample_id"] for row in rows] == [card["sample_id"] for card in data]
    assert answer.headers["content-disposition"] == 'attachment; filename="glamlake.csv"'
    assert rows[0]["landing_urls"].startswith("https://archive.invalid/blue/")


def test_a_list_longer_than_may_be_taken_along_is_said_to_be_cut(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("web.page", "web.listed"):
        monkeypatch.setattr(f"{module}.MOST_LISTED", 18)
    cut = "the first 18 of the list"
    for asked, n, said in (({}, 18, cut), ({"q": "red"}, 18, cut), ({"archive": "sa_kuva"}, 16, "the list"),
                           ({"from": "1917"}, 8, "the list")):
        assert len(rows_of(visitor.get("/api/search.csv", params=asked).content)) == n
        assert f'data-all="Take {said} along:"' in visitor.get("/", params=asked).text


def test_chosen_pictures_as_csv_are_just_those(visitor: TestClient) -> None:
    chosen = [f"{20:016x}", f"{3:016x}", "none", f"{3:016x}"]
    rows = rows_of(visitor.get("/api/search.csv", params={"q": "red", "id": chosen}).content)
    assert [row["sample_id"] for row in rows] == chosen[:2]


@pytest.mark.parametrize("title", [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "'=1", "＝1", '"=1', "=HYPERLINK(\"x\")", "\n=1",
    "\ufeff=1",
])
def test_no_cell_is_run_by_a_spreadsheet(lake: Lake, title: str) -> None:
    assert str(harmless(title)).startswith("'")
    rows = rows_of(client_of(lake, {"title": title}).get("/api/search.csv").content)
    assert rows[0]["title"] == f"'{title}"


@pytest.mark.parametrize("title", ["a=b", "Train, \"Northport\"", "1939", "ääni", "two\nlines"])
def test_other_cells_are_as_they_were(lake: Lake, title: str) -> None:
    assert rows_of(client_of(lake, {"title": title}).get("/api/search.csv").content)[0]["title"] == title


def test_a_list_of_too_many_pictures_is_refused(visitor: TestClient) -> None:
    answer = visitor.get("/api/search.csv", params={"id": [str(i) for i in range(301)]})
    assert (answer.status_code, "300 are the most" in answer.text) == (400, True)


def test_a_picture_may_be_named_by_its_address_where_that_is_wanted(gallery: Lake) -> None:
    asked: list[str] = []

    def remote(url: str) -> bytes:
        asked.append(url)
        return picture(COLOURS["green"])

    client = TestClient(create_app(gallery, ColourEncoder(), remote))
    assert 'name="picture_url"' in client.get("/").text
    form = {"picture_url": (None, "https://a.invalid/1.jpg"), "q": (None, "")}
    answer = client.post("/search", files=form)
    assert titles(answer.text)[0].startswith("green")
    assert asked == ["https://a.invalid/1.jpg"]


def test_without_a_client_for_the_web_an_address_is_refused_in_words(visitor: TestClient) -> None:
    assert 'name="picture_url"' not in visitor.get("/").text
    answer = visitor.post("/api/search", files={"picture_url": (None, "https://a.invalid/1.jpg")})
    assert (answer.status_code, "save the picture" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:9/x.jpg", "http://localhost/x.jpg", "http://[::1]/x", "http://169.254.169.254/latest",
    "file:///etc/passwd", "ftp://a.invalid/x", "http://0/x", "http://[broken", "gopher://127.0.0.1",
])
def test_an_address_that_is_not_public_is_not_asked(gallery: Lake, url: str) -> None:
    client = TestClient(create_app(gallery, ColourEncoder(), picture_bytes))
    answer = client.post("/api/search", files={"picture_url": (None, url)})
    assert (answer.status_code, answer.json()["title"]) == (400, "That picture could not be fetched")
    with pytest.raises(FetchError) as refused:
        picture_bytes(url)
    assert refused.value.status == "blocked"
    assert "--" not in answer.json()["detail"]


def test_a_form_from_another_site_is_refused(visitor: TestClient) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        answer = visitor.post("/search", files={"q": (None, "red")}, headers={"sec-fetch-site": site},
                              follow_redirects=False)
        assert answer.status_code == status


def test_the_map_is_data_once_it_was_made(visitor: TestClient) -> None:
    answer = visitor.get("/api/map")
    assert (answer.status_code, "glamlake map" in json.loads(answer.text)["detail"]) == (503, True)
    assert "<code>glamlake map</code>" in visitor.get("/map").text
