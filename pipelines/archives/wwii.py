"""World War Photos: captioned photographs of 1939-1945 in galleries by country and subject. HTML, no API.

Read off a working collector in 2026, since the site documents nothing: gallery pages are WordPress galleries
(`h2.entry-title`, `div.entry-caption`, `img.attachment-thumbnail` with its address in `data-src`, caption in
the `p.gallery-caption` that `aria-describedby` names); a picture's own page has a more exact heading and
caption. Folders in a gallery are galleries too. The galleries and the search word each stands for are listed
in `wwii_galleries.csv`. No dates as fields, no rights statements. robots.txt is obeyed.
"""

import csv
import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelines.archives._archive import Archive, Page, Query, Request, text_of_id
from pipelines.archives._html import HtmlPage, Tag, attribute, inner_html, own_element

_ROOT = "/gallery"
_PICTURE = "img.attachment-thumbnail"
_NEXT = 'a[rel~="next"], link[rel~="next"], a.next'


class Wwii(Archive):
    """Galleries of worldwarphotos.info: a query is a word, a gallery's path, or * for all of them."""

    name = "wwii"
    title = "World War Photos"
    holds = "photographs of the Second World War in some 400 galleries: aircraft, tanks, ships, theatres"
    docs_url = "https://www.worldwarphotos.info/"
    base_url = "https://www.worldwarphotos.info"
    paging = "HTML galleries, each with its further pages and folders; no number announced"
    rights_field = "none"
    queries = ("*",)
    obeys_robots = True
    delay_s = 1.0

    def expand(self, query: Query) -> list[Query]:
        """The galleries a query stands for, each under the search word that it is known for (or *)."""
        if query.text.startswith("/"):
            path = _as_folder(query.text.removeprefix(_ROOT))
            return [_gallery(path, _galleries().get(path, ""))]
        return [_gallery(path, word) for path, word in _galleries().items()
                if _stands_for(path, word, query.text)]

    def first_token_of(self, query: Query) -> str:
        """The gallery's own page: "which page of those known" and the pages known so far."""
        return f"0 {_ROOT}{query.filters[0]}"

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        """One page of a gallery."""
        at, pages = _known_pages(token)
        return Request(pages[at], [])

    def read(self, text: str, token: str, page_size: int) -> Page:
        """The pictures of a gallery page; its next page and its folders are added to the pages to ask for."""
        at, pages = _known_pages(token)
        page = HtmlPage(text, pages[at], self.name)
        found = page.require(_PICTURE)
        pictures = [picture for picture in found if not _is_folder(picture)]
        items = [_item(page, picture) for picture in pictures]
        for lacking in ("a[href]", "data-src"):
            if items and all(lacking in item["missing"] for item in items):
                raise page.unexpected(f"{lacking} of {_PICTURE}")
        pages = list(dict.fromkeys([*pages, *_following(page, found)]))
        token = " ".join([str(at + 1), *pages])
        payloads = [json.dumps(item, ensure_ascii=False) for item in items]
        return Page(payloads, [item["id"] for item in items], None, token if at + 1 < len(pages) else None)

    def native_id(self, item: Mapping[str, Any]) -> str | None:
        """The path of the picture's own page."""
        found = item.get("search", item)
        return text_of_id(found.get("id")) if isinstance(found, dict) else None

    def details(self, item: str) -> dict[str, Request]:
        """The picture's own page, whose heading and caption are more exact."""
        path = json.loads(item).get("id")
        return {"picture_page": Request(path, [])} if path and path.startswith(_ROOT) else {}

    def read_detail(self, text: str) -> str:
        """Heading and caption of a picture's page; raises UnexpectedAnswer where it has no heading."""
        page = HtmlPage(text, "of a picture", self.name)
        heading, caption = page.require("h2.entry-title")[0], page.first("div.entry-caption")
        return json.dumps({
            "html": page.fragment(heading) + (page.fragment(caption) if caption else ""),
            "title": inner_html(heading), "description": inner_html(caption),
            "missing": [] if caption else ["div.entry-caption"],
        }, ensure_ascii=False)


@functools.cache
def _galleries() -> dict[str, str]:
    """The search word of each gallery ('' for none), by its path under /gallery."""
    with Path(__file__).with_name("wwii_galleries.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["query"] for row in csv.DictReader(file)}


def _gallery(path: str, word: str) -> Query:
    return Query(word or "*", filters=(path,))


def _stands_for(path: str, word: str, text: str) -> bool:
    words = text.casefold().split()
    in_path = re.split(r"[/_-]+", path.casefold())
    return text == "*" or text.casefold() == word.casefold() or all(part in in_path for part in words)


def _as_folder(path: str) -> str:
    return quote(f"/{path.strip('/')}/", safe="/%-._~")


def _known_pages(token: str) -> tuple[int, list[str]]:
    at, *pages = token.split(" ")
    return int(at), pages


def _is_folder(picture: Tag) -> bool:
    return (attribute(picture, "alt") or "").strip().casefold() == "folder icon"


def _item(page: HtmlPage, picture: Tag) -> dict[str, Any]:
    """One picture: where it stands, what is said of it, and its piece of the page."""
    link = picture.find_parent("a", href=True)
    caption_id = attribute(picture, "aria-describedby")
    caption = page.first(f'p.wp-caption-text.gallery-caption[id="{caption_id}"]') if caption_id else None
    source = attribute(picture, "data-src") or _unless_data(attribute(picture, "src"))
    found = {"a[href]": link, "data-src": source, "p.gallery-caption": caption or not caption_id}
    own = own_element(picture, lambda element: len(element.select(f"{_PICTURE}, h2.entry-title")) > 1)
    heading, about = page.first("h2.entry-title"), page.first("div.entry-caption")
    found |= {"h2.entry-title": heading}
    return {
        "id": page.place(attribute(link, "href")) or page.place(source), "page": page.path,
        "gallery_title": inner_html(heading), "gallery_description": inner_html(about),
        "link": attribute(link, "href"), "thumbnail": source, "path": page.place(source),
        "alt": attribute(picture, "alt"), "title": attribute(picture, "title") or attribute(link, "title"),
        "caption": inner_html(caption),
        "missing": [selector for selector, element in found.items() if not element],
        "html": page.fragment(own),
    }


def _unless_data(source: str | None) -> str | None:
    return None if source and source.startswith("data:") else source


def _following(page: HtmlPage, found: list[Tag]) -> list[str]:
    """The next page of this gallery, then its folders that are not galleries of the list."""
    folders = [picture.find_parent("a", href=True) for picture in found if _is_folder(picture)]
    links = [*page.all(_NEXT), *(folder for folder in folders if folder)]
    places = [page.place(attribute(link, "href")) for link in links]
    above = re.sub(r"(page/\d+/?)?(\?.*)?$", "", page.path)
    return [
        place for place in places
        if place and place != page.path and place.startswith(above)
        and _as_folder(place.removeprefix(_ROOT)) not in _galleries()
    ]


ARCHIVE = Wwii()
