"""HTML from what a page shows: everything is escaped, and a name a template does not find is an error."""

from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from lake.facets import Count
from lake.label_places import LabelNode
from web.card import Card, safe_link
from web.words import FACET_WORDS, RIGHTS_WORDS, SPLIT_WORDS, commands, counted

_NARROWEST, _WIDEST = 7, 24    # of a card, in tenths of its height: the classes .r7 to .r24 of page.css


def render(template: str, request: Request, status: int = 200, **shown: Any) -> HTMLResponse:
    """The answer that shows a page; `root` leads from its address to the start."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    root = "../" * (path.count("/") - 1) or "./"
    html = _environment().get_template(template).render(root=root, **shown)
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def ratio(card: Card) -> int:
    """Width over height of a card's picture in tenths, within what a row can take."""
    return min(max(round(10 * card.width / card.height), _NARROWEST), _WIDEST)


def below(address: str, root: str) -> str:
    """An address that is relative to the start, from a page elsewhere."""
    return root + address.removeprefix("./")


def has_below(node: LabelNode, chosen: Collection[str]) -> bool:
    """Whether any of the labels chosen stands below this one."""
    return any_chosen(node.children, chosen)


def any_chosen(nodes: Iterable[LabelNode], chosen: Collection[str]) -> bool:
    """Whether any of these labels, or one below them, is chosen."""
    return any(node.label in chosen or has_below(node, chosen) for node in nodes)


def there(counts: Iterable[Count], chosen: Collection[str]) -> list[Count]:
    """The values that any picture has under the filters, and those chosen."""
    return [count for count in counts if count.n or count.name in chosen]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {
        "ratio": ratio, "commands": commands, "below": below, "counted": counted, "safe_link": safe_link,
        "has_below": has_below, "any_chosen": any_chosen, "there": there,
    }
    environment.globals |= {
        "rights_words": RIGHTS_WORDS, "rights_names": {name: said[0] for name, said in RIGHTS_WORDS.items()},
        "split_words": SPLIT_WORDS, "facet_words": FACET_WORDS,
    }
    return environment
