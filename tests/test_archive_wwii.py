"""worldwarphotos.info: galleries with their further pages, folders and picture pages become hits."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import UnexpectedAnswer
from pipelines.archives import load_archive
from pipelines.archives._archive import Query
from pipelines.archives._html import HtmlPage
from pipelines.harvest import HarvestOptions, harvest
from pipelines.http_client import Manners
from pipelines.replay import Fault, ReplayServer, SitePicture, SiteService, gallery_pages
from pipelines.replay.answers import Answer, Params
from tests.hit_fixtures import FIXTURES

WWII = load_archive("wwii")
PAGE = (FIXTURES / "hits" / "wwii" / "page_1.html").read_text("utf-8")
GALLERY = "/gallery/usa/tanks/m3_stuart/"
QUICK = Manners(attempts=2, backoff_s=0.01, allow_private_hosts=True)


def pictures(n: int, name: str = "stuart") -> list[SitePicture]:
    caption = "Stuart no. {} near Łódź & Charków, {}"
    return [SitePicture(f"{name}-{i}", caption.format(i, 1939 + i % 7)) for i in range(n)]


def ask(lake: Lake, pages: dict[str, str], query: str = GALLERY) -> list[str]:
    """Harvest from a site of these pages; the paths asked for, robots.txt left out."""
    with ReplayServer([SiteService(pages)]) as server:
        harvest(lake, "wwii", HarvestOptions((query,), base_url=server.url), manners=QUICK)
        return [request.path for request in server.requests if request.path != "/robots.txt"]


def statuses(lake: Lake) -> list[tuple[Any, ...]]:
    columns = "query, slice, status, announced, received, pages"
    rows = catalog.rows(lake, f"select {columns} from harvests order by slice")
    return [tuple(row.values()) for row in rows]


def hits(lake: Lake) -> list[dict[str, Any]]:
    rows = catalog.rows(lake, "select distinct native_id, payload from raw_hits order by native_id")
    return [json.loads(row["payload"]) for row in rows]


def items(page: str) -> list[dict[str, Any]]:
    return [json.loads(item) for item in WWII.read(page, f"0 {GALLERY}", 100).items]


def test_a_gallery_is_read_to_its_last_page_and_complete_without_a_number_announced(lake):
    asked = ask(lake, gallery_pages(GALLERY, "M3 Stuart", pictures(25), a_page=10))
    assert statuses(lake) == [("armored fighting vehicles", "/usa/tanks/m3_stuart/", "complete", None, 25, 3)]
    assert len(asked) == len(set(asked)) == 3 + 25
    assert len(hits(lake)) == 25


def test_a_gallery_whose_second_page_is_missing_is_not_complete(lake):
    pages = gallery_pages(GALLERY, "M3 Stuart", pictures(25), a_page=10)
    ask(lake, {path: page for path, page in pages.items() if path != f"{GALLERY}page/2/"})
    [(_, _, status, _, received, _)] = statuses(lake)
    assert (status, received) == ("failed", 10)


def test_galleries_that_are_gone_do_not_keep_from_those_that_are_there(lake):
    ask(lake, gallery_pages("/gallery/uk/raf/harrow/", "Harrow", pictures(2)), "uk raf")
    rows = catalog.rows(lake, "select status, count(*) as n from harvests group by 1 order by 1")
    found = len(WWII.expand(Query("uk raf")))
    assert [tuple(row.values()) for row in rows] == [("complete", 1), ("failed", found - 1)]


def test_the_next_harvest_goes_on_after_the_last_page_received(lake):
    pages = gallery_pages(GALLERY, "M3 Stuart", pictures(25), a_page=10)
    fault = Fault("http_500", f"{GALLERY}page/2/", times=2)
    with ReplayServer([SiteService(pages)], faults=[fault]) as server:
        options = HarvestOptions((GALLERY,), base_url=server.url)
        harvest(lake, "wwii", options, manners=QUICK)
        first = len(server.requests)
        harvest(lake, "wwii", options, manners=QUICK)
        again = [request.path for request in server.requests[first:] if request.path != "/robots.txt"]
    assert again[0] == f"{GALLERY}page/2/"
    assert [row[2:5] for row in statuses(lake)] == [("complete", None, 25)]


def test_a_folder_that_is_no_gallery_of_the_list_is_followed_once(lake):
    folder, listed = f"{GALLERY}pacific/", "/gallery/usa/tanks/m3_m5/"
    pages = gallery_pages(GALLERY, "M3", pictures(15), a_page=10, folders=[folder, listed])
    pages |= gallery_pages(folder, "Pacific", pictures(3, "pacific"))
    asked = ask(lake, pages)
    assert asked.count(folder) == 1
    assert listed not in asked
    assert [row[2:5] for row in statuses(lake)] == [("complete", None, 18)]


def test_a_pictures_own_page_is_kept_beside_what_its_gallery_says(lake):
    ask(lake, gallery_pages(GALLERY, "M3", pictures(1)))
    [hit] = hits(lake)
    assert hit["search"]["caption"] == "Stuart no. 0 near Łódź &amp; Charków, 1939"
    assert hit["picture_page"]["title"] == "M3: stuart-0"
    assert hit["picture_page"]["description"].startswith("<p>Stuart no. 0 near Łódź")


def test_a_word_stands_for_its_galleries_and_a_path_for_one():
    submarines = WWII.expand(Query("submarine"))
    assert submarines == [Query("submarine", filters=("/japan/ijn/midget/",))]
    assert WWII.expand(Query("/gallery/usa/pacific/guam")) == [Query("*", filters=("/usa/pacific/guam/",))]
    assert {query.filters[0] for query in WWII.expand(Query("Sherman"))} >= {"/usa/tanks/sherman/"}
    assert WWII.expand(Query("zeppelin")) == []
    every = WWII.expand(Query("*"))
    assert len(every) == len(set(every)) == 417
    assert {query.text for query in every} >= {"aircraft", "military vehicles", "*"}


def test_a_hit_has_the_very_characters_of_its_piece_of_the_page():
    for item in items(PAGE):
        assert item["html"] in PAGE
        assert item["html"].count("<img") == 1
    first = items(PAGE)[0]
    assert "January&nbsp;1945<br>Signal Corps" in first["html"]
    assert first["thumbnail"].startswith("//www.worldwarphotos.info/wp-content/gallery/_cache/")


def test_a_link_counts_from_its_page_however_it_is_written():
    assert [item["id"] for item in items(PAGE)] == [
        f"{GALLERY}stuart-crossing-river/", f"{GALLERY}crew-caf%C3%A9/", f"{GALLERY}spare-parts-1943/",
        f"{GALLERY}lost/",
    ]


@pytest.mark.parametrize("link", ["http://[", "http://[x]/a", "//[::1"])
def test_a_link_that_is_no_address_leads_nowhere(link):
    page = PAGE.replace("</body>", f'<a href="{link}">more</a></body>')
    assert [item["id"] for item in items(page)] == [item["id"] for item in items(PAGE)]
    assert HtmlPage(page, GALLERY, "wwii").place(link) is None


def test_what_one_picture_lacks_is_named_in_its_hit():
    assert [item["missing"] for item in items(PAGE)] == [[], [], ["p.gallery-caption"], ["data-src"]]


@pytest.mark.parametrize(("before", "after", "named"), [
    ("attachment-thumbnail", "wp-post-image", "img.attachment-thumbnail"),
    ("data-src=", "data-lazy=", "data-src of img.attachment-thumbnail"),
    ("<a href", "<a data-href", "a[href] of img.attachment-thumbnail"),
])
def test_an_element_that_no_picture_of_a_page_has_is_named(before, after, named):
    page = PAGE.replace(' src="/wp-content', ' data-src="/wp-content').replace(before, after)
    with pytest.raises(UnexpectedAnswer) as raised:
        WWII.read(page, f"0 {GALLERY}", 100)
    assert named in str(raised.value)
    assert "Light tanks" in str(raised.value)


def test_a_page_of_another_kind_ends_its_gallery_as_failed(lake):
    ask(lake, {GALLERY: "<html><title>Just a moment...</title><p>Checking your browser</p></html>"})
    [row] = catalog.rows(lake, "select status, error from harvests")
    assert row["status"] == "failed"
    assert "Just a moment" in row["error"] or "img.attachment-thumbnail" in row["error"]


def test_what_robots_txt_forbids_is_not_asked_for(lake):
    pages = gallery_pages(GALLERY, "M3", pictures(1))
    assert ask(lake, pages | {"/robots.txt": "User-agent: *\nDisallow: /gallery/usa/"}) == []
    assert [row[2] for row in statuses(lake)] == ["failed"]


class Guarded(SiteService):
    """Refuses one gallery, and plays the rest."""

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        refused = path.startswith("/gallery/usa/tanks/m4_sherman/")
        return Answer(403, "text/html", b"Forbidden") if refused else super().answer(path, params, headers)


def test_a_gallery_that_is_refused_keeps_no_other_from_being_read(lake):
    other = "/gallery/usa/tanks/m5_stuart/"
    pages = gallery_pages(GALLERY, "M3 Stuart", pictures(3)) | gallery_pages(other, "M5", pictures(2, "m5"))
    with ReplayServer([Guarded(pages)]) as server:
        asked = ("/gallery/usa/tanks/m4_sherman/", GALLERY, other)
        harvest(lake, "wwii", HarvestOptions(asked, base_url=server.url), manners=QUICK)
    assert [(slice_.split("/")[3], status) for _, slice_, status, *_ in statuses(lake)] == [
        ("m3_stuart", "complete"), ("m4_sherman", "failed"), ("m5_stuart", "complete"),
    ]
