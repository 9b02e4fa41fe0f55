"""What the pages say and in which order, as far as it can be told without a browser."""

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lake import Lake
from lake.tables import RECORD_LABELS
from tests.colour_gallery import ColourEncoder, Seen, client_of, embed
from tests.lakes import write_mart
from web.app import create_app
from web.words import apart

ID = f"{0:016x}"
HEBREW = "תחנת הרכבת ביפו, 1912 (Jaffa)"


@pytest.fixture
def visitor(lake: Lake) -> TestClient:
    return client_of(lake, {"title": "Tram"})


def test_what_runs_from_the_right_is_kept_apart_in_a_sentence() -> None:
    assert apart(HEBREW) == f"\u2068{HEBREW}\u2069"
    assert apart("ميناء") == "\u2068ميناء\u2069"
    assert apart("Höyryveturi 1912 – 汽車") == "Höyryveturi 1912 – 汽車"
    assert apart("\u202egpj.exe\u2069") == "gpj.exe"


def test_titles_have_their_own_direction_and_language_wherever_they_stand(lake: Lake) -> None:
    client = client_of(lake, {"title": HEBREW, "language": "he"})
    embed(lake, ColourEncoder())
    card, whole = client.get("/").text, client.get(f"/samples/{ID}").text
    assert '<h2 dir="auto" lang="he">' in card
    assert '<h1 dir="auto" lang="he">' in whole
    liked = client.get("/", params={"like": ID}).text
    assert f"Pictures like “\u2068{HEBREW}\u2069”" in liked
    assert f"Like “\u2068{HEBREW}\u2069”" in liked
    assert client.get("/iiif/search/manifest.json", params={"q": HEBREW}).json()["label"] == {
        "none": [f"Pictures found for “\u2068{HEBREW}\u2069”"],
    }


def test_a_picture_is_followed_by_what_is_said_of_it_before_others_like_it(lake: Lake) -> None:
    client = client_of(lake, {"title": "Tram"}, {"title": "Bus"})
    embed(lake, ColourEncoder())
    html = client.get(f"/samples/{ID}").text
    places = [html.index(said) for said in ("<figure>", "<h1", 'class="alike"', 'class="provenance"')]
    assert places == sorted(places)


@pytest.mark.parametrize("path", ["/map", f"/samples/{ID}"])
def test_one_can_search_from_every_page(visitor: TestClient, path: str) -> None:
    page = Seen(visitor.get(path).text)
    assert ("input", "name", "q") in page.attributes
    assert ("form", "role", "search") in page.attributes


def test_of_many_labels_the_rarer_ones_are_folded_away_but_not_a_chosen_one(lake: Lake) -> None:
    names = [f"label {i:02}" for i in range(14)]
    client = client_of(lake, *({"title": name, "labels": [name]} for name in names))
    write_mart(lake, RECORD_LABELS, [
        {"record_id": f"demo:{i}", "label": name, "source": "subject", "facet": "topic", "path": [name]}
        for i, name in enumerate(names)
    ])
    html = client.get("/").text
    assert '<details class="rest">\n<summary>4 more</summary>' in html
    assert html.count('name="label"') == 14
    assert '<details class="rest" open>' in client.get("/", params={"label": "label 13"}).text
    assert '<details class="rest">' in client.get("/", params={"label": "label 01"}).text


def test_where_nothing_is_found_each_filter_can_be_taken_off(visitor: TestClient) -> None:
    html = visitor.get("/", params={"from": "1700", "rights": "open"}).text
    assert "Nothing found" in html
    assert './?from=1700"' in html
    assert './?rights=open"' in html


@pytest.mark.parametrize("path", [
    "/", "/api/health", f"/pictures/{ID}", "/static/page.css", "/none", "/api/none",
])
def test_head_says_what_get_says_without_the_body(visitor: TestClient, path: str) -> None:
    got, head = visitor.get(path), visitor.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "content-length", "content-security-policy"):
        assert head.headers[name] == got.headers[name]


