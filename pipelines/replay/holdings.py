"""What a replayed service holds: items served as the text they were given as, searched by their words."""

import functools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Item = dict[str, Any] | str
Condition = Callable[[Any], bool]    # on an item's parsed value, None for text that is no JSON

_REMEMBERED = 64    # selections: each later page of a search is answered without searching again


class Holdings:
    """Items in the order given. `match_all` makes every item answer every search (filters still count)."""

    def __init__(
        self, items: Sequence[Item], condition_of: Callable[[str], Condition],
        match_all: bool = False, dumps: Callable[[Any], str] | None = None,
    ) -> None:
        self._items = items
        self._condition_of = condition_of
        self._match_all = match_all
        self._dumps = dumps or (lambda value: json.dumps(value, ensure_ascii=False))
        self._selected = functools.lru_cache(maxsize=_REMEMBERED)(self._select)

    def text(self, index: int) -> str:
        """One item as JSON text: a str item as it is."""
        item = self._items[index]
        return item if isinstance(item, str) else self._dumps(item)

    def select(self, query: str, filters: Sequence[str] = ()) -> Sequence[int]:
        """Positions of the items that hold the query's words and pass every filter."""
        return self._selected("" if self._match_all else query, tuple(filters))

    def _select(self, query: str, filters: tuple[str, ...]) -> Sequence[int]:
        conditions = [self._condition_of(text) for text in filters]
        alternatives = word_groups(query)
        if not conditions and not alternatives:
            return range(len(self._items))
        return [
            n for n, item in enumerate(self._items)
            if _passes(item if not isinstance(item, str) else _value(item), item, conditions, alternatives)
        ]


def word_groups(query: str) -> list[list[str]]:
    """Words that must occur together, one list for each alternative of an OR; [] when anything will do."""
    groups = [
        [word.casefold() for word in map(_plain, group.split()) if word and word != "AND"]
        for group in re.split(r"\sOR\s", query)
    ]
    return groups if all(groups) else []


def holds_words(value: Any, words: Sequence[str]) -> bool:
    """True where every word occurs somewhere in the value's texts."""
    texts = "\n".join(_texts(value)).casefold()
    return all(word in texts for word in words)


def _passes(value: Any, item: Item, conditions: list[Condition], alternatives: list[list[str]]) -> bool:
    searched = item if value is None else value
    return all(condition(value) for condition in conditions) and (
        not alternatives or any(holds_words(searched, words) for words in alternatives)
    )


def _plain(word: str) -> str:
    """A word without Lucene's quotes, brackets and wildcards."""
    return re.sub(r'["()*]', "", word).removeprefix(":")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _texts(value: Any) -> Iterator[str]:
    """Every text and number inside, keys left out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
