"""The search page: what it finds, shows, says and keeps."""

import io
import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lake import Lake
from lake.errors import EncoderError, UsageError
from models.encoder import EncoderSpec
from pipelines.embed import embed
from tests.colour_gallery import (
    COLOURS,
    SHADES,
    ColourEncoder,
    add_samples,
    client_of,
    gallery_rows,
    open_gallery,
    picture,
    titles,
)
from tests.encoders import tiny_checkpoint
from web.app import create_app
from web.pictures import SmallPictures, smaller_jpeg


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return open_gallery(tmp_path_factory.mktemp("gallery"))


@pytest.fixture
def visitor(gallery: Lake) -> TestClient:
    return TestClient(create_app(gallery, ColourEncoder()))


def test_words_find_the_pictures_that_fit_them_best_first(visitor: TestClient) -> None:
    found = titles(visitor.get("/", params={"q": "a blue thing"}).text)
    assert len(found) == 30
    assert {title.split()[0] for title in found[:SHADES]} == {"blue"}


def test_the_form_leads_to_an_address_that_can_be_shared(visitor: TestClient) -> None:
    answer = visitor.post("/search", files={"q": (None, "red"), "from": (None, ""), "rights": (None, "open")},
                          follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "./?q=red&rights=open")


def test_who_asks_at_the_address_of_the_form_gets_what_was_asked(visitor: TestClient) -> None:
    answer = visitor.get("/search?q=red&from=1900&page=2", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "./?q=red&from=1900&page=2")
    assert visitor.get("/search", follow_redirects=False).headers["location"] == "./"


def test_a_picture_of_the_visitor_finds_pictures_like_it(visitor: TestClient) -> None:
    answer = visitor.post("/search", files={"upload": ("mine.png", picture(COLOURS["green"], format_="PNG"))})
    assert titles(answer.text)[0].startswith("green")
    assert "Pictures like your picture" in answer.text
    shown = re.search(r'src="\./(uploads/[^"]+)"', answer.text)
    assert shown is not None
    assert visitor.get(shown[1]).headers["content-type"] == "image/jpeg"


def test_words_and_a_picture_count_together(visitor: TestClient) -> None:
    mine = {"upload": ("mine.jpg", picture(COLOURS["green"]))}
    found = visitor.post("/api/search", data={"q": "red"}, files=mine).json()["results"]
    scores = {card["title"]: card["score"] for card in found}
    assert min(scores["red 0"], scores["green 0"]) > scores.get("blue 0", -1) + 0.3


def test_more_like_this_finds_the_others_and_not_itself(visitor: TestClient) -> None:
    html = visitor.get("/", params={"like": f"{0:016x}"}).text
    assert "Pictures like “red 0”" in html
    assert "red 0" not in titles(html)
    assert titles(html)[0].startswith("red")


def test_more_like_this_loads_no_weights_when_the_model_is_known(gallery: Lake) -> None:
    answer = TestClient(create_app(gallery)).get("/", params={"like": f"{0:016x}"})    # there are no weights
    assert titles(answer.text)[0].startswith("red")


def test_filters_leave_only_what_passes_all_of_them(visitor: TestClient) -> None:
    asked = {"q": "red", "from": "1911", "to": "1914", "archive": "sa_kuva", "rights": "restricted"}
    found = visitor.get("/api/search", params=asked).json()["results"]
    assert {card["title"] for card in found} == {f"{name} {i}" for name in COLOURS for i in (1, 3)}


def test_several_archives_are_one_filter(visitor: TestClient) -> None:
    found = visitor.get("/api/search", params={"archive": ["demo", "sa_kuva"]}).json()
    assert found["total"] == len(COLOURS) * SHADES


@pytest.mark.parametrize("asked", [{}, {"q": "red"}])
def test_every_picture_is_on_one_of_the_pages(visitor: TestClient, asked: dict[str, str]) -> None:
    first = visitor.get("/", params=asked).text
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert more is not None
    second = visitor.get("/" + more[1].replace("&amp;", "&")).text
    assert len(titles(first)) == 30
    assert len({*titles(first), *titles(second)}) == len(COLOURS) * SHADES
    assert 'rel="next"' not in second


def test_a_card_tells_title_date_holder_archive_rights_and_leads_back(visitor: TestClient) -> None:
    html = visitor.get("/", params={"like": f"{1:016x}", "from": "1910", "to": "1910"}).text
    for said in ("red 0", "ca. 1910", "Northport City Museum", "demo", "Open"):
        assert said in html
    assert '<a href="https://archive.invalid/red/0" rel="noopener noreferrer" target="_blank">' in html


