"""A filter's condition in LanceDB's words, or as years from and to, where that says the same; else nothing.

What is taken: comparisons of a column with constants of its type, `between`, `in`, `is null`, a value in a
list, and these joined by `and`, `or`. Anything else (functions, patterns, `not`) DuckDB answers alone.
"""

import re
from typing import Any

_NUMBERS = frozenset({"year"})
_WORDS = frozenset({"label", "rights_class", "split", "language", "cluster_id", "sample_id"})
_LISTS = frozenset({"labels", "archives", "providers", "countries"})
_SIGNS = {
    "COMPARE_EQUAL": "=", "COMPARE_NOTEQUAL": "<>", "COMPARE_LESSTHAN": "<", "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=", "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_JOINTS = {"CONJUNCTION_AND": " and ", "CONJUNCTION_OR": " or "}
_LIST_TESTS = frozenset({"contains", "list_contains", "array_contains", "list_has", "array_has"})
_ANY_TESTS = frozenset({"list_has_any", "array_has_any", "&&"})
# what a comparison with a year leaves: how far from it the first and the last year are, None where none is
_LEAVES: dict[str, tuple[int | None, int | None]] = {
    "COMPARE_EQUAL": (0, 0), "COMPARE_GREATERTHAN": (1, None), "COMPARE_GREATERTHANOREQUALTO": (0, None),
    "COMPARE_LESSTHAN": (None, -1), "COMPARE_LESSTHANOREQUALTO": (None, 0),
}
_EVER = (-10**9, 10**9)    # beyond what a plain number says
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,9}")    # a year is a 32-bit integer


class _Untold(Exception):
    """A part that LanceDB has no equal words for; never leaves this module."""


def in_lance_words(tree: dict[str, Any]) -> str | None:
    """LanceDB's condition for DuckDB's tree of one, None where it has none that means the same."""
    try:
        return _told(tree)
    except _Untold:
        return None


def years_asked(tree: dict[str, Any]) -> tuple[int, int] | None:
    """The first and the last year where DuckDB's tree asks for years from and to, and for nothing else."""
    try:
        return _years(tree)
    except _Untold:
        return None


def _years(node: dict[str, Any]) -> tuple[int, int]:
    if node["type"] == "CONJUNCTION_AND":
        firsts, lasts = zip(*map(_years, node["children"]), strict=True)
        return max(firsts), min(lasts)
    if node["type"] == "COMPARE_BETWEEN":
        name = _column(node["input"], _NUMBERS)
        return int(_constant(node["lower"], name)), int(_constant(node["upper"], name))
    if node["type"] not in _LEAVES:
        raise _Untold
    year = int(_constant(node["right"], _column(node["left"], _NUMBERS)))
    first, last = _LEAVES[node["type"]]
    return _EVER[0] if first is None else year + first, _EVER[1] if last is None else year + last


def _told(node: dict[str, Any]) -> str:
    teller = _TELLERS.get(node["class"])
    if teller is None:
        raise _Untold
    return teller(node)


def _comparison(node: dict[str, Any]) -> str:
    if node["type"] not in _SIGNS:
        raise _Untold
    name = _column(node["left"], _NUMBERS | _WORDS)
    return f"{name} {_SIGNS[node['type']]} {_constant(node['right'], name)}"


def _between(node: dict[str, Any]) -> str:
    if node["type"] != "COMPARE_BETWEEN":
        raise _Untold
    name = _column(node["input"], _NUMBERS)
    lower, upper = _constant(node["lower"], name), _constant(node["upper"], name)
    return f"({name} >= {lower} and {name} <= {upper})"


def _operator(node: dict[str, Any]) -> str:
    first, *others = node["children"]
    if node["type"] in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
        name = _column(first, _NUMBERS | _WORDS)
        return f"{name} is {'not ' if 'NOT' in node['type'] else ''}null"
    if node["type"] != "COMPARE_IN":
        raise _Untold
    name = _column(first, _NUMBERS | _WORDS)
    return f"{name} in ({', '.join(_constant(other, name) for other in others)})"


def _conjunction(node: dict[str, Any]) -> str:
    if node["type"] not in _JOINTS:
        raise _Untold
    return f"({_JOINTS[node['type']].join(_told(child) for child in node['children'])})"


def _list_test(node: dict[str, Any]) -> str:
    arguments = _arguments(node)
    if node["function_name"] not in _LIST_TESTS | _ANY_TESTS or len(arguments) != 2:
        raise _Untold
    name = _column(arguments[0], _LISTS)
    if node["function_name"] in _LIST_TESTS:
        return f"array_has({name}, {_constant(arguments[1], name)})"
    if arguments[1]["class"] != "FUNCTION" or arguments[1]["function_name"] != "list_value":
        raise _Untold
    values = [_constant(argument, name) for argument in _arguments(arguments[1])]
    if not values:
        raise _Untold
    return f"array_has_any({name}, [{', '.join(values)}])"


def _arguments(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [argument["expression"] for argument in node["arguments"]]


def _column(node: dict[str, Any], allowed: frozenset[str]) -> str:
    """The name of a column of one of the kinds allowed."""
    name = str(node["column_names"][-1]).lower() if node["class"] == "COLUMN_REF" else ""
    if name not in allowed:
        raise _Untold
    return name


def _constant(node: dict[str, Any], column: str) -> str:
    """A constant of the column's type as SQL."""
    literal = node.get("literal") or {} if node["class"] == "CONSTANT" else {}
    kind, text = literal.get("kind"), str(literal.get("text"))
    if column in _NUMBERS and kind == "INTEGER" and _PLAIN_NUMBER.fullmatch(text):
        return text
    if column not in _NUMBERS and kind == "STRING" and "\0" not in text:
        return "'" + text.replace("'", "''") + "'"
    raise _Untold


_TELLERS = {
    "COMPARISON": _comparison, "BETWEEN": _between, "OPERATOR": _operator, "CONJUNCTION": _conjunction,
    "FUNCTION": _list_test,
}
