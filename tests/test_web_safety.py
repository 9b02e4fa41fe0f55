"""The search page against what metadata, visitors and other pages may try."""

import io
import re
import struct
import zlib
from collections.abc import Sequence

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lake import Lake
from lake.errors import UsageError
from tests.colour_gallery import ColourEncoder, Seen, Vector, client_of, open_gallery, picture
from web.app import create_app
from web.pictures import decode_upload
from web.server import address, listen

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return open_gallery(tmp_path_factory.mktemp("gallery"))


@pytest.fixture
def visitor(gallery: Lake) -> TestClient:
    return TestClient(create_app(gallery, ColourEncoder()))


def test_a_quote_in_a_filter_filters_and_does_no_more(visitor: TestClient) -> None:
    answer = visitor.get("/api/search", params={"q": "red", "archive": "x') or true --"})
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_markup_in_metadata_is_shown_and_not_run(lake: Lake) -> None:
    fields = ("title", "caption", "date_raw", "provider", "archive", "attribution")
    client = client_of(lake, dict.fromkeys(fields, SCRIPT) | {"landing_url": "https://a.invalid/"})
    for asked in ({}, {"like": f"{0:016x}"}, {"q": SCRIPT}, {"from": SCRIPT}, {"archive": SCRIPT}):
        html = client.get("/", params=asked).text
        assert Seen(html).tags.count("script") == 1    # the page's own
        assert "&lt;script&gt;alert(1)" in html


def test_a_quote_in_a_title_does_not_end_its_attribute(lake: Lake) -> None:
    page = Seen(client_of(lake, {"title": '" onerror="alert(1)'}).get("/").text)
    assert "onerror" not in [name for _, name, _ in page.attributes]


@pytest.mark.parametrize("url", [
    "javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "//evil.invalid/", "file:///etc/passwd",
    "https://", "http://[broken", "\x01javascript:alert(1)",
])
def test_only_links_of_the_web_are_links(lake: Lake, url: str) -> None:
    html = client_of(lake, {"landing_url": url}).get("/").text
    assert "See it at" not in html
    assert all(a.startswith(("./", "#")) for a in Seen(html).addresses("href", "src", "action", "formaction"))


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fmarts%2fsamples.parquet", "%00", "a'b", "%2e%2e"])
def test_only_pictures_of_samples_are_served(visitor: TestClient, name: str) -> None:
    answer = visitor.get(f"/pictures/{name}")
    assert answer.status_code == 404 or answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["marts/samples.parquet", "images/../marts/samples.parquet", "/etc/passwd"])
def test_a_path_that_leads_out_of_the_store_is_not_followed(lake: Lake, path: str) -> None:
    assert client_of(lake, {"path": path}).get(f"/pictures/{0:016x}").status_code == 404


def test_a_picture_of_more_than_ten_megabytes_is_refused_with_the_size(visitor: TestClient) -> None:
    answer = visitor.post("/search", files={"upload": ("big.jpg", b"\xff\xd8" + bytes(11 * 1024 * 1024))})
    assert answer.status_code == 413
    assert "11.0 MB" in answer.text
    assert "save it smaller" in answer.text


@pytest.mark.parametrize("content", [
    b"", b"<svg onload=alert(1)>", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n", picture((1, 2, 3))[:300],
    bytes(5000),
])
def test_a_file_that_is_no_picture_is_refused_in_words(visitor: TestClient, content: bytes) -> None:
    answer = visitor.post("/search", files={"upload": ("mine.jpg", content)})
    assert answer.status_code == 400
    assert "choose a JPEG, PNG" in answer.text


def png_that_claims(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("1", (8, 8)).save(out, "PNG")
    header = b"IHDR" + struct.pack(">II", side, side) + out.getvalue()[24:29]
    return out.getvalue()[:12] + header + struct.pack(">I", zlib.crc32(header)) + out.getvalue()[33:]


@pytest.mark.parametrize("side", [8000, 20000])
def test_a_small_file_that_unfolds_into_too_many_pixels_is_refused(visitor: TestClient, side: int) -> None:
    answer = visitor.post("/api/search", files={"upload": ("bomb.png", png_that_claims(side))})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "50 megapixels is the most" in answer.json()["detail"]


@pytest.mark.parametrize("mode", ["I;16", "LA", "RGBA", "P", "1", "L"])
def test_pictures_of_every_mode_become_small_and_rgb(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (700, 500)).save(out, "PNG")
    decoded = decode_upload(out.getvalue())
    assert (decoded.mode, decoded.size) == ("RGB", (512, 366))


def test_a_form_that_does_not_announce_its_length_is_refused(visitor: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = visitor.post("/search", content=iter([b"--x\r\n"]), headers=headers)
    assert answer.status_code == 411


def test_a_surprise_is_not_told_to_visitors(gallery: Lake) -> None:
    class Broken(ColourEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Vector:
            raise RuntimeError("secret")

    answer = TestClient(create_app(gallery, Broken()), raise_server_exceptions=False).get("/api/search?q=red")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", [
    "/", "/?q=red", "/?from=x", "/nowhere", "/search", "/api/search", "/api/search?page=x", "/api/health",
    "/static/page.css", f"/pictures/{0:016x}", "/pictures/none",
])
def test_every_answer_forbids_what_the_page_does_not_need(visitor: TestClient, path: str) -> None:
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


@pytest.mark.parametrize("path", ["/?q=red&from=1911", f"/samples/{0:016x}", "/map", "/nowhere/else"])
def test_pages_hold_no_script_or_style_and_load_nothing_foreign(visitor: TestClient, path: str) -> None:
    html = visitor.get(path).text
    page = Seen(html)
    assert re.findall(r"<script[^>]*>([^<]*)</script>", html) == [""] * page.tags.count("script")
    assert not {"style", "iframe", "object"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")]
    styles = [value or "" for tag, name, value in page.attributes if (tag, name) == ("link", "href")]
    assert all(loaded.startswith(("./", "../")) for loaded in [*styles, *page.addresses("src", "action")])


def test_the_page_is_the_same_under_every_host(visitor: TestClient) -> None:
    hosts = ("localhost", "evil.invalid", "[::1]:8000")
    assert len({visitor.get("/", headers={"host": host}).text for host in hosts}) == 1


def test_the_server_listens_on_this_machine_and_says_when_it_cannot() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert address(listening).startswith("http://127.0.0.1:")
        with pytest.raises(UsageError, match="--port"):
            listen("127.0.0.1", listening.getsockname()[1])
