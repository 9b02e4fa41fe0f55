"""What a suite is made of: expectations as plain data, each with its reason and severity.

There are two kinds. `Values` looks at the values of one column; `Nothing` expects a question, put to DuckDB
(or by a function where SQL cannot look), to find no offender. No Great Expectations here: `report` builds its
objects from these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from lake import Lake
from lake.catalog import Connection, ask
from lake.errors import GlamlakeError
from lake.ledger import Ledger
from lake.tables import Table

Severity = Literal["critical", "warning"]
CRITICAL: Severity = "critical"
WARNING: Severity = "warning"

SHOWN_EXAMPLES = 5
_NOT_NULL = "ExpectColumnValuesToNotBeNull"


@dataclass(frozen=True)
class Scene:
    """What an expectation may look at: the lake, its tables through one connection, its ledger, thresholds.

    There is no ledger, but the reason why, when what it counts cannot be read or lacks a column. `kept` is
    what one question found out and others ask again.
    """

    lake: Lake
    con: Connection
    ledger: Ledger | GlamlakeError
    thresholds: Mapping[str, float]
    kept: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, look: Callable[["Scene"], Any]) -> Any:
        """What `look` finds, looked up once."""
        if name not in self.kept:
            self.kept[name] = look(self)
        return self.kept[name]


@dataclass(frozen=True)
class Limit:
    """A number that people may change, from `low` to `high`; `name` is its name below its table."""

    name: str
    default: float
    low: float = 0
    high: float = 1


@dataclass(frozen=True)
class Finding:
    """How many offenders there are, and some of them.

    `not_yet` says which stage must run before one can tell; `observed` is shown instead of the number.
    """

    n: int
    examples: tuple[str, ...] = ()
    not_yet: str = ""
    observed: str = ""

    @classmethod
    def of(cls, offenders: Sequence[str]) -> "Finding":
        """The finding for a list of all offenders."""
        return cls(len(offenders), tuple(offenders[:SHOWN_EXAMPLES]))


Question = Callable[[Scene], Finding]


@dataclass(frozen=True)
class Nothing:
    """Expects no offender. SQL selects them as a column `example`, which the report shows to people.

    Where there is a limit, it stands in the SQL as $1.
    """

    name: str
    reason: str
    severity: Severity
    offenders: str | Question
    limit: Limit | None = None


@dataclass(frozen=True)
class Values:
    """Expects something of each value of one column: `rule` is the Great Expectations class.

    Where there is a limit, it is the share of values that must be so.
    """

    name: str
    reason: str
    severity: Severity
    column: str
    rule: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    limit: Limit | None = None

    @property
    def is_about_null(self) -> bool:
        """Whether it matters only that there is a value, not which."""
        return self.rule == _NOT_NULL


Expectation = Nothing | Values


@dataclass(frozen=True)
class Suite:
    """The expectations about one table; `not_yet` says why they cannot be asked, if they cannot."""

    table: str
    view: str
    expectations: tuple[Expectation, ...]
    not_yet: Callable[[Lake], str | None]


def of_mart(mart: Table, stage: str, *expectations: Expectation) -> Suite:
    """The suite of a mart that a stage writes: its columns are those agreed on, and what else it expects."""
    agreed = as_agreed(mart, mart.name)
    return Suite(mart.name, mart.name, (agreed, *expectations), made_by(stage, mart.name))


def made_by(stage: str, *marts: str) -> Callable[[Lake], str | None]:
    """A suite's `not_yet` for marts that a stage writes."""

    def not_yet(lake: Lake) -> str | None:
        missing = [mart for mart in marts if not lake.mart(mart).exists()]
        return f"no {missing[0]} yet; run `glamlake {stage}`" if missing else None

    return not_yet


def always(_: Lake) -> None:
    """A suite's `not_yet` for what every harvested lake has."""


def known(column: str, reason: str, severity: Severity = CRITICAL) -> Values:
    """No value of the column is NULL."""
    return Values(f"{column} is never NULL", reason, severity, column, _NOT_NULL)


def filled(column: str, share: float, reason: str) -> Values:
    """At least this share of the values is known, unless people say otherwise; a warning."""
    limit = Limit(f"{column}_known", share)
    return Values(f"{column} is known often enough", reason, WARNING, column, _NOT_NULL, limit=limit)


def one_of(column: str, values: Sequence[str], reason: str) -> Values:
    """Each known value is one of these."""
    name = f"{column} is one of the known values"
    return Values(name, reason, CRITICAL, column, "ExpectColumnValuesToBeInSet", {"value_set": list(values)})


def matching(column: str, regex: str, name: str, reason: str, severity: Severity = CRITICAL) -> Values:
    """Each known value matches."""
    return Values(name, reason, severity, column, "ExpectColumnValuesToMatchRegex", {"regex": regex})


def between(column: str, low: float, high: float, reason: str, severity: Severity = CRITICAL) -> Values:
    """Each known value lies within both bounds."""
    bounds = {"min_value": low, "max_value": high}
    name = f"{column} lies between {low:g} and {high:g}"
    return Values(name, reason, severity, column, "ExpectColumnValuesToBeBetween", bounds)


def unique(view: str, column: str, reason: str) -> Nothing:
    """No value occurs twice; counted by DuckDB."""
    sql = f"select {column} as example from {view} where {column} is not null group by 1 having count(*) > 1"
    return Nothing(f"{column} is unique", reason, CRITICAL, sql)


def as_agreed(table: Table, view: str) -> Nothing:
    """Every column that others rely on is there, in the type they rely on."""

    def differences(scene: Scene) -> Finding:
        found = ask(scene.con, f"select * from {view} limit 0").schema
        return Finding.of([text for column in table.schema if (text := _difference(column, found))])

    reason = "people's own scripts read these columns; more may come, none may go or change its type"
    return Nothing("columns and types are those agreed on", reason, CRITICAL, differences)


def _difference(column: pa.Field, found: pa.Schema) -> str | None:
    if column.name not in found.names:
        return f"{column.name} is missing"
    type_ = found.field(column.name).type
    return None if _same(type_, column.type) else f"{column.name} is {type_}, not {column.type}"


def _same(found: pa.DataType, agreed: pa.DataType) -> bool:
    """Equal types; a list's length and the name of its element do not count."""
    if pa.types.is_list(agreed):
        return bool(pa.types.is_list(found) or pa.types.is_fixed_size_list(found)) and _same(
            found.value_type, agreed.value_type
        )
    return bool(found == agreed)