def test_a_picture_without_title_or_date_still_has_a_card(lake: Lake) -> None:
    html = client_of(lake, {"caption": "A pier in fog"}).get("/").text
    assert "Untitled" in html
    assert 'alt="A pier in fog"' in html


def test_pictures_are_served_as_they_were_stored(visitor: TestClient) -> None:
    answer = visitor.get(f"/pictures/{0:016x}")
    assert answer.content == gallery_rows()[0]["content"]
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_page_shows_small_copies_of_large_pictures(lake: Lake) -> None:
    client = client_of(lake, {"content": picture((5, 90, 90), (3000, 1500))})
    small = client.get(f"/pictures/{0:016x}?size=grid")
    assert Image.open(io.BytesIO(small.content)).size == (640, 320)


def test_small_copies_outlive_the_server_and_are_made_again_where_they_are_gone(tmp_path: Path) -> None:
    stored, folder = tmp_path / f"{'a' * 64}.png", tmp_path / "thumbnails"
    Image.new("RGB", (900, 600), "red").save(stored)
    first = SmallPictures(folder).jpeg(stored, 90)
    stored.write_bytes(b"not read again")
    assert SmallPictures(folder).jpeg(stored, 90) == first
    shutil.rmtree(folder)
    with pytest.raises(UsageError):
        SmallPictures(folder).jpeg(stored, 90)


def test_small_copies_take_no_more_room_than_they_may(tmp_path: Path) -> None:
    folder, made = tmp_path / "thumbnails", []
    one = len(smaller_jpeg(_noise(tmp_path, 0), 60))
    pictures = SmallPictures(folder, most_bytes=0, most_kept_bytes=5 * one)
    for number in range(12):
        made.append(pictures.jpeg(_noise(tmp_path, number), 60))
        assert sum(path.stat().st_size for path in folder.rglob("*.jpg")) <= 5 * one
    newest = next(folder.rglob(f"{11:064x}-60.jpg"))
    assert newest.read_bytes() == made[-1]
    assert not list(folder.rglob(".*"))


def test_a_folder_that_cannot_be_written_hides_no_picture(tmp_path: Path) -> None:
    (tmp_path / "thumbnails").write_bytes(b"a file stands there")
    stored = _noise(tmp_path, 1)
    assert SmallPictures(tmp_path / "thumbnails").jpeg(stored, 60) == smaller_jpeg(stored, 60)


def _noise(folder: Path, seed: int) -> Path:
    """A picture that gives about as many bytes of JPEG as any other seed's."""
    drawn = np.random.default_rng(seed).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    path = folder / f"{seed:064x}.png"
    Image.fromarray(drawn).save(path)
    return path


