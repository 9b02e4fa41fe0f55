"""Some URLs are asked again: link rot is told for each archive, and no row is changed."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from lake import Lake, catalog
from lake.errors import EmptyLake
from lake.tables import RAW_HITS, RAW_IMAGES, RECORDS
from pipelines.fetch import FetchOptions
from pipelines.http_client import Manners, PoliteClient
from pipelines.recheck import LinkRot, recheck
from tests.lakes import NOON, noise_jpeg, write_mart, write_raw
from tests.picture_server import Page, PictureHost, blank_jpeg, picture_host

OLD, NEW, SORRY = (noise_jpeg(i, (200, 160)) for i in range(3))
TODAY = {
    "/same": Page(OLD), "/tag": Page(OLD, headers={"ETag": '"v1"'}), "/changed": Page(NEW),
    "/gone": Page(b"", 404), "/page": Page(b"<!DOCTYPE html><html>Sorry</html>"), "/busy": Page(b"", 503),
    "/blank": Page(blank_jpeg()), "/sorry/1": Page(SORRY), "/sorry/2": Page(SORRY),
    "/icon": Page(noise_jpeg(1, (16, 16))),
}


@pytest.fixture
def host() -> Iterator[PictureHost]:
    with picture_host() as host:
        host.pages |= TODAY
        yield host


def fetched_lake(lake: Lake, host: PictureHost, archives: tuple[str, ...] = ("demo",)) -> None:
    """A lake in which every page of the host once gave OLD."""
    sha256 = hashlib.sha256(OLD).hexdigest()
    facts = {"status": "ok", "fetched_at": NOON, "sha256": sha256, "source_sha256": sha256, "path": "a.jpg"}
    urls = [host.url + path for path in TODAY]
    write_raw(lake, RAW_HITS, [{"hit_id": "0", "native_id": "0"}])
    write_raw(lake, RAW_IMAGES, [{"image_url": url, "etag": '"v1"', **facts} for url in urls])
    write_mart(lake, RECORDS, [
        {"record_id": f"{i}", "archive": archives[i % len(archives)], "image_url": url}
        for i, url in enumerate(urls)
    ])


def quick_recheck(lake: Lake, host: PictureHost, n: int = 100, seed: int = 42) -> LinkRot:
    manners = Manners(allowed_hosts=frozenset({host.url[7:]}), attempts=2, backoff_s=0.01)
    with PoliteClient(manners) as client:
        return recheck(lake, n, seed, FetchOptions(), client)


def test_each_url_is_told_apart_and_no_row_is_changed(lake, host):
    fetched_lake(lake, host)
    before = catalog.rows(lake, "from raw_images order by image_url")
    rot = quick_recheck(lake, host)
    assert {one.image_url.removeprefix(host.url): one.outcome for one in rot.urls} == {
        "/same": "same", "/tag": "same", "/changed": "changed", "/gone": "gone", "/page": "gone",
        "/blank": "placeholder", "/icon": "placeholder", "/sorry/1": "placeholder", "/sorry/2": "placeholder",
        "/busy": "unreachable",
    }
    assert catalog.rows(lake, "from raw_images order by image_url") == before
    told = json.loads((lake.reports / "link_rot.json").read_text())
    assert told["archives"] == rot.archives() == [{
        "archive": "demo", "asked": 10, "same": 2, "changed": 1, "placeholder": 4, "gone": 2,
        "unreachable": 1, "lost": round(6 / 9, 4),
    }]


@pytest.mark.parametrize("place", ["http://xn--a.invalid/x", "http://[::1", f"http://{'a' * 300}.com/"])
def test_a_redirect_to_nowhere_ends_one_url_and_not_the_run(lake, host, place):
    fetched_lake(lake, host)
    host.pages["/same"] = Page(status=302, headers={"Location": place})
    outcomes = {one.image_url.removeprefix(host.url): one.outcome for one in quick_recheck(lake, host).urls}
    assert (outcomes["/same"], outcomes["/tag"], len(outcomes)) == ("unreachable", "same", 10)


def test_what_a_host_says_does_not_reach_the_terminal_as_a_command(lake, host):
    fetched_lake(lake, host)
    host.pages["/gone"] = Page("\x1b[2J\x1b]0;mine\x07 \u202egone\x9b1m".encode(), 404)
    rot = quick_recheck(lake, host)
    assert [one.detail for one in rot.urls if one.image_url.endswith("/gone")] == [
        "HTTP 404:  [2J ]0;mine   gone 1m"
    ]
    assert "/gone (HTTP 404: [2J ]0;mine gone 1m)" in rot.text()
    assert rot.text().replace("\n", "").isprintable()


def test_a_host_that_wants_a_long_rest_is_not_waited_for_and_not_asked_on(lake, host):
    fetched_lake(lake, host)
    host.pages |= dict.fromkeys(TODAY, Page(b"", 503, {"Retry-After": "120"}))
    with PoliteClient(Manners(allowed_hosts=frozenset({host.url[7:]}), attempts=2, backoff_s=0.01)) as client:
        rot = recheck(lake, 100, options=FetchOptions(workers=1), client=client)
    assert len(host.heard) == 1
    assert {one.outcome for one in rot.urls} == {"unreachable"}
    assert "left alone for 120 s" in rot.text()


def test_a_sample_is_shared_by_all_archives_and_is_the_same_for_the_same_seed(lake, host):
    fetched_lake(lake, host, ("demo", "smu"))
    first, again, *others = (quick_recheck(lake, host, 4, seed) for seed in (1, 1, *range(2, 10)))
    assert [row["asked"] for row in first.archives()] == [2, 2]
    assert [one.image_url for one in first.urls] == [one.image_url for one in again.urls]
    # The host's port is part of each URL: two seeds may draw the same four of ten, nine do not.
    assert {frozenset(one.image_url for one in rot.urls) for rot in others} != {
        frozenset(one.image_url for one in first.urls)
    }


def test_without_pictures_the_stage_before_is_named(lake):
    write_raw(lake, RAW_HITS, [{"hit_id": "0", "native_id": "0"}])
    with pytest.raises(EmptyLake, match="glamlake fetch"):
        recheck(lake, 5)
