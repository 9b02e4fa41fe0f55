"""truck-encyclopedia.com: every picture of a page is a hit, whatever it shows; the SQL leaves out flags."""

import json
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import UnexpectedAnswer
from pipelines.archives import load_archive
from pipelines.archives._archive import Query
from pipelines.harvest import HarvestOptions, harvest
from pipelines.http_client import Manners
from pipelines.replay import ReplayServer, SitePicture, SiteService, vehicles_page
from pipelines.transform import normalise
from tests.hit_fixtures import FIXTURES

VEHICLES = load_archive("ww_vehicles")
PAGE = (FIXTURES / "hits" / "ww_vehicles" / "page_1.html").read_text("utf-8")
US = "/ww2/us/us-trucks.php"
QUICK = Manners(attempts=2, backoff_s=0.01, allow_private_hosts=True)


def items(page: str) -> list[dict[str, Any]]:
    return [json.loads(item) for item in VEHICLES.read(page, US, 100).items]


def ask(lake: Lake, pages: dict[str, str], query: str) -> list[str]:
    with ReplayServer([SiteService(pages)]) as server:
        harvest(lake, "ww_vehicles", HarvestOptions((query,), base_url=server.url), manners=QUICK)
        return [request.path for request in server.requests if request.path != "/robots.txt"]


def test_a_page_is_one_request_and_complete_without_a_number_announced(lake):
    page = vehicles_page("Lastwagen", [SitePicture(f"Büssing {n}", "Schwere Straße") for n in range(300)])
    assert ask(lake, {"/ww2/germany/german-trucks.php": page}, "german") == ["/ww2/germany/german-trucks.php"]
    assert catalog.rows(lake, "select query, slice, status, announced, received from harvests") == [{
        "query": "trucks", "slice": "/ww2/germany/german-trucks.php", "status": "complete", "announced": None,
        "received": 300,
    }]


def test_all_nine_pages_are_asked_by_default_and_words_of_a_path_choose():
    every = [query.filters[0] for query in VEHICLES.expand(Query("*"))]
    assert len(every) == 9
    assert [query.filters[0] for query in VEHICLES.expand(Query("WW1"))] == ["/ww1/trucks.php"]
    assert VEHICLES.queries == ("*",)


def test_flags_badges_slides_and_charts_are_hits_and_rejected_by_a_named_rule(lake):
    ask(lake, {US: PAGE}, US)
    normalise(lake, ["ww_vehicles"])
    rejected = catalog.rows(lake, "select native_id, rule from rejections")
    assert {(row["native_id"] or "#").split("#")[1].split("/")[-1]: row["rule"] for row in rejected} == {
        "us_r.jpg": "icon_or_flag", "slide3.jpg": "icon_or_flag", "challenge-coins.jpg": "icon_or_flag",
        "button.GIF": "icon_or_flag", "truck-company-organisation-chart.png": "icon_or_flag",
        "": "missing_id",
    }
    kept = catalog.rows(lake, "select title from records order by title")
    assert [row["title"] for row in kept] == [
        "Diamond T 968", "Dodge WC-51 rear", "GMC CCKW 353, équipement complet",
    ]


def test_titles_captions_and_headings_are_those_nearest_to_the_picture():
    by_alt = {item["alt"]: item for item in items(PAGE)}
    lorry = by_alt["GMC CCKW-353"]
    assert lorry["title"] == "GMC CCKW 353, équipement complet"
    assert lorry["caption"] == "GMC CCKW of the <b>Red Ball</b> Express, near Châlons"
    assert lorry["heading"] == "GMC CCKW &amp; others"
    assert by_alt["Diamond T 968"]["caption"] == "A Diamond T 968 seen in Tromsø harbour"
    assert by_alt["Truck company organisation chart"]["caption"] is None


def test_addresses_count_from_the_page_and_only_its_content_is_read():
    found = {item["alt"]: item["path"] for item in items(PAGE)}
    assert found["flag"] == "/flags/us_r.jpg"
    assert found["GMC CCKW-353"] == "/ww2/us/photos/cckw-353_small.jpg"
    assert "Truck encyclopedia" not in found
    assert "footer" not in found


def test_a_hit_has_the_very_characters_of_its_piece_of_the_page():
    for item in items(PAGE):
        assert item["html"] in PAGE
        assert item["html"].count("<img") == 1


@pytest.mark.parametrize(("before", "after", "named"), [
    ('class="content"', 'class="main"', "div.content img"),
    (" src=", " data-lazy=", "src of div.content img"),
    (" alt=", " aria-label=", "alt of div.content img"),
])
def test_an_element_that_no_picture_has_is_named(before, after, named):
    page = PAGE.replace("src='", 'src="').replace("alt='", 'alt="').replace(before, after)
    with pytest.raises(UnexpectedAnswer) as raised:
        VEHICLES.read(page, US, 100)
    assert named in str(raised.value)


def test_a_page_that_is_missing_is_a_failed_slice(lake):
    ask(lake, {}, "WW1")
    assert catalog.rows(lake, "select slice, status from harvests") == [
        {"slice": "/ww1/trucks.php", "status": "failed"},
    ]
