"""HTML from a page: everything a template shows is escaped, and a name it does not find is an error."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from web.collection import Card
from web.page import Page
from web.words import RIGHTS_WORDS, commands

_NARROWEST, _WIDEST = 7, 24    # of a card, in tenths of its height: the classes .r7 to .r24 of search.css


def render(page: Page) -> HTMLResponse:
    """The answer that shows a page."""
    html = _environment().get_template("search.html").render(page=page, rights_words=RIGHTS_WORDS)
    return HTMLResponse(html, page.trouble.status if page.trouble else 200, {"Cache-Control": "no-store"})


def ratio(card: Card) -> int:
    """Width over height of a card's picture in tenths, within what a row can take."""
    return min(max(round(10 * card.width / card.height), _NARROWEST), _WIDEST)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {"ratio": ratio, "commands": commands}
    return environment
