"""Truck Encyclopedia: pictures of military lorries of both World Wars on nine long pages. HTML, no API.

Read off a working collector in 2026, since the site documents nothing: pictures are `div.content img`; `alt`
names the vehicle, the title is on the enclosing `a` or on the `img`, a caption stands in the next `em` or in
the text around the picture. The path gives the war and the country. Flags, badges, slides and drawings are
hits like all others; the SQL leaves them out. No dates, no rights statements. robots.txt is obeyed.
"""

import json
from typing import Any

from pipelines.archives._archive import Archive, Page, Query, Request
from pipelines.archives._html import HtmlPage, Tag, attribute, inner_html, own_element

_PICTURE = "div.content img"
_SEARCH_WORD = "trucks"
_PAGES = (
    "/ww2/czechoslovakia/czech-trucks.php", "/ww2/france/french-trucks.php", "/ww2/germany/german-trucks.php",
    "/ww2/italy/italian-trucks.php", "/ww2/japan/IJA_trucks.php", "/ww2/us/us-trucks.php",
    "/ww2/uk/british-trucks.php", "/ww2/ussr/soviet-trucks.php", "/ww1/trucks.php",
)


class WwVehicles(Archive):
    """Nine pages of truck-encyclopedia.com: a query is a word of a page's path, the path, or * for all."""

    name = "ww_vehicles"
    title = "Truck Encyclopedia"
    holds = "pictures of military lorries of both World Wars, nine pages by country"
    docs_url = "https://truck-encyclopedia.com/"
    base_url = "https://truck-encyclopedia.com"
    paging = "nine HTML pages; no number announced"
    rights_field = "none"
    queries = ("*",)
    obeys_robots = True
    delay_s = 1.0

    def expand(self, query: Query) -> list[Query]:
        """The pages a query stands for, each under the one search word of this site."""
        if query.text.startswith("/"):
            return [Query(_SEARCH_WORD, filters=(query.text,))]
        words = query.text.casefold().replace("*", "").split()
        wanted = [path for path in _PAGES if all(word in path.casefold() for word in words)]
        return [Query(_SEARCH_WORD, filters=(path,)) for path in wanted]

    def first_token_of(self, query: Query) -> str:
        """The page's path."""
        return query.filters[0]

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """The whole page."""
        return Request(token, [])

    def read(self, text: str, token: str, page_size: int) -> Page:
        """Every picture of the page, whatever it shows."""
        page = HtmlPage(text, token, self.name)
        items = [_item(page, picture) for picture in page.require(_PICTURE)]
        for lacking in ("src", "alt"):
            if all(lacking in item["missing"] for item in items):
                raise page.unexpected(f"{lacking} of {_PICTURE}")
        payloads = [json.dumps(item, ensure_ascii=False) for item in items]
        return Page(payloads, [item["id"] for item in items], None, None)


def _item(page: HtmlPage, picture: Tag) -> dict[str, Any]:
    """One picture: where it stands, what is said of it, and its piece of the page."""
    link = picture.find_parent("a")
    source = attribute(picture, "src", "data-src")
    place = page.place(source)
    own = own_element(picture, _holds_others)
    heading = picture.find_previous(["h1", "h2", "h3", "h4"])
    found = {"src": source, "alt": attribute(picture, "alt")}
    return {
        "id": f"{page.path}#{place}" if place else None, "page": page.path,
        "image": source, "path": place, "link": attribute(link, "href"), "alt": attribute(picture, "alt"),
        "title": attribute(link, "title") or attribute(picture, "title"),
        "caption": _caption(picture, own),
        "heading": inner_html(heading if isinstance(heading, Tag) else None),
        "missing": [name for name, value in found.items() if not value], "html": page.fragment(own),
    }


def _holds_others(element: Tag) -> bool:
    """Whether an element is more than one picture's: the content itself, a heading, another picture."""
    is_content = "content" in (attribute(element, "class") or "").split()
    return is_content or len(element.select("img")) > 1 or element.select_one("h1, h2, h3, h4") is not None


def _caption(picture: Tag, own: Tag) -> str | None:
    """The `em` between this picture and the next one, else the text of the picture's own element."""
    following = picture.find_next(["em", "img", "h1", "h2", "h3", "h4"])
    if isinstance(following, Tag) and following.name == "em":
        return inner_html(following)
    return " ".join(own.get_text(" ").split()) or None


ARCHIVE = WwVehicles()
