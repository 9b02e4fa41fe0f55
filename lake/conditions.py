"""Conditions that are plain tests of columns: read from DuckDB's tree, said in SQL and in LanceDB's words.

What is taken: comparisons of a column with constants of its type, `between`, `in`, `is null`, a value in a
list, and these joined by `and`, `or`. Anything else (functions, patterns, `not`) DuckDB answers alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NUMBERS = frozenset({"year"})
WORDS = frozenset({"label", "rights_class", "split", "language", "cluster_id", "sample_id"})
LISTS = frozenset({"labels", "archives", "providers", "countries"})
_SIGNS = {
    "COMPARE_EQUAL": "=", "COMPARE_NOTEQUAL": "<>", "COMPARE_LESSTHAN": "<", "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=", "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_NULL_TESTS = {"OPERATOR_IS_NULL": "is null", "OPERATOR_IS_NOT_NULL": "is not null"}
_JOINTS = {"CONJUNCTION_AND": "and", "CONJUNCTION_OR": "or"}
_LIST_TESTS = frozenset({"contains", "list_contains", "array_contains", "list_has", "array_has"})
_ANY_TESTS = frozenset({"list_has_any", "array_has_any", "&&"})
_MOST_ASKED_ONE_BY_ONE = 4    # DuckDB looks for one value in a list four times as fast as for any of several
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,9}")    # a year is a 32-bit integer

Value = int | str


@dataclass(frozen=True)
class Test:
    """A column (in small letters) compared with values of its type.

    `sign` is =, <>, <, >, <=, >= (of one value), in, has any (of a list), is null or is not null.
    """

    column: str
    sign: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Joined:
    """Tests of which all must be met (`and`), or any (`or`)."""

    word: str
    parts: tuple["Plain", ...]


Plain = Test | Joined
Where = str | Plain    # what a search may be narrowed by: `--where` as typed, or tests


class _Untold(Exception):
    """A part that is no plain test; never leaves this module."""


def plain_tests(tree: dict[str, Any]) -> Plain | None:
    """What DuckDB's tree of a condition tests; None where that is more than plain tests."""
    try:
        return _plain(tree)
    except _Untold:
        return None


def in_lance_words(plain: Plain) -> str:
    """LanceDB's condition that means the same."""
    return _said(plain, lambda column, values: f"array_has_any({column}, [{', '.join(values)}])")


def in_sql(plain: Plain) -> str:
    """DuckDB's condition that means the same."""
    return _said(plain, _in_list)


def _said(plain: Plain, has_any: Callable[[str, list[str]], str]) -> str:
    if isinstance(plain, Joined):
        return f"({f' {plain.word} '.join(_said(part, has_any) for part in plain.parts)})"
    values = list(map(_literal, plain.values))
    if plain.sign == "has any":
        return has_any(plain.column, values)
    compared = f"({', '.join(values)})" if plain.sign == "in" else ", ".join(values)
    return f"{plain.column} {plain.sign} {compared}".rstrip()


def _in_list(column: str, values: list[str]) -> str:
    if len(values) > _MOST_ASKED_ONE_BY_ONE:
        return f"list_has_any({column}, [{', '.join(values)}])"
    return f"({' or '.join(f'list_contains({column}, {value})' for value in values)})"


def _literal(value: Value) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _plain(node: dict[str, Any]) -> Plain:
    reader = _READERS.get(node["class"])
    if reader is None:
        raise _Untold
    return reader(node)


def _comparison(node: dict[str, Any]) -> Plain:
    name = _column(node["left"], NUMBERS | WORDS)
    return Test(name, _known(_SIGNS, node["type"]), (_constant(node["right"], name),))


def _between(node: dict[str, Any]) -> Plain:
    if node["type"] != "COMPARE_BETWEEN":
        raise _Untold
    name = _column(node["input"], NUMBERS)
    limits = (">=", node["lower"]), ("<=", node["upper"])
    return Joined("and", tuple(Test(name, sign, (_constant(limit, name),)) for sign, limit in limits))


def _operator(node: dict[str, Any]) -> Plain:
    first, *others = node["children"]
    name = _column(first, NUMBERS | WORDS)
    if node["type"] == "COMPARE_IN":
        return Test(name, "in", tuple(_constant(other, name) for other in others))
    return Test(name, _known(_NULL_TESTS, node["type"]))


def _conjunction(node: dict[str, Any]) -> Plain:
    return Joined(_known(_JOINTS, node["type"]), tuple(map(_plain, node["children"])))


def _list_test(node: dict[str, Any]) -> Plain:
    arguments = _arguments(node)
    if node["function_name"] not in _LIST_TESTS | _ANY_TESTS or len(arguments) != 2:
        raise _Untold
    name, asked = _column(arguments[0], LISTS), [arguments[1]]
    if node["function_name"] in _ANY_TESTS:
        if arguments[1]["class"] != "FUNCTION" or arguments[1]["function_name"] != "list_value":
            raise _Untold
        asked = _arguments(arguments[1])
    values = tuple(_constant(one, name) for one in asked)
    if not values:
        raise _Untold
    return Test(name, "has any", values)


def _arguments(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [argument["expression"] for argument in node["arguments"]]


def _known(told: dict[str, str], kind: str) -> str:
    if kind not in told:
        raise _Untold
    return told[kind]


def _column(node: dict[str, Any], allowed: frozenset[str]) -> str:
    """The name of a column of one of the kinds allowed."""
    name = str(node["column_names"][-1]).lower() if node["class"] == "COLUMN_REF" else ""
    if name not in allowed:
        raise _Untold
    return name


def _constant(node: dict[str, Any], column: str) -> Value:
    """A constant of the column's type."""
    literal = node.get("literal") or {} if node["class"] == "CONSTANT" else {}
    kind, text = literal.get("kind"), str(literal.get("text"))
    if column in NUMBERS and kind == "INTEGER" and _PLAIN_NUMBER.fullmatch(text):
        return int(text)
    if column not in NUMBERS and kind == "STRING" and "\0" not in text:
        return text
    raise _Untold


_READERS = {
    "COMPARISON": _comparison, "BETWEEN": _between, "OPERATOR": _operator, "CONJUNCTION": _conjunction,
    "FUNCTION": _list_test,
}
