"""The page in a real browser: by mouse, by keyboard, on a phone, without JavaScript; and what axe finds."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browsing import ALL_PICTURES, SCRIPT, Visit, browsed_lake, chromium, served
from tests.colour_gallery import COLOURS, picture

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
# where the map shows the point that lies farthest to the left
_FIRST_POINT = """async () => {
    const { x, y } = await (await fetch("api/map")).json();
    const box = document.querySelector("canvas").getBoundingClientRect();
    const extent = Math.max(0.2, Math.max(...y) - Math.min(...y));
    const scale = Math.min(box.width - 40, (box.height - 40) / extent);
    const i = x.indexOf(Math.min(...x));
    return [box.left + (x[i] - 0.5) * scale + box.width / 2, box.top + (y[i] - 0.5) * scale + box.height / 2];
}"""
# whether there is more than a plain ground on the map
_PAINTED = """() => {
    const c = document.querySelector("canvas");
    return new Set(c.getContext("2d").getImageData(0, 0, c.width, c.height).data).size > 3;
}"""
# whether all of these pictures came
_LOADED = """ids => {
    const came = performance.getEntriesByType("resource").map(entry => entry.name);
    return ids.every(id => came.some(name => name.includes(`/pictures/${id}?`)));
}"""
_PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(browsed_lake(tmp_path_factory.mktemp("browsed"))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Opens visits; when the test ends, none may have met an error, a dialog or a refused script."""
    visits: list[Visit] = []

    def open_visit(**context: Any) -> Visit:
        visits.append(Visit(browser, address, **context))
        return visits[-1]

    yield open_visit
    troubles = [trouble for visit in visits for trouble in visit.troubles]
    for visit in visits:
        visit.context.close()
    assert troubles == []


def green_file() -> dict[str, Any]:
    return {"name": "mine.png", "mimeType": "image/png", "buffer": picture(COLOURS["green"], format_="PNG")}


def test_words_find_pictures_and_the_address_keeps_them(visit: Open) -> None:
    seen = visit()
    page = seen.go()
    page.get_by_role("searchbox").fill("blue")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page).to_have_url(seen.address + "?q=blue")
    assert {title.split()[0] for title in seen.titles()[:9]} == {"blue"}
    seen.keep_screenshot("text")


def test_a_chosen_picture_is_searched_with_at_once(visit: Open) -> None:
    seen = visit()
    page = seen.go()
    page.set_input_files("#upload", green_file())
    expect(page.get_by_role("heading", level=1)).to_have_text("Pictures like your picture")
    assert seen.titles()[0].startswith("green")
    seen.keep_screenshot("picture")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_that_is_dropped_or_pasted_is_searched_with(visit: Open, event: str) -> None:
    seen = visit()
    page = seen.go()
    page.evaluate("""([event, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "mine.png", { type: "image/png" }));
        const given = { bubbles: true, cancelable: true };
        dispatchEvent(event === "drop" ? new DragEvent(event, { ...given, dataTransfer: data })
            : new ClipboardEvent(event, { ...given, clipboardData: data }));
    }""", [event, list(green_file()["buffer"])])
    expect(page.get_by_role("heading", level=1)).to_have_text("Pictures like your picture")
    assert seen.titles()[0].startswith("green")


def test_the_slider_weighs_words_against_the_picture(visit: Open) -> None:
    seen = visit()
    page = seen.go("?q=blue&like=0000000000000009")    # like a green one
    first = {}
    for key in ("Home", "End"):
        page.get_by_role("slider", name="How much the words count").press(key)
        page.get_by_role("button", name="Search", exact=True).click()
        page.wait_for_url(f"**weight={int(key == 'End')}*")
        first[key] = seen.titles()[0].split()[0]
    assert first == {"Home": "green", "End": "blue"}
    seen.keep_screenshot("combined")


def test_a_label_of_the_tree_stands_for_all_below_it(visit: Open) -> None:
    seen = visit()
    page = seen.go()
    page.get_by_role("checkbox", name="warm 18").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status").first).to_contain_text("of 18")
    assert page.get_by_role("checkbox", name="cold 18").is_visible()    # what choosing it too would bring
    assert {title.split()[0] for title in seen.titles()} == {"red", "yellow", "<script>alert(1)</script>"}
    seen.keep_screenshot("facets")


def test_dragging_the_years_sets_the_range(visit: Open) -> None:
    seen = visit()
    page = seen.go()
    handle = page.get_by_role("slider", name="Earliest year")
    box = handle.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=4)
    page.mouse.up()
    assert 1912 <= int(page.locator("#from").input_value()) <= 1916
    handle.press("ArrowRight")
    chosen = int(page.locator("#from").input_value())
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(f"{seen.address}?from={chosen}")
    expect(page.get_by_role("status").first).to_contain_text(f"of {4 * (1919 - chosen)}")


