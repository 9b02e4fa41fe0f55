"""IIIF services are asked for the size wanted, in the words that their level understands."""

import json
from collections.abc import Iterator

import pytest

from lake import Lake
from pipelines.iiif import ImageService, read_info, sized_path
from tests.lakes import noise_jpeg
from tests.picture_server import Page, PictureHost, picture_host, quick_fetch, records_of, rows_by_path

V2, V3 = "http://iiif.io/api/image/2/context.json", "http://iiif.io/api/image/3/context.json"


def info(**fields: object) -> bytes:
    return json.dumps({"width": 6000, "height": 4000, **fields}).encode()


def v2(level: int, *more: object, **fields: object) -> bytes:
    profile = [f"http://iiif.io/api/image/2/level{level}.json", *more]
    return info(**{"@context": V2, "profile": profile} | fields)


def v3(level: int, **fields: object) -> bytes:
    return info(**{"@context": V3, "type": "ImageService3", "profile": f"level{level}"} | fields)


LISTED = [{"width": 750, "height": 500}, {"width": 1500, "height": 1000}, {"width": 3000, "height": 2000}]


@pytest.mark.parametrize(("document", "size"), [
    (v2(2), "!1024,1024"), (v3(2), "!1024,1024"),
    (v2(1), "1024,"), (v3(1), "1024,"),
    (v2(1, width=4000, height=6000), "682,"),                       # no side over 1024: 682 × 1023
    (v2(0, sizes=LISTED), "1500,"), (v3(0, sizes=LISTED), "1500,1000"),
    (v2(0), "full"), (v3(0), "max"), (v2(0, sizes=LISTED[:1]), "full"), (v3(0, sizes=LISTED[:1]), "max"),
    (v2(0, {"supports": ["sizeByW"]}), "1024,"), (v3(0, extraFeatures=["sizeByWh"]), "1024,682"),
    (v3(0, extraFeatures=["sizeByConfinedWh"]), "!1024,1024"),
    (v2(2, width=900, height=800), "full"), (v3(2, width=900, height=800), "max"),
    (v3(2, maxWidth=600), "!600,600"), (v2(2, {"maxWidth": 600}), "!600,600"),
    (v3(1, maxArea=240_000), "600,"),
    (v3(2, maxWidth=600, width=4000, height=6000), "!600,600"),
    (info(**{"@context": V2, "profile": "http://iiif.io/api/image/2/level1.json"}), "1024,"),
    (info(**{"@context": ["x", V3], "profile": "http://iiif.io/api/image/3/level2.json"}), "!1024,1024"),
    (v2(1, width="6000", height=4000.0), "1024,"),
])
def test_a_size_is_asked_for_as_the_service_understands_it(document, size):
    service = read_info(document)
    assert service is not None
    assert sized_path(service, 1024) == f"/full/{size}/0/default.jpg"


@pytest.mark.parametrize("document", [
    b"", b"null", b"[]", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"width": ' + b"9" * 5000 + b"}",
    info(), v2(2, width=-1), v2(2, width=0), v2(2, height=None), v2(2, width=True), v2(2, width=1.5),
    v2(2, width="1e3"), v2(2, width=[6000]), v2(2, width=10**12), v3(2, height=float("nan")),
    v3(2, height=float("inf")), info(**{"@context": "http://iiif.io/api/image/1/context.json"}),
    info(**{"@context": {"a": V3}, "profile": {"level2": 1}}),
])
def test_an_info_document_that_makes_no_sense_is_no_service(document):
    assert read_info(document) is None


@pytest.mark.parametrize("fields", [
    {"sizes": "all"}, {"sizes": [None, 3, {"width": "x"}, {"height": 9}]}, {"sizes": [LISTED[0]] * 50_000},
    {"extraFeatures": 7}, {"extraFeatures": [[], {}]}, {"profile": ["level0", {"supports": 3}, None]},
    {"maxWidth": -5, "maxArea": "many"}, {"tiles": [[[]]]}, {"id": "file:///etc/passwd"},
])
def test_nonsense_beside_the_size_is_left_out(fields):
    service = read_info(v3(0, **fields))
    assert service is not None
    assert sized_path(service, 1024) == "/full/max/0/default.jpg"


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("size", [(1, 9_999_999), (9_999_999, 1), (1, 1), (1023, 1024), (1025, 7)])
def test_no_side_asked_for_is_nothing_or_too_long(level, version, size):
    sizes = ((1, 1), (5000, 40))
    text = sized_path(ImageService(version, *size, level, sizes=sizes), 1024).split("/")[2]
    sides = [int(side) for side in text.strip("!").split(",") if side.isdigit()]
    assert all(1 <= side <= 5000 for side in sides)
    assert level == 0 or all(side <= 1024 for side in sides)


LARGE, SMALL = noise_jpeg(1, (900, 600)), noise_jpeg(1, (300, 200))
SERVICES = {
    "good": (v3(2, width=900, height=600), Page(SMALL)),
    "refusing": (v2(2, width=900, height=600), Page(b"", 501, {})),
    "lying": (v2(2, width=900, height=600), Page(b"<html>sorry</html>", 200, {"Content-Type": "text/html"})),
    "pretending": (v2(2, width=900, height=600), Page(b"<html>sorry</html>")),
    "nameless": (v3(2, width=900, height=600), Page(SMALL, 200, {})),
    "hostile": (b"[" * 9999, Page(SMALL)),
}