def test_a_viewer_that_asks_beforehand_is_told_that_it_may_read(visitor: TestClient) -> None:
    asking = {"origin": "https://viewer.invalid", "access-control-request-method": "GET"}
    told = visitor.options(f"/iiif/images/{ID}/info.json", headers=asking)
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (204, "*")
    assert "GET" in told.headers["access-control-allow-methods"]
    assert visitor.options("/api/search", headers=asking).status_code == 405


@pytest.mark.parametrize(("method", "path", "status"), [
    ("DELETE", "/api/search", 405), ("POST", "/iiif/search/manifest.json", 405), ("GET", "/static/none", 404),
    ("GET", "/static/%2e%2e/app.py", 404), ("GET", "/api/search?from=x", 400), ("GET", "/uploads/none", 404),
])
def test_whatever_goes_wrong_is_a_problem_that_programs_can_read(
    visitor: TestClient, method: str, path: str, status: int,
) -> None:
    answer = visitor.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("PUT", "/api/search", "GET, HEAD, POST"), ("DELETE", "/search", "GET, HEAD, POST"),
    ("POST", "/", "GET, HEAD"), ("POST", "/api/health", "GET, HEAD"),
    ("PUT", "/static/page.css", "GET, HEAD"),
])
def test_who_comes_with_another_method_is_told_all_there_are(
    visitor: TestClient, method: str, path: str, allowed: str,
) -> None:
    assert visitor.request(method, path).headers["allow"] == allowed


def test_what_is_sent_and_is_no_form_is_refused_instead_of_overlooked(visitor: TestClient) -> None:
    answer = visitor.post("/api/search", json={"q": "tram"})
    assert (answer.status_code, "multipart/form-data" in answer.json()["detail"]) == (415, True)
    assert visitor.post("/api/search", content=b"q=tram").status_code == 415
    assert visitor.post("/api/search", data={"upload": "tram"}).status_code == 400
    assert visitor.post("/api/search", data={"from": "1700"}).json()["total"] == 0


def test_visitors_are_not_told_where_on_the_disk_the_lake_lies(lake: Lake) -> None:
    client = TestClient(create_app(lake, ColourEncoder()))
    for path in ("/", "/?q=tram", "/api/search", "/api/health", "/iiif/search/manifest.json", "/samples/7"):
        answer = client.get(path).text
        assert "arvested yet in the lake" in answer
        assert str(lake.root) not in answer


def test_a_picture_whose_file_is_gone_or_broken_is_not_the_visitors_fault(lake: Lake) -> None:
    whole = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(whole, "PNG")
    client = client_of(lake, {"content": whole.getvalue()[:60], "extension": "png"}, {"title": "gone"})
    gone = next(path for path in lake.images.rglob("*.jpg"))
    gone.unlink()
    for i, said in ((0, "cannot be read"), (1, "no longer")):
        answer = client.get(f"/iiif/images/{i:016x}/full/max/0/default.jpg")
        assert (answer.status_code, said in answer.json()["detail"]) == (404, True)
        assert client.get(f"/samples/{i:016x}").status_code == 200


def test_what_was_typed_beside_a_picture_that_cannot_be_read_stays_in_the_form(visitor: TestClient) -> None:
    typed = {"q": "harbour crane", "from": "1911", "not": "people"}
    answer = visitor.post("/search", data=typed, files={"upload": ("mine.png", b"no picture")})
    assert answer.status_code == 400
    assert "cannot be read as a picture" in answer.text
    values = {value for _, name, value in Seen(answer.text).attributes if name == "value"}
    assert set(typed.values()) <= values


@pytest.mark.parametrize("path", ["/", "/api/search"])
def test_what_should_not_be_shown_alone_is_no_search(visitor: TestClient, path: str) -> None:
    answer = visitor.get(path, params={"not": "people"})
    assert answer.status_code == 400
    assert "give words or a picture too" in answer.text


def test_a_screen_reader_can_go_straight_to_the_filters(lake: Lake) -> None:
    page = client_of(lake, {"title": "One"}).get("/").text
    assert 'role="region" aria-label="Filters"' in page
