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
    """The answer's other top-level values, and each element of the list `list_key` as (its text, its value).

    No list under that key gives no items. Raises UnexpectedAnswer for what is not one JSON object.
    """
    envelope: dict[str, Any] = {}
    items: list[tuple[str, Any]] = []
    try:
        for key, start in _members(text):
            if key == list_key and text[start] == "[":
                items = list(_elements(text, start))
            else:
                envelope[key] = _DECODER.raw_decode(text, start)[0]
    except (ValueError, IndexError, RecursionError) as e:
        shown = " ".join(text[:120].split())
        raise UnexpectedAnswer(f"{archive} did not send whole JSON ({e}); it begins {shown!r}") from e
    return envelope, items


def _members(text: str) -> Iterator[tuple[str, int]]:
    """Each key of the outermost object, with the position where its value starts."""
    at = _expect(text, 0, "{")
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
