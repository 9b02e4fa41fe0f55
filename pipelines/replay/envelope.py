"""The outermost object of a JSON answer, read and changed as text so that what is kept stays as it was."""

import json
import re
from collections.abc import Callable, Collection

_COUNT_KEYS = ("totalResults", "resultCount", "total")
_LIST_KEYS = ("items", "objects", "results")
_DEEP_COUNTS = ("pagination.of", "body.hits.total.value")
_DEEP_LISTS = ("body.hits.hits",)
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


def members(text: str) -> dict[str, str]:
    """The text of each member's value, as it stands; raises ValueError for what is not one JSON object."""
    found: dict[str, str] = {}
    at = _after(text, 0, "{")
    while not text.startswith("}", at):
        if found:
            at = _after(text, at, ",")
        key, end = _DECODER.raw_decode(text, at)
        start = _after(text, end, ":")
        _, end = _DECODER.raw_decode(text, start)
        found[key] = text[start:end]
        at = _skip(text, end)
    return found


def object_of(values: dict[str, str]) -> str:
    """One JSON object from the text of each value."""
    parts = (f"{json.dumps(key, ensure_ascii=False)}:{value}" for key, value in values.items())
    return "{" + ",".join(parts) + "}"


def announced(text: str) -> int | None:
    """The hits that an answer announces; None where it announces none."""
    envelope = json.loads(text)
    for path in (*_COUNT_KEYS, *_DEEP_COUNTS):
        value = envelope
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int):
            return value
    return None


def with_count(text: str, change: Callable[[int], int]) -> str:
    """The answer with another number of announced hits; unchanged where it announces none."""
    values = members(text)
    for key in _COUNT_KEYS:
        if values.get(key, "").isdigit():
            values[key] = str(change(int(values[key])))
            return object_of(values)
    for path in _DEEP_COUNTS:
        text = _changed(text, path, lambda value: str(change(int(value))) if value.isdigit() else value)
    return text


def _changed(text: str, path: str, change: Callable[[str], str]) -> str:
    """The object with the value at a dotted path changed; as it is where there is none."""
    name, _, rest = path.partition(".")
    values = members(text)
    if name not in values or (rest and not values[name].startswith("{")):
        return text
    new = _changed(values[name], rest, change) if rest else change(values[name])
    return object_of(values | {name: new}) if new != values[name] else text


def without_items(text: str, drop: Collection[str] = ()) -> str:
    """The answer as the same service gives it when a page is empty, less the members named in `drop`."""
    values = {key: value for key, value in members(text).items() if key not in drop}
    values.pop("records", None)    # Finna leaves the key out
    for key in _LIST_KEYS:
        if key in values:
            values[key] = "[]"
    if "itemsCount" in values:
        values["itemsCount"] = "0"
    text = object_of(values)
    for path in _DEEP_LISTS:
        text = _changed(text, path, lambda _: "[]")
    return text


def _after(text: str, at: int, mark: str) -> int:
    """The position of what follows `mark`."""
    at = _skip(text, at)
    if not text.startswith(mark, at):
        raise ValueError(f"{mark!r} missing at character {at} of {text[:60]!r}")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
