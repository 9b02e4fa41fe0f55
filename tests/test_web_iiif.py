"""Manifests and pictures by the rules of IIIF, and readable from where they are allowed to be."""

import asyncio
import io
import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image

from lake import Lake
from pipelines.cli import cli
from tests.browsing import served
from tests.colour_gallery import COLOURS, SHADES, ColourEncoder, client_of, open_gallery, picture
from tests.iiif_rules import broken_rules
from web.app import create_app
from web.headers import EVERY_SITE

ID = f"{0:016x}"
ROOT = Path(__file__).parent.parent
PREZI3 = """
import json, sys
from iiif_prezi3 import Collection, Manifest
read = [{"Manifest": Manifest, "Collection": Collection}[d["type"]](**d) for d in json.load(sys.stdin)]
print(json.dumps([json.loads(document.jsonld()) for document in read]))
"""
MANIFEST = f"/iiif/samples/{ID}/manifest.json"
INFO = f"/iiif/images/{ID}/info.json"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return open_gallery(tmp_path_factory.mktemp("gallery"))


@pytest.fixture
def visitor(gallery: Lake) -> TestClient:
    return TestClient(create_app(gallery, ColourEncoder()))


@pytest.mark.parametrize("path", [
    MANIFEST, INFO, "/iiif/search/manifest.json?q=red", "/iiif/search/manifest.json",
    "/iiif/search/collection.json?q=red&to=1912", f"/iiif/search/manifest.json?id={ID}&id={3:016x}",
])
def test_what_is_served_keeps_the_rules(visitor: TestClient, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, broken_rules(answer.json())) == (200, [])


def test_behind_a_proxy_that_takes_a_path_off_every_address_has_it(gallery: Lake) -> None:
    with served(gallery, root_path="/pictures") as here:
        there = f"{here}pictures/"
        manifest, information = (httpx.get(here + path[1:], timeout=60).json() for path in (MANIFEST, INFO))
        led = httpx.get(f"{here}iiif/images/{ID}", timeout=60).headers["location"]
        page, own = (httpx.get(here + path, timeout=60) for path in ("", f"samples/{ID}"))
        shared = httpx.get(here + INFO[1:], timeout=60).headers["Access-Control-Allow-Origin"]
        missing = httpx.get(f"{here}api/nothing", timeout=60)
    image = manifest["items"][0]["items"][0]["items"][0]["body"]
    assert manifest["id"] == there + MANIFEST[1:]
    assert information["id"] == image["service"][0]["id"] == f"{there}iiif/images/{ID}"
    assert (led, shared) == (there + INFO[1:], "*")
    assert "./static/page.css" in page.text
    assert '"../static/page.css"' in own.text
    assert missing.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("given", "is_a_path"), [
    ("/pictures", True), ("/our/pictures/", True), ("/", True),
    ("pictures", False), ("https://site.example/pictures", False), ("//site.example", False), ("/a b", False),
])
def test_the_path_that_a_proxy_takes_off_must_be_one(given: str, is_a_path: bool) -> None:
    told = CliRunner().invoke(cli, ["serve", "--root-path", given, "--port", "x"])
    assert ("it looks like /pictures" in told.output) is not is_a_path
    assert told.exit_code == 2


def test_iiif_prezi3_reads_what_is_served_and_loses_nothing(lake: Lake, gallery: Lake) -> None:
    python = ROOT / ".venv-bench" / "iiif" / "bin" / "python"
    if not python.exists():
        pytest.skip("iiif-prezi3 has no environment here; `make test` makes it")
    served = TestClient(create_app(gallery, ColourEncoder()))
    odd = client_of(lake, {"title": "<b>שלום</b>", "language": "he", "year": -44, "labels": ["<a>"]})
    paths = (MANIFEST, "/iiif/search/manifest.json", "/iiif/search/collection.json")
    documents = [client.get(path).json() for client in (served, odd) for path in paths]
    given = json.dumps(documents)
    run = subprocess.run([str(python), "-c", PREZI3], input=given, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) == documents


@pytest.mark.parametrize("facts", [
    {"title": None}, {"title": "<b>bold</b>", "language": "fi"}, {"title": "", "year": -300}, {"year": 12345},
    {"rights_uri": "https://creativecommons.org/licenses/by/4.0/", "attribution": "<i>Me</i>"},
    {"rights_uri": "https://evil.invalid/licence"}, {"provider": "<p>", "labels": ["<a>"]},
    {"landing_url": "javascript:alert(1)"}, {"landing_url": "https://a.invalid/ x"}, {"content": b"no"},
    {"language": "not a language"}, {"rights_class": "a class of later years"},
])
def test_odd_metadata_breaks_no_rule(lake: Lake, facts: dict[str, Any]) -> None:
    client = client_of(lake, facts)
    for path in (MANIFEST, INFO, "/iiif/search/manifest.json", "/iiif/search/collection.json"):
        assert broken_rules(client.get(path).json()) == []


@pytest.mark.parametrize(("rule", "spoil"), [
    ("lacks label", lambda m: m.pop("label")),
    ("no language map", lambda m: m.update(label="red")),
    ("width and height", lambda m: m["items"][0].update(width=0)),
    ("used twice", lambda m: m["items"].append(deepcopy(m["items"][0]))),
    ("takes for markup", lambda m: m.update(label={"none": ["<b>"]})),
    ("may not carry", lambda m: m.update(sequences=[])),
    ("its own canvas", lambda m: m["items"][0]["items"][0]["items"][0].update(target="https://a.invalid/x")),
    ("known statement", lambda m: m.update(rights="mine")),
])
def test_the_rules_notice_what_is_broken(
    visitor: TestClient, rule: str, spoil: Callable[[dict[str, Any]], None],
) -> None:
    manifest = visitor.get(MANIFEST).json()
    spoil(manifest)
    assert rule in str(broken_rules(manifest))


