"""The page in a real browser where little fits or something is missing: small screens, gone pictures."""

import pytest
from playwright.sync_api import expect

from tests.browsing import ALL_PICTURES
from tests.test_browser import Open, address, browser, visit

pytestmark = pytest.mark.browser
__all__ = ["address", "browser", "visit"]    # fixtures

_ALL_CAME = """n => {
    const names = performance.getEntriesByType("resource").map((one) => one.name);
    return new Set(names.filter((name) => name.includes("size=grid"))).size === n;
}"""


@pytest.mark.parametrize("width", [640, 360, 320])
def test_nothing_is_cut_off_on_small_screens_and_when_zoomed_in(visit: Open, width: int) -> None:
    seen = visit(viewport={"width": width, "height": 600})
    for path in ("?q=red&like=0000000000000009&from=1911", "?from=1800&to=1801", "map"):
        page = seen.go(path)
        page.evaluate("for (const e of document.querySelectorAll('.rights')) e.textContent = 'Noncommercial'")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_picture_that_is_gone_leaves_the_others_of_the_map_as_they_are(visit: Open) -> None:
    seen = visit()
    page = seen.go("map")
    page.wait_for_selector("#map[data-ready]")
    page.wait_for_function(_ALL_CAME, arg=ALL_PICTURES)    # or one of the plane's is the one gone
    page.route("**/pictures/*size=grid", lambda route: route.fulfill(body="no"), times=1)
    canvas, tip = page.get_by_role("application"), page.locator(".tip")
    canvas.press("ArrowRight")
    expect(page.locator(".tip.gone")).to_be_visible()
    first = tip.locator("span").inner_text()
    canvas.press("ArrowRight")
    expect(tip.locator("span")).not_to_have_text(first)
    expect(tip).to_have_class("tip")


def test_a_point_whose_picture_left_the_collection_is_not_shown_as_another(visit: Open) -> None:
    seen = visit()
    page = seen.go("map")
    page.wait_for_selector("#map[data-ready]")
    canvas = page.get_by_role("application")
    canvas.press("ArrowRight")
    expect(page.locator(".tip")).to_be_visible()
    page.route("**/api/samples/*", lambda route: route.fulfill(status=404, body="{}"))
    canvas.press("ArrowRight")
    expect(page.locator(".tip")).to_be_hidden()
    expect(page.locator("#here")).to_have_text("This picture is no longer in the collection")
    assert [trouble for trouble in seen.troubles if "404" not in trouble] == []
    seen.troubles.clear()    # the browser notes the 404 that this test made


def test_in_forced_colours_the_legend_keeps_its_colours_and_buttons_their_edges(visit: Open) -> None:
    page = visit(forced_colors="active").go("map")
    page.wait_for_selector("#map[data-ready]")
    colour = "getComputedStyle(document.querySelector('.legend .c{}'), '::before').backgroundColor"
    assert page.evaluate(colour.format(0)) != page.evaluate(colour.format(1))
    style = "getComputedStyle(document.querySelector('.again button')).borderTopStyle"
    assert page.evaluate(style) == "solid"


def test_what_is_wrong_in_a_field_that_is_folded_away_is_unfolded(visit: Open) -> None:
    page = visit().go()
    fold = page.locator("#search details.finer")
    fold.evaluate("""fold => fold.append(Object.assign(
        document.createElement("input"), {type: "url", value: "nowhere", id: "wrong"}))""")
    page.locator("#search input[name=q]").press("Enter")
    expect(page.locator("#wrong")).to_be_focused()
    assert fold.evaluate("fold => fold.open")
