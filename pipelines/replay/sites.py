"""The two sites without an API: their pages, drawn in the shape of the real ones.

`gallery_pages` and `vehicles_page` make the HTML of what they are given; a SiteService plays any pages by
their paths, `/robots.txt` included. What has no page is a 404 in HTML, as WordPress sends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipelines.replay.answers import Answer, Params

_FOLDERS = ("/gallery/", "/ww1/", "/ww2/")


@dataclass(frozen=True)
class SitePicture:
    """A picture as a site shows it: the last part of its address, and what is written about it."""

    name: str
    caption: str = ""
    file: str | None = None      # its path; by default one with the picture's name


class SiteService:
    """Plays pages by path; what is not there is missing."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = dict(pages)

    def matches(self, path: str) -> bool:
        """True for every page, and for whatever lies in the site's folders."""
        return path in self._pages or path.startswith(_FOLDERS)

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """The page, whatever parameters come with the path."""
        page = self._pages.get(path)
        if page is None:
            return _html(404, document("Page not found", "<h1>Nothing was found here</h1>"))
        if path.endswith(".txt"):
            return Answer(200, "text/plain; charset=utf-8", page.encode())
        return _html(200, page)


def gallery_pages(
    path: str, title: str, pictures: Sequence[SitePicture], a_page: int = 40, folders: Sequence[str] = ()
) -> dict[str, str]:
    """A gallery of worldwarphotos.info: its pages of `a_page` pictures, and the page of each picture.

    `folders` are paths of galleries shown in it, as on every one of its pages.
    """
    pages: dict[str, str] = {}
    starts = range(0, max(1, len(pictures)), a_page)
    for number, start in enumerate(starts, 1):
        shown = [_thumbnail(path, picture) for picture in pictures[start:start + a_page]]
        shown += [_folder(folder) for folder in folders]
        following = f'<a class="next page-numbers" href="{path}page/{number + 1}/">Next</a>'
        pages[path if number == 1 else f"{path}page/{number}/"] = document(title, (
            f'<h2 class="entry-title">{escape(title)}</h2>\n<div class="entry-caption"></div>\n'
            f'<div class="gallery">\n{"".join(shown)}</div>\n{following if number < len(starts) else ""}'
        ))
    for picture in pictures:
        pages[f"{path}{picture.name}/"] = document(picture.name, (
            f'<h2 class="entry-title">{escape(title)}: {escape(picture.name)}</h2>\n'
            f'<div class="entry-caption"><p>{escape(picture.caption)}</p></div>'
        ))
    return pages


def vehicles_page(title: str, pictures: Sequence[SitePicture]) -> str:
    """A page of truck-encyclopedia.com with a caption after each picture."""
    shown = "".join(map(_captioned, pictures))
    return document(title, f'<div class="content"><h1>{escape(title)}</h1>\n{shown}</div>')


def document(title: str, body: str) -> str:
    """A whole HTML page."""
    head = f'<head><meta charset="UTF-8"><title>{escape(title)}</title></head>'
    return f'<!DOCTYPE html>\n<html lang="en">{head}\n<body>\n{body}\n</body></html>\n'


def _captioned(picture: SitePicture) -> str:
    file = picture.file or f"photos/{picture.name}.jpg"
    shown = f'<img src="{escape(file)}" alt="{escape(picture.name)}">'
    return f"<p>{shown}</p>\n<p><em>{escape(picture.caption)}</em></p>\n"


def _thumbnail(path: str, picture: SitePicture) -> str:
    file = picture.file or f"/wp-content/_cache{path}{picture.name}-150x150.jpg"
    name, caption_id = escape(picture.name), f"c-{picture.name}"
    return (
        f'<div class="gallery-item"><a href="{path}{name}/"><img class="attachment-thumbnail lazyload" '
        f'data-src="{escape(file)}" alt="{name}" aria-describedby="{caption_id}"></a>\n'
        f'<p class="wp-caption-text gallery-caption" id="{caption_id}">{escape(picture.caption)}</p></div>\n'
    )


def _folder(path: str) -> str:
    return (f'<div class="gallery-item"><a href="{path}"><img class="attachment-thumbnail lazyload" '
            'data-src="/wp-content/folder.png" alt="Folder Icon"></a></div>\n')


def _html(status: int, page: str) -> Answer:
    return Answer(status, "text/html; charset=UTF-8", page.encode())