def offer(host: PictureHost, name: str) -> tuple[str, str]:
    """Let the host have a picture, and a IIIF service with it in another size; gives both addresses."""
    document, sized = SERVICES[name]
    host.pages |= {
        f"/{name}.jpg": Page(LARGE), f"/iiif/{name}/info.json": Page(document),
        f"/iiif/{name}/full/!300,300/0/default.jpg": sized,
    }
    return f"{host.url}/{name}.jpg", f"{host.url}/iiif/{name}/info.json"


Fetched = tuple[Lake, PictureHost, dict[str, dict[str, object]]]


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    """A lake after a fetch from all SERVICES, its host, and its rows."""
    lake = Lake(tmp_path_factory.mktemp("iiif")).open()
    with picture_host() as host:
        addresses = dict(offer(host, name) for name in SERVICES)
        records_of(lake, list(addresses), iiif_service_url=list(addresses.values()))
        quick_fetch(lake, host, max_side=300, workers=1)
        yield lake, host, rows_by_path(lake, host)


def test_the_size_wanted_is_asked_of_the_service_and_its_source_remembered(fetched):
    lake, host, rows = fetched
    row = rows["/good.jpg"]
    assert "/good.jpg" not in host.paths()
    assert (lake.root / str(row["path"])).read_bytes() == SMALL
    assert (row["width"], row["height"], row["source_width"], row["source_height"]) == (300, 200, 900, 600)
    assert row["asked_url"] == f"{host.url}/iiif/good/full/!300,300/0/default.jpg"


def test_a_picture_that_has_changed_is_as_large_as_its_service_says_now(lake):
    with picture_host() as host:
        url, service = offer(host, "good")
        records_of(lake, [url], iiif_service_url=[service])
        quick_fetch(lake, host, max_side=300)
        host.pages["/iiif/good/full/!300,300/0/default.jpg"] = Page(noise_jpeg(2, (300, 200)))
        host.pages["/iiif/good/info.json"] = Page(v3(2, width=1800, height=1200))
        assert quick_fetch(lake, host, max_side=300, revisit=True) == {"ok": 1}
        row = rows_by_path(lake, host)["/good.jpg"]
    assert (row["width"], row["source_width"], row["source_height"]) == (300, 1800, 1200)


def test_a_long_picture_that_its_service_makes_too_low_is_judged_as_it_is(lake):
    with picture_host() as host:
        host.pages |= {
            "/wide.jpg": Page(noise_jpeg(1, (2000, 200))),
            "/a/info.json": Page(v3(2, width=2000, height=200)),
            "/a/full/!300,300/0/default.jpg": Page(noise_jpeg(1, (300, 30))),
            "/low.jpg": Page(noise_jpeg(1, (600, 60))),
            "/b/info.json": Page(v3(2, width=600, height=60)),
            "/b/full/!300,300/0/default.jpg": Page(noise_jpeg(1, (300, 30))),
        }
        records_of(
            lake, [f"{host.url}/wide.jpg", f"{host.url}/low.jpg"],
            iiif_service_url=[f"{host.url}/a", f"{host.url}/b"],
        )
        quick_fetch(lake, host, max_side=300)
        row, low = (rows_by_path(lake, host)[path] for path in ("/wide.jpg", "/low.jpg"))
        assert "/low.jpg" not in host.paths()
    assert (row["status"], row["width"], row["source_width"], row["asked_url"]) == ("ok", 300, 2000, None)
    assert (low["status"], low["source_height"]) == ("too_small", 60)


@pytest.mark.parametrize("name", ["refusing", "lying", "pretending", "hostile"])
def test_a_service_that_does_not_give_it_leaves_the_picture_itself(fetched, name):
    _, host, rows = fetched
    row = rows[f"/{name}.jpg"]
    assert f"/{name}.jpg" in host.paths()
    assert (row["status"], row["width"], row["source_width"], row["asked_url"]) == ("ok", 300, 900, None)


def test_what_the_service_gives_is_known_by_its_content_not_by_what_it_is_called(fetched):
    row = fetched[2]["/nameless.jpg"]
    assert (row["status"], row["source_width"], row["content_type"]) == ("ok", 900, None)
    assert str(row["asked_url"]).endswith("/iiif/nameless/full/!300,300/0/default.jpg")


def test_only_pictures_of_many_megabytes_are_made_smaller_where_that_is_asked(lake):
    with picture_host() as host:
        url, service = offer(host, "good")
        big = noise_jpeg(3, (900, 600), quality=100) + b"\0" * 300_000
        host.pages["/big.jpg"] = Page(big)
        records_of(lake, [url, host.url + "/big.jpg"], iiif_service_url=[service, service])
        quick_fetch(lake, host, max_side=300, larger_than_mb=0.3)
        rows = rows_by_path(lake, host)
    assert sorted(host.paths()) == ["/big.jpg", "/good.jpg"]      # how large it is shows only when it is here
    assert (rows["/good.jpg"]["width"], rows["/big.jpg"]["width"]) == (900, 300)
    assert (rows["/big.jpg"]["source_bytes"], rows["/big.jpg"]["source_width"]) == (len(big), 900)