def test_a_picture_that_browsers_cannot_show_comes_as_jpeg(lake: Lake) -> None:
    client = client_of(lake, {"content": picture((5, 90, 90), format_="TIFF"), "extension": "tif"})
    answer = client.get(f"/pictures/{0:016x}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"


def test_a_picture_that_is_no_longer_kept_is_asked_for_again(visitor: TestClient) -> None:
    answer = visitor.get("/", params={"picture": "long-gone"})
    assert answer.status_code == 400
    assert "choose it again" in answer.text


def test_nothing_found_says_what_to_do(visitor: TestClient) -> None:
    html = visitor.get("/", params={"q": "red", "from": "1990"}).text
    assert "Nothing found" in html
    assert 'href="./?q=red"' in html


@pytest.mark.parametrize(("asked", "said"), [
    ({"from": "abc"}, "“abc” is not a year"), ({"from": "²"}, "not a year"), ({"page": "0"}, "no page “0”"),
    ({"from": "1945", "to": "1939"}, "swap them"), ({"page": "9999"}, "narrow the search"),
    ({"rights": "mine"}, "noncommercial"), ({"like": "nobody"}, "No vector of sample nobody"),
])
def test_what_cannot_be_done_is_said_and_the_words_are_kept(
    visitor: TestClient, asked: dict[str, str], said: str,
) -> None:
    answer = visitor.get("/", params={"q": "red"} | asked)
    assert answer.status_code == 400
    assert said in answer.text
    assert 'value="red"' in answer.text


def test_a_lake_without_harvest_names_the_first_command(lake: Lake) -> None:
    answer = TestClient(create_app(lake)).get("/")
    assert answer.status_code == 503
    assert "<code>glamlake harvest" in answer.text


def test_without_vectors_the_collection_is_shown_and_the_missing_command_named(lake: Lake) -> None:
    add_samples(lake, gallery_rows()[:3])
    client = TestClient(create_app(lake))
    shown, searched = client.get("/"), client.get("/", params={"q": "red"})
    assert len(titles(shown.text)) == 3
    assert "<code>glamlake embed</code>" in shown.text
    assert (searched.status_code, "<code>glamlake embed</code>" in searched.text) == (503, True)


def test_every_field_has_a_label_and_every_picture_a_text(visitor: TestClient) -> None:
    html = visitor.get("/", params={"q": "red"}).text
    named = set(re.findall(r'<label[^>]* for="([^"]+)"', html))
    assert set(re.findall(r'<input id="([^"]+)"', html)) == named
    assert all(" alt=" in tag for tag in re.findall(r"<img[^>]*>", html))


def test_data_and_page_give_the_same_samples_in_the_same_order(visitor: TestClient) -> None:
    data = visitor.get("/api/search", params={"q": "red", "to": "1915"}).json()
    assert [card["title"] for card in data["results"]] == titles(visitor.get("/?q=red&to=1915").text)
    assert data["asked"] == {"q": "red", "to": "1915"}
    assert data["results"][0]["score"] == pytest.approx(1, abs=0.01)
    assert visitor.get("/api/" + data["results"][0]["picture_url"]).status_code == 200


def test_data_of_a_wrong_request_is_a_problem(visitor: TestClient) -> None:
    answer = visitor.get("/api/search", params={"from": "x"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.text) == {
        "type": "about:blank", "status": 400, "title": "That cannot be searched for",
        "detail": "“x” is not a year; give one such as 1939.",
    }


def test_health_tells_what_can_be_searched(visitor: TestClient) -> None:
    health = visitor.get("/api/health").json()
    assert (health["status"], health["n_samples"]) == ("ok", len(COLOURS) * SHADES)
    assert health["models"] == ["colours"]


def test_the_encoder_is_loaded_once_and_only_for_a_search(gallery: Lake) -> None:
    loads: list[int] = []

    def load() -> ColourEncoder:
        loads.append(threading.get_ident())
        return ColourEncoder()

    client = TestClient(create_app(gallery, load))
    client.get("/")
    assert loads == []
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda word: client.get("/", params={"q": word}), [*COLOURS] * 2))
    assert [titles(answer.text)[0].split()[0] for answer in answers] == [*COLOURS] * 2
    assert len(loads) == 1


def test_the_model_a_lake_was_embedded_with_is_loaded_for_it(lake: Lake, tmp_path: Path) -> None:
    add_samples(lake, gallery_rows()[::SHADES])
    embed(lake, EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "tiny")))
    client = TestClient(create_app(lake))
    mine = {"upload": ("mine.jpg", gallery_rows()[0]["content"])}
    found = client.post("/api/search", data={"q": ""}, files=mine).json()["results"]
    assert (found[0]["title"], found[0]["score"]) == ("red 0", pytest.approx(1, abs=0.01))
    assert len(titles(client.get("/?q=red").text)) == len(COLOURS)


def test_an_encoder_that_could_not_be_loaded_is_tried_again(gallery: Lake) -> None:
    failures = [EncoderError("weights are missing; bring them")]

    def load() -> ColourEncoder:
        if failures:
            raise failures.pop()
        return ColourEncoder()

    client = TestClient(create_app(gallery, load))
    assert "Weights are missing; bring them." in client.get("/?q=red").text
    assert client.get("/?q=red").status_code == 200


def test_samples_made_anew_are_shown_without_a_restart(lake: Lake) -> None:
    client = client_of(lake, {"title": "before"})
    assert titles(client.get("/").text) == ["before"]
    row = {"archive": "demo", "content": picture((0, 0, 9))}
    add_samples(lake, [row | {"title": "a"}, row | {"title": "b"}])
    assert titles(client.get("/").text) == ["a", "b"]
    assert "2 pictures from 1 archive" in client.get("/").text


def test_a_large_scan_of_the_lake_is_shown(tmp_path: Path) -> None:
    """What `fetch` keeps may be larger than what visitors may send: maps have 60 megapixels and more."""
    path = tmp_path / "map.jpg"
    Image.new("L", (9000, 6000), 200).save(path, "JPEG")
    with Image.open(io.BytesIO(smaller_jpeg(path, 300))) as small:
        assert small.size == (300, 200)
