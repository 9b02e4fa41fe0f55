"""What a visitor asks for: words, a picture, filters and a page, as parameters of the page's address.

The same parameters work on the page and on `/api/search`. They are kept as they were typed, so that a form
shows them again beside what is wrong; what they mean is worked out by `where` and `page_number`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from lake.errors import BadFilter, UsageError
from lake.tables import RIGHTS_CLASSES

PER_PAGE = 30
LAST_PAGE = 200
LONGEST_TEXT = 1000


class Parameters(Protocol):
    """A query string or a form: some names occur more than once."""

    def getlist(self, key: Any) -> list[Any]: ...

PARAMETERS = {
    "q": "what to look for, in words",
    "like": "the sample_id of a picture to find others like it",
    "picture": "the token of a picture sent before; a picture itself is sent with POST as the file `upload`",
    "from": "first year",
    "to": "last year",
    "archive": "an archive's name; may be given more than once",
    "rights": f"a rights class ({', '.join(RIGHTS_CLASSES)}); may be given more than once",
    "page": f"page of {PER_PAGE}, from 1 to {LAST_PAGE}",
}
_FIELDS = {"q": "words", "from": "year_from", "to": "year_to", "archive": "archives"}
_SEVERAL = ("archive", "rights")


@dataclass(frozen=True)
class Asked:
    """One request: `like` is a sample's id, `picture` the token of a picture that the visitor sent."""

    words: str = ""
    like: str = ""
    picture: str = ""
    year_from: str = ""
    year_to: str = ""
    archives: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    page: str = ""

    @property
    def is_search(self) -> bool:
        """Whether anything is looked for by likeness; otherwise the collection is only leafed through."""
        return bool(self.words or self.like or self.picture)

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.year_from or self.year_to or self.archives or self.rights)

    @property
    def page_number(self) -> int:
        """The page, from 1; raises UsageError for one that cannot be turned to."""
        number = _integer(self.page) if self.page else 1
        if number is None or not 1 <= number <= LAST_PAGE:
            raise UsageError(
                f"there is no page “{self.page}”; pages go from 1 to {LAST_PAGE}; narrow the search"
            )
        return number

    @property
    def where(self) -> str | None:
        """The filters as a condition on columns of `samples`; None where there is none."""
        start, end = _year(self.year_from), _year(self.year_to)
        if start is not None and end is not None and start > end:
            raise BadFilter(f"the years {start} to {end} end before they begin; swap them")
        unknown = [value for value in self.rights if value not in RIGHTS_CLASSES]
        if unknown:
            raise BadFilter(f"no rights class “{unknown[0]}”; there are: {', '.join(RIGHTS_CLASSES)}")
        conditions = [
            f"year >= {start}" if start is not None else "",
            f"year <= {end}" if end is not None else "",
            " or ".join(f"array_has(archives, {_literal(name)})" for name in self.archives),
            " or ".join(f"rights_class = {_literal(value)}" for value in self.rights),
        ]
        return " and ".join(f"({condition})" for condition in conditions if condition) or None

    def address(self, **changes: Any) -> str:
        """A relative address of the page that asks for this, with some of it changed."""
        query = urlencode(_pairs(replace(self, **changes)))
        return f"./?{query}" if query else "./"

    def without_filters(self) -> "Asked":
        """The same search over everything."""
        return Asked(words=self.words, like=self.like, picture=self.picture)

    def like_this(self, sample_id: str) -> "Asked":
        """What is like one sample, within the same filters."""
        return replace(self, words="", like=sample_id, picture="", page="")

    def as_json(self) -> dict[str, object]:
        """The parameters that were given, by their names in the address."""
        given = {name: getattr(self, _FIELDS.get(name, name)) for name in PARAMETERS}
        return {name: list(typed) if name in _SEVERAL else typed for name, typed in given.items() if typed}


def read_asked(parameters: Parameters) -> Asked:
    """The request as typed: blank is not asked, text beyond `LONGEST_TEXT` is refused with UsageError."""
    values: dict[str, Any] = {}
    for name in PARAMETERS:
        typed = [_clean(value, name) for value in parameters.getlist(name) if isinstance(value, str)]
        several = tuple(sorted(set(filter(None, typed))))
        values[_FIELDS.get(name, name)] = several if name in _SEVERAL else (typed or [""])[-1]
    return Asked(**values)


def _clean(value: str, name: str) -> str:
    text = " ".join(value.replace("\0", " ").split())
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"“{name}” has {len(text)} characters; {LONGEST_TEXT} is the most that is read")
    return text


def _pairs(asked: Asked) -> list[tuple[str, str]]:
    given: Mapping[str, Any] = asked.as_json()
    return [(name, item) for name, value in given.items() for item in _as_sequence(value)]


def _as_sequence(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _year(typed: str) -> int | None:
    if not typed:
        return None
    year = _integer(typed)
    if year is None or not -9999 <= year <= 9999:
        raise BadFilter(f"“{typed}” is not a year; give one such as 1939")
    return year


def _integer(typed: str) -> int | None:
    digits = typed.removeprefix("-")
    return int(typed) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
