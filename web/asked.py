"""What a visitor asks for: words, pictures, filters and a page, as parameters of the page's address.

The same parameters work on the page and on `/api/search`. They are kept as they were typed, so that a form
shows them again beside what is wrong; `narrowing`, `text_weight` and `page_number` say what they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from lake.errors import BadFilter, UsageError
from lake.facets import Narrowing
from lake.tables import RIGHTS_CLASSES, SPLITS

PER_PAGE = 30
LAST_PAGE = 200
MOST_LISTED = 300    # pictures in a list that is taken along
LONGEST_TEXT = 1000
MOST_VALUES = 50


class Parameters(Protocol):
    """A query string or a form: some names occur more than once."""

    def getlist(self, key: Any) -> list[Any]: ...


PARAMETERS = {
    "q": "what to look for, in words",
    "not": "what the pictures should not show, in words",
    "like": "the sample_id of a picture to find others like it; may be given more than once",
    "picture": "the token of a picture sent before (a picture itself is sent with POST as the file `upload`)",
    "weight": "how much words count where words and pictures are asked for together, from 0 to 1",
    "hybrid": "1: rank by the words of titles and descriptions too, not by the pictures' looks alone",
    "from": "first year",
    "to": "last year",
    "archive": "an archive's name; may be given more than once",
    "label": "a label, with all that stand below it; may be given more than once",
    "provider": "an institution that holds the object; may be given more than once",
    "rights": f"a rights class ({', '.join(RIGHTS_CLASSES)}); may be given more than once",
    "split": f"a side of the split ({', '.join(SPLITS)}); may be given more than once",
    "page": f"page of {PER_PAGE}, from 1 to {LAST_PAGE}",
}
SEVERAL = ("like", "picture", "archive", "label", "provider", "rights", "split")
_FIELDS = {
    "q": "words", "not": "unwanted", "like": "likes", "picture": "pictures", "from": "year_from",
    "to": "year_to", "archive": "archives", "label": "labels", "provider": "providers", "split": "splits",
}


@dataclass(frozen=True)
class Asked:
    """One request: `likes` are samples' ids, `pictures` tokens of pictures that the visitor sent."""

    words: str = ""
    unwanted: str = ""
    likes: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    weight: str = ""
    hybrid: str = ""
    year_from: str = ""
    year_to: str = ""
    archives: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    page: str = ""

    @property
    def is_search(self) -> bool:
        """Whether anything is looked for by likeness; otherwise the collection is only leafed through."""
        return bool(self.words or self.likes or self.pictures)

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return self != self.without_filters()._with(page=self.page)

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
    def is_last_page(self) -> bool:
        """Whether no page can be turned to after this, however much there is."""
        return self.page_number >= LAST_PAGE

    @property
    def text_weight(self) -> float:
        """How much the words count; raises UsageError for no share."""
        typed = self.weight or "0.5"
        whole, _, tenths = typed.partition(".")
        digits = whole + tenths
        weight = float(typed) if digits.isascii() and digits.isdigit() else -1.0
        if not 0 <= weight <= 1:
            raise UsageError(f"the weight “{typed}” is not between 0 (pictures only) and 1 (words only)")
        return weight

    @property
    def is_hybrid(self) -> bool:
        """Whether the catalogue's words count too; raises UsageError for what is neither yes nor no."""
        if self.hybrid not in ("", "1"):
            raise UsageError(f"hybrid is “{self.hybrid}”, which is neither 1 (yes) nor 0 (no)")
        return bool(self.hybrid)

    @property
    def narrowing(self) -> Narrowing:
        """The filters; raises BadFilter for what is no year, rights class or split."""
        start, end = _year(self.year_from), _year(self.year_to)
        if start is not None and end is not None and start > end:
            raise BadFilter(f"the years {start} to {end} end before they begin; swap them")
        _require_known("rights class", self.rights, RIGHTS_CLASSES)
        _require_known("split", self.splits, SPLITS)
        return Narrowing(
            start, end, self.archives, self.labels, self.providers, self.rights, self.splits,
        )

    def address(self, **changes: Any) -> str:
        """A relative address of the page that asks for this, with some of it changed."""
        query = self._with(**changes).query
        return f"./?{query}" if query else "./"

    @property
    def query(self) -> str:
        """The parameters as they stand in an address."""
        return urlencode(_pairs(self))

    def without_filters(self) -> "Asked":
        """The same search over everything."""
        return Asked(self.words, self.unwanted, self.likes, self.pictures, self.weight, self.hybrid)

    def without(self, name: str, value: str) -> "Asked":
        """The same without one value of a parameter."""
        field = _FIELDS.get(name, name)
        kept = tuple(v for v in getattr(self, field) if v != value) if name in SEVERAL else ""
        return self._with(**{field: kept, "page": ""})

    def like_this(self, sample_id: str) -> "Asked":
        """What is like one sample, within the same filters."""
        return self._with(words="", unwanted="", likes=(sample_id,), pictures=(), weight="", page="")

    def as_json(self) -> dict[str, object]:
        """The parameters that were given, by their names in the address."""
        given = {name: getattr(self, _FIELDS.get(name, name)) for name in PARAMETERS}
        return {name: list(typed) if name in SEVERAL else typed for name, typed in given.items() if typed}

    def parameters(self) -> list[tuple[str, str]]:
        """Everything asked but the page, one by one."""
        return [pair for pair in _pairs(self) if pair[0] != "page"]

    def filters(self) -> list[tuple[str, str]]:
        """The filters that are on, one by one, as parameters."""
        return [pair for pair in _pairs(self) if pair[0] in _FILTERS]

    def _with(self, **changes: Any) -> "Asked":
        return replace(self, **changes)


_USUAL = {"weight": {"0.5": "", "0.50": ""}, "hybrid": {"0": "", "false": "", "true": "1"}}
_FILTERS = ("from", "to", "archive", "label", "provider", "rights", "split")
assert {_FIELDS.get(name, name) for name in PARAMETERS} == {field.name for field in fields(Asked)}


def read_asked(parameters: Parameters) -> Asked:
    """The request as typed: blank is not asked; too long a text or too many values raise UsageError."""
    values: dict[str, Any] = {}
    for name in PARAMETERS:
        typed = [_clean(value, name) for value in parameters.getlist(name) if isinstance(value, str)]
        several = tuple(sorted(set(filter(None, typed))))
        if len(several) > MOST_VALUES:
            raise UsageError(f"“{name}” has {len(several)} values; {MOST_VALUES} is the most that is read")
        values[_FIELDS.get(name, name)] = several if name in SEVERAL else (typed or [""])[-1]
    for name, usual in _USUAL.items():
        values[name] = usual.get(values[name], values[name])
    return Asked(**values)


def _clean(value: str, name: str) -> str:
    text = " ".join(value.replace("\0", " ").encode("utf-8", "replace").decode().split())
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"“{name}” has {len(text)} characters; {LONGEST_TEXT} is the most that is read")
    return text


def _pairs(asked: Asked) -> list[tuple[str, str]]:
    given: Mapping[str, Any] = asked.as_json()
    return [(name, item) for name, value in given.items() for item in _as_sequence(value)]


def _as_sequence(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _require_known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    unknown = [value for value in given if value not in known]
    if unknown:
        raise BadFilter(f"no {what} “{unknown[0]}”; there are: {', '.join(known)}")


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