def test_a_picture_has_a_page_with_all_that_is_known(visit: Open) -> None:
    seen = visit()
    page = seen.go("?q=green")
    page.locator("a.frame").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("green")
    for said in ("green 0. Northport City Museum.", "Open", "the catalogue “green”", "Provenance"):
        expect(page.locator("main")).to_contain_text(said)
    link = page.get_by_role("link", name="See it at demo")
    assert str(link.get_attribute("href")).startswith("https://archive.invalid/green/")
    assert len(page.locator(".alike img").all()) == 12
    manifest = urljoin(page.url, str(page.get_by_role("link", name="IIIF manifest").get_attribute("href")))
    assert page.request.get(manifest).json()["type"] == "Manifest"
    seen.keep_screenshot("detail")


def test_the_map_is_wandered_by_keyboard(visit: Open) -> None:
    seen = visit()
    page = seen.go("map")
    page.wait_for_selector("#map[data-ready]")
    canvas = page.get_by_role("application")
    canvas.focus()
    page.evaluate("""() => {    // every text that is read out, also where it is the same again
        window.heard = [];
        const here = document.getElementById("here");
        new MutationObserver(() => heard.push(here.textContent)).observe(here, { childList: true });
    }""")
    for n, key in enumerate(("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"), 1):
        canvas.press(key)
        page.wait_for_function("n => heard.length === n", arg=n)
        expect(page.locator(".tip")).to_be_visible()
    assert len(set(page.evaluate("heard"))) >= 2
    seen.keep_screenshot("map")
    canvas.press("Enter")
    page.wait_for_url("**/samples/*")


def test_the_map_shows_every_picture_of_a_few_and_is_painted_from_close_by(visit: Open) -> None:
    seen = visit()
    page = seen.go("map")
    page.wait_for_selector("#map[data-ready]")
    page.wait_for_function(_PAINTED)
    ids = page.request.get(urljoin(page.url, "api/map")).json()["ids"]
    assert len(ids) > 10
    page.wait_for_function(_LOADED, arg=ids)
    page.get_by_role("application").press("ArrowRight")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_load_state("networkidle")
    seen.keep_screenshot("map-close")
    page.wait_for_function(_PAINTED)


