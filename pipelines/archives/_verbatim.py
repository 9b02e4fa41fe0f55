"""Items of a JSON answer as the very characters that were sent.

Parsing and writing JSON again is not the same text: 1.10 becomes 1.1, escapes and key order change, lone
surrogates cannot be written at all. So an item is a slice of the answer, found by the parser's own
positions.
"""

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from lake.errors import UnexpectedAnswer

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


def split_items(text: str, list_key: str, archive: str) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The answer's other values, and each element of the list `list_key` as (its text, its value).

    A list inside other objects is named with dots: "body.hits.hits". No list under that key gives no items.
    Raises UnexpectedAnswer for what is not one JSON object.
    """
    try:
        return _split(text, 0, list_key.split("."))
    except (ValueError, IndexError, RecursionError) as e:
        shown = " ".join(text[:120].split())
        if shown.startswith("<"):
            raise UnexpectedAnswer(f"{archive} sent a web page instead of JSON; it begins {shown!r}") from e
        raise UnexpectedAnswer(f"{archive} did not send whole JSON ({e}); it begins {shown!r}") from e


def value_at(text: str, path: str, archive: str) -> str | None:
    """The text of the value at a dotted path of one JSON object; None where there is none."""
    at = 0
    try:
        for name in path.split("."):
            starts = dict(_members(text, at)) if text[at] == "{" else {}
            if name not in starts:
                return None
            at = starts[name]
        return text[at:_DECODER.raw_decode(text, at)[1]]
    except (ValueError, IndexError, RecursionError) as e:
        raise UnexpectedAnswer(f"{archive} did not send whole JSON ({e})") from e


def _split(text: str, at: int, path: list[str]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    envelope: dict[str, Any] = {}
    items: list[tuple[str, Any]] = []
    for key, start in _members(text, at):
        if key == path[0] and len(path) == 1 and text[start] == "[":
            items = list(_elements(text, start))
        elif key == path[0] and len(path) > 1 and text[start] == "{":
            envelope[key], items = _split(text, start, path[1:])
        else:
            envelope[key] = _DECODER.raw_decode(text, start)[0]
    return envelope, items


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Each key of the object that starts there, with the position where its value starts."""
    at = _expect(text, start, "{")
    if text[at] == "}":
        return
    while True:
        key, at = scanstring(text, _expect(text, at, '"', skip=False), True)
        at = _expect(text, at, ":")
        yield key, at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == "}":
            return
        at = _expect(text, at, ",")


def _elements(text: str, start: int) -> Iterator[tuple[str, Any]]:
    at = _expect(text, start, "[")
    if text[at] == "]":
        return
    while True:
        value, end = _DECODER.raw_decode(text, at)
        yield text[at:end], value
        at = _skip(text, end)
        if text[at] == "]":
            return
        at = _expect(text, at, ",")


def _expect(text: str, at: int, mark: str, skip: bool = True) -> int:
    """The position after `mark` (and after the white space behind it)."""
    at = _skip(text, at)
    if text[at] != mark:
        raise ValueError(f"{mark!r} missing at character {at}")
    return _skip(text, at + 1) if skip else at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