def test_a_manifest_tells_what_the_page_tells(lake: Lake) -> None:
    facts = {"title": "Tram", "language": "fi", "year": 1931, "attribution": "A. Lindqvist",
             "rights_uri": "https://creativecommons.org/licenses/by/4.0/", "landing_url": "https://a.invalid/7"}
    manifest = client_of(lake, facts).get(MANIFEST).json()
    assert manifest["label"] == {"fi": ["Tram"]}
    assert manifest["requiredStatement"]["value"] == {"none": ["A. Lindqvist"]}
    assert manifest["rights"] == "http://creativecommons.org/licenses/by/4.0/"
    assert manifest["homepage"][0]["id"] == "https://a.invalid/7"
    assert manifest["navDate"] == "1931-01-01T00:00:00Z"


def test_every_picture_a_manifest_names_has_the_size_it_says(lake: Lake) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6    # lies on its side
    turned = io.BytesIO()
    Image.new("RGB", (1501, 700), "teal").save(turned, "JPEG", exif=exif)
    client = client_of(lake, {"content": turned.getvalue()}, {"content": picture((1, 2, 3), (3001, 1999))})
    for canvas in client.get("/iiif/search/manifest.json").json()["items"]:
        body = canvas["items"][0]["items"][0]["body"]
        info = client.get(urlsplit(body["service"][0]["id"]).path + "/info.json").json()
        assert (info["width"], info["height"]) == (canvas["width"], canvas["height"])
        named = [f"{info['id']}/full/{s['width']},{s['height']}/0/default.jpg" for s in info["sizes"]]
        sizes = [(s["width"], s["height"]) for s in info["sizes"]]
        shown = [(image["id"], (image["width"], image["height"])) for image in (body, canvas["thumbnail"][0])]
        wanted = [*zip(named, sizes, strict=True), *shown]
        for address, size in wanted:
            assert Image.open(io.BytesIO(client.get(urlsplit(address).path).content)).size == size


def test_a_list_manifest_has_the_results_in_their_order(visitor: TestClient) -> None:
    asked = {"q": "blue", "from": "1912"}
    canvases = visitor.get("/iiif/search/manifest.json", params=asked).json()["items"]
    titles = [canvas["label"]["none"][0] for canvas in canvases]
    assert len(titles) == len(COLOURS) * (SHADES - 2)
    first = [card["title"] for card in visitor.get("/api/search", params=asked).json()["results"]]
    assert titles[:len(first)] == first


@pytest.mark.parametrize("path", [
    "/iiif/samples/none/manifest.json", "/iiif/images/none/info.json",
    f"/iiif/images/{ID}/full/7,7/0/default.jpg",
    f"/iiif/images/{ID}/full/99999,/0/default.jpg", "/iiif/search/manifest.json?to=1800", "/iiif/nothing",
    "/iiif/search/manifest.json?id=none", f"/iiif/images/{ID}/0,0,9,9/max/0/default.jpg",
])
def test_what_is_not_there_is_a_problem(visitor: TestClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_image_service_leads_to_its_description(visitor: TestClient) -> None:
    answer = visitor.get(f"/iiif/images/{ID}", follow_redirects=False)
    assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, INFO)


@pytest.mark.parametrize(("allowed", "origin", "said"), [
    (EVERY_SITE, "https://viewer.invalid", "*"), (EVERY_SITE, "null", "*"),
    ((), "https://viewer.invalid", None),
    (("https://viewer.invalid",), "https://viewer.invalid", "https://viewer.invalid"),
    (("https://viewer.invalid",), "https://other.invalid", None),
])
def test_only_sites_that_are_allowed_may_read_manifests_and_only_those(
    gallery: Lake, allowed: tuple[str, ...], origin: str, said: str | None,
) -> None:
    client = TestClient(create_app(gallery, ColourEncoder(), allowed_origins=allowed))
    shared = (MANIFEST, INFO, "/iiif/search/manifest.json", "/iiif/search/collection.json", "/iiif/nothing",
              f"/iiif/images/{ID}/full/max/0/default.jpg")
    for path in shared:
        assert client.get(path, headers={"origin": origin}).headers.get("access-control-allow-origin") == said
    assert "access-control-allow-origin" not in client.get("/api/search", headers={"origin": origin}).headers


def test_every_site_may_read_manifests_and_their_pictures_unless_some_are_named(visitor: TestClient) -> None:
    for path in (MANIFEST, INFO, f"/iiif/images/{ID}", f"/iiif/images/{ID}/full/max/0/default.jpg"):
        assert visitor.get(path, follow_redirects=False).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in visitor.get(f"/pictures/{ID}").headers


@pytest.mark.parametrize("path", [f"/iiif/images/{ID}/full/max/0/default.jpg", f"/pictures/{ID}"])
def test_a_browser_that_has_a_picture_is_not_sent_it_again(visitor: TestClient, path: str) -> None:
    tag = visitor.get(path).headers["etag"]
    again = visitor.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_id_of_a_list_is_an_address_whatever_was_sent_raw(gallery: Lake) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/iiif/search/manifest.json", "scheme": "http",
             "query_string": 'q=<ä> "{x}"&hybrid=0'.encode(), "headers": [(b"host", b"lake.invalid")]}
    asyncio.run(create_app(gallery, ColourEncoder())(scope, receive, send))
    address = json.loads(sent[1]["body"])["id"]
    assert address == ("http://lake.invalid/iiif/search/manifest.json"
                       "?q=%3C%C3%A4%3E%20%22%7Bx%7D%22&hybrid=0")