def test_the_keyboard_alone_finds_opens_and_comes_back(visit: Open) -> None:
    seen = visit()
    page = seen.go()
    focused = "document.activeElement"
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.textContent") == "Skip to the content"
    while page.evaluate(f"{focused}.id") != "q":
        page.keyboard.press("Tab")
    page.keyboard.type("yellow")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=yellow")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")    # the skip link
    while page.evaluate(f"{focused}.className") != "frame":
        page.keyboard.press("Tab")
    outline = page.evaluate(f"getComputedStyle({focused}).outlineStyle")
    seen.keep_screenshot("keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("yellow")
    assert outline != "none"
    page.go_back()
    assert seen.titles()[0].startswith("yellow")


def test_on_a_phone_nothing_is_cut_off_and_filters_open(visit: Open) -> None:
    seen = visit(**_PHONE)
    for path in ("?q=red", "map", "samples/0000000000000000"):
        page = seen.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page = seen.go("?q=red")
    page.get_by_text("Filters").tap()
    page.get_by_role("checkbox", name="Open 20").check()
    seen.keep_screenshot("phone")
    page.get_by_role("button", name="Apply").tap()
    page.wait_for_url("**rights=open*")
    expect(page.locator(".card").first).to_be_in_viewport()    # and not pushed away by the filters


def test_the_map_is_wandered_by_touch(visit: Open) -> None:
    seen = visit(**_PHONE)
    page = seen.go("map")
    page.wait_for_selector("#map[data-ready]")
    page.locator("canvas").scroll_into_view_if_needed()
    x, y = page.evaluate(_FIRST_POINT)
    fingers = seen.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def tapped() -> str | None:
        page.touchscreen.tap(x, y)
        expect(page.locator(".tip")).to_be_visible()
        met = page.locator(".tip").get_attribute("href")
        page.keyboard.press("Escape")
        expect(page.locator(".tip")).to_be_hidden()
        return met

    first = tapped()
    touch("Start", (x - 20, y), (x + 20, y))
    touch("Move", (x - 60, y), (x + 60, y))    # apart: from close by
    touch("End")
    assert tapped() == first    # what lies between the fingers stays there
    touch("Start", (x, y))
    touch("Move", (x + 40, y + 30))
    touch("End")
    x, y = x + 40, y + 30
    assert tapped() == first
    page.touchscreen.tap(x, y)
    page.locator(".tip").tap()
    page.wait_for_url(f"**{str(first).lstrip('.')}")


def test_markup_in_a_title_is_text_everywhere(visit: Open) -> None:
    seen = visit()
    page = seen.go("?q=red")
    expect(page.locator(".card h2").first).to_have_text(SCRIPT)
    seen.keep_screenshot("script-title")
    for path in ("samples/0000000000000000", "?like=0000000000000000"):
        seen.go(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(SCRIPT)
    seen.go("map")
    page.wait_for_selector("#map[data-ready]")
    for _ in range(ALL_PICTURES):    # from one to the next until it is met
        page.get_by_role("application").press("ArrowLeft")
    page.wait_for_timeout(200)
    assert not page.evaluate("[...document.scripts].some((script) => script.textContent)")


def test_without_javascript_words_filters_and_the_map_as_a_list_work(visit: Open) -> None:
    seen = visit(java_script_enabled=False)
    page = seen.go()
    page.get_by_role("searchbox").fill("green")
    page.get_by_label("to the year").fill("1912")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(f"{seen.address}?q=green&to=1912")
    assert len(seen.titles()) == 12
    page.get_by_role("link", name="Map").click()
    page.wait_for_url("**/map")
    assert page.locator(".areas img").count() >= 5


def test_a_selection_over_two_pages_comes_as_csv(visit: Open) -> None:
    seen = visit()
    page = seen.go()
    page.get_by_role("checkbox", name="Choose green 1", exact=True).check(force=True)
    page.get_by_role("link", name="More pictures").click()
    page.get_by_role("checkbox", name="Choose yellow 8", exact=True).check(force=True)
    expect(page.locator(".take .what")).to_have_text("Take the 2 chosen along:")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert sorted(line.split(",")[1] for line in lines[1:]) == ['"green 1"', '"yellow 8"']


def test_a_choice_made_elsewhere_is_known_on_the_way_back(visit: Open) -> None:
    page = visit().go()
    page.get_by_role("checkbox", name="Choose green 1", exact=True).check(force=True)
    page.evaluate("""() => {    // as when the browser kept the whole page, and another was chosen on the next
        sessionStorage.setItem("chosen", JSON.stringify(["a", "b", "c"]));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    }""")
    expect(page.locator(".take .what")).to_have_text("Take the 3 chosen along:")
    assert not page.get_by_role("checkbox", name="Choose green 1", exact=True).is_checked()


def test_going_back_and_forth_shows_what_the_address_asks_and_nothing_else(visit: Open) -> None:
    seen = visit()
    page = seen.go("?q=blue")
    before = seen.titles()
    page.get_by_role("checkbox", name="warm 18").check()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**label=warm*")
    filtered = seen.titles()
    page.go_back()
    assert (seen.titles(), page.get_by_role("checkbox", name="warm 18").is_checked()) == (before, False)
    page.go_forward()
    assert (seen.titles(), page.get_by_role("checkbox", name="warm 18").is_checked()) == (filtered, True)
    assert page.get_by_role("searchbox").input_value() == "blue"


def test_a_result_that_is_dragged_to_the_search_finds_others_like_it(visit: Open) -> None:
    seen = visit()
    page = seen.go("?q=yellow")
    shown = str(page.locator("a.frame").first.get_attribute("href"))
    page.locator("a.frame").first.drag_to(page.get_by_role("searchbox"))
    page.wait_for_url(f"**like={shown.rsplit('/', 1)[-1]}")
    assert seen.titles()[0].startswith("yellow")


def test_a_picture_whose_file_is_broken_is_said_to_be(visit: Open) -> None:
    seen = visit()
    seen.page.route("**/pictures/*size=grid", lambda route: route.fulfill(body="no"))
    page = seen.go("?q=red")
    expect(page.locator(".frame.gone").first).to_be_visible()
    assert "cannot be shown" in page.evaluate(
        "getComputedStyle(document.querySelector('.gone'), '::after').content")
    assert page.get_by_role("img", name="red 1").count() == 1    # its name is read out all the same
    seen.keep_screenshot("broken")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(visit: Open, scheme: str) -> None:
    seen = visit(bypass_csp=True, color_scheme=scheme)
    faults = {}
    for path in ("", "?q=blue&like=0000000000000009&from=1911&label=warm", "samples/0000000000000000", "map"):
        page = seen.go(path)
        if path == "map":
            page.wait_for_selector("#map[data-ready]")
        faults[path] = serious_faults(page)
        seen.keep_screenshot(f"{scheme}-{path.split('?')[0].split('/')[0] or ('found' if path else 'start')}")
    assert not any(faults.values()), json.dumps(faults, indent=1)


def serious_faults(page: Page) -> list[dict[str, Any]]:
    found = Axe().run(page).response["violations"]
    return [{"rule": fault["id"], "where": [node["html"][:200] for node in fault["nodes"][:3]]}
            for fault in found if fault["impact"] in ("serious", "critical")]
