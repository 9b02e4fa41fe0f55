"""What the page says in words: rights, headings, and troubles with what to do about them."""

import re
import unicodedata
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from markupsafe import Markup, escape

from lake.errors import EmptyLake, EncoderError, FetchError, GlamlakeError, LakeError, UsageError

RIGHTS_WORDS = {
    "open": ("Open", "Free to use, also commercially; some ask to name the maker."),
    "noncommercial": ("Non-commercial", "Free to use where no money is made of it."),
    "restricted": ("Restricted", "In copyright or limited by its holder: look, link, ask."),
    "unknown": ("Rights unknown", "Nobody has said: treat it as restricted until you have asked."),
}
_TITLES = (
    (UsageError, 400, "That cannot be searched for"),
    (FetchError, 400, "That picture could not be fetched"),
    (EmptyLake, 503, "Not ready yet"),
    (EncoderError, 503, "The model that reads words and pictures cannot be loaded"),
    (LakeError, 503, "The lake cannot be read"),
)
_STATUS_TITLES = {
    403: "That is not allowed", 404: "There is nothing here", 405: "That cannot be done here",
    413: "That picture is too large", 415: "That is no form", 422: "That cannot be read",
}
SPLIT_WORDS = {
    "train": "Training", "val": "Validation", "test_id": "Test, same sources",
    "test_ood": "Test, unseen sources",
}
FACET_WORDS = {
    "topic": "Topics", "material": "Materials", "object_type": "Object types", "discipline": "Disciplines",
    "subject": "Subjects",
}
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNKNOWN_ADDRESS = "nothing has this address; begin again at the start, or see `api/openapi.json`"


@dataclass(frozen=True)
class Trouble:
    """What went wrong, for people and for programs; `detail` says what to do, commands between backquotes."""

    status: int
    title: str
    detail: str


def trouble_of(error: GlamlakeError, root: Path) -> Trouble:
    """The trouble an error of ours means to a visitor, who need not know where on a disk the lake lies."""
    said = _sentence(str(error).replace(str(root), "the lake"))
    for kind, status, title in _TITLES:
        if isinstance(error, kind):
            return Trouble(status, title, said)
    return Trouble(500, "Something went wrong", said)


def trouble_of_status(status: int, detail: str) -> Trouble:
    """The trouble an HTTP status means to a visitor."""
    said = _UNKNOWN_ADDRESS if detail == HTTPStatus.NOT_FOUND.phrase else detail
    return Trouble(status, _STATUS_TITLES.get(status, "That did not work"), _sentence(said))


def commands(text: str) -> Markup:
    """Escaped text in which what stood between backquotes is shown as a command."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def apart(text: str) -> str:
    """The text as part of a sentence of another direction; unchanged where nothing of it runs from the right.

    Direction marks of its own are cut out: with them a title could turn around what stands beside it.
    """
    plain = _DIRECTION_MARKS.sub("", text)
    runs_from_right = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in plain)
    return f"\N{FIRST STRONG ISOLATE}{plain}\N{POP DIRECTIONAL ISOLATE}" if runs_from_right else plain


def _sentence(text: str) -> str:
    first, *_ = text.split(" ", 1)
    full = text[:1].upper() + text[1:] if first.isalpha() else text    # but open_clip stays open_clip
    return full if full.endswith((".", "!", "?")) else f"{full}."
