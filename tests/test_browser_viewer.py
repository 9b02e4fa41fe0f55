"""Our manifests in somebody else's viewer, on somebody else's site: Mirador, in a real browser."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browsing import SCRIPT, Visit, browsed_lake, chromium, served, viewer_site
from tests.colour_gallery import SHADES, shade

pytestmark = pytest.mark.browser

Show = Callable[[str], tuple[Visit, Page]]

_OPEN = """manifestId => Mirador.viewer({
    id: "viewer", osdConfig: { crossOriginPolicy: "Anonymous" },
    window: { sideBarOpen: true, defaultSideBarPanel: "info" },
    windows: [{ manifestId }],
})"""
_DRAWN = """canvas => [...canvas.getContext("2d")
    .getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].slice(0, 3)"""
_ITS_OWN = "element.ref was removed in React 19"    # Mirador 4.0 says so of itself, whatever it shows


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The addresses of the lake's pages and of a site with a viewer on it."""
    lake = browsed_lake(tmp_path_factory.mktemp("viewed"), with_map=False)
    with served(lake) as ours, viewer_site() as theirs:
        yield ours, theirs


@pytest.fixture
def show(browser: Browser, sites: tuple[str, str]) -> Iterator[Show]:
    """Opens what lies at an address of ours in the viewer; nothing may have gone wrong in the end."""
    ours, theirs = sites
    visits: list[Visit] = []

    def show_in_viewer(path: str) -> tuple[Visit, Page]:
        visits.append(Visit(browser, theirs))
        page = visits[-1].go()
        page.evaluate(_OPEN, ours + path)
        return visits[-1], page

    yield show_in_viewer
    troubles = [trouble for visit in visits for trouble in visit.troubles if _ITS_OWN not in trouble]
    for visit in visits:
        visit.context.close()
    assert troubles == []


def expect_drawn(page: Page, colour: tuple[int, ...]) -> None:
    """Wait until the middle of the viewer's canvas has the colour, but for what JPEG makes of it."""
    seen: Any = None
    for _ in range(600):
        if page.locator(".openseadragon-canvas canvas").count():
            seen = page.locator(".openseadragon-canvas canvas").first.evaluate(_DRAWN)
            if all(abs(a - b) <= 6 for a, b in zip(seen, colour, strict=True)):
                return
        page.wait_for_timeout(50)
    raise AssertionError(f"the viewer drew {seen} and not {colour}")


def choose(page: Page, title: str) -> None:
    """Choose from a collection; the viewer lists one that comes late by itself, and else behind a button."""
    item = page.get_by_role("menuitem", name=title)
    button = page.get_by_role("button", name="Show collection")
    for _ in range(30):
        with suppress(PlaywrightTimeout):
            if not item.is_visible():
                button.click(timeout=1000)
            return item.click(timeout=1000)
    raise AssertionError("the viewer never listed the collection")


def test_a_viewer_elsewhere_shows_a_picture_with_its_title_holder_and_rights(show: Show) -> None:
    seen, page = show("iiif/samples/0000000000000009/manifest.json")
    expect(page.get_by_role("heading", name="green 0").first).to_be_visible()
    expect_drawn(page, shade("green", 0))
    expect(page.get_by_role("complementary")).to_contain_text("ca. 1910")
    page.get_by_role("tab", name="Rights").click()
    for said in ("green 0. Northport City Museum.", "http://rightsstatements.org/vocab/InC/1.0/"):
        expect(page.get_by_role("complementary")).to_contain_text(said)
    seen.keep_screenshot("viewer-picture")


def test_a_viewer_leafs_through_a_list_in_its_order(show: Show) -> None:
    seen, page = show("iiif/search/manifest.json?q=blue&from=1912")
    expect(page.get_by_role("heading", name="Pictures found for “blue”").first).to_be_visible()
    for place, i in ((1, 2), (2, 3)):
        expect(page.get_by_text(f"{place} of {4 * (SHADES - 2)} • blue {i}")).to_be_visible()
        expect_drawn(page, shade("blue", i))
        seen.keep_screenshot("viewer-list")
        page.get_by_role("button", name="Next item").click()


def test_a_viewer_opens_a_picture_of_a_collection(show: Show) -> None:
    seen, page = show("iiif/search/collection.json?q=red")
    choose(page, SCRIPT)
    expect(page.get_by_role("heading", name=SCRIPT).first).to_be_visible()
    seen.keep_screenshot("viewer-collection")
    expect_drawn(page, shade("red", 0))
