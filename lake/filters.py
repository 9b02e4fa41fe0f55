"""What `--where` may say: a condition on one sample's columns, and nothing else.

DuckDB parses the condition; the tree it gives is searched for whatever is not a plain test of columns (a
query of another table, a function with an effect), so that a condition typed into a web page can only filter.
"""

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lake.catalog import Connection, ask
from lake.errors import BadFilter, BadSql

# What is taken from a sample's records where `samples` lacks it: the column's name here and in `records`.
FROM_RECORDS = {"providers": "provider", "countries": "country", "landing_urls": "landing_url"}

_EXAMPLE = "a condition looks like: year between 1939 and 1945 and 'train' in labels"
_CLASSES = frozenset({
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "LAMBDA", "LAMBDA_REF", "OPERATOR", "SUBQUERY", "TYPE",
})
_MORE_FUNCTIONS = frozenset({"unnest", "nullif", "ifnull", "if", "split_part"})   # any(list) is an unnest
# DuckDB takes tens of milliseconds to list its functions; these are what facets ask with
_USUAL_FUNCTIONS = frozenset({"list_has_any", "list_contains", "contains", "~~*", "~~"})


def filter_columns(con: Connection) -> list[str]:
    """What a condition may name: the columns of `samples`, and what their records add."""
    return [*_own_columns(con), *_columns_from_records(con)]


@dataclass(frozen=True)
class Condition:
    """A condition that may be asked: the columns that it names, and DuckDB's tree of it."""

    columns: frozenset[str]
    tree: dict[str, Any]


def read_condition(con: Connection, where: str) -> Condition:
    """Raises BadFilter unless the text is one condition and nothing more.

    Whether the columns exist shows when the condition is used; `matching` says so kindly.
    """
    node, plain = _parsed(con, where, "true")
    if _frame(node) != _frame(plain):
        raise BadFilter(f"the filter {where!r} is more than one condition; {_EXAMPLE}")
    parts = list(_objects(node["where_clause"]))
    for part in parts:
        _require_harmless(part, where)
    called = {part["function_name"] for part in parts if part.get("class") == "FUNCTION"}
    if (called := called - _USUAL_FUNCTIONS) and (effects := called - _pure_functions(con)):
        raise BadFilter(f"the filter {where!r} may not call {', '.join(sorted(effects))}; {_EXAMPLE}")
    named = frozenset(part["column_names"][-1] for part in parts if part.get("class") == "COLUMN_REF")
    return Condition(named, node["where_clause"])


def matching(con: Connection, where: str, limit: int) -> list[str]:
    """Ids of the first `limit` samples, by id, that meet a condition; raises BadFilter where it is none."""
    return [str(i) for i in _matching(con, where, f"order by sample_id limit {limit}").to_pylist()]


def all_matching(con: Connection, where: str) -> pa.ChunkedArray:
    """Ids of all samples that meet a condition, in no order; raises BadFilter where it is none."""
    return _matching(con, where, "")


def matching_places(con: Connection, where: str, held: str, columns: Set[str]) -> pa.ChunkedArray:
    """As `all_matching`, as places of the table `held`, which has sample_id and place.

    A condition on no more than its `columns` that `samples` has too reads nothing else.
    """
    used = read_condition(con, where).columns
    if used <= columns:
        sql = f"select place from {held} as samples where ({where}\n)"
    else:
        source = facts_sql(con, "true", with_records=not used.isdisjoint(FROM_RECORDS))
        found = f"select sample_id from ({source}) as samples where ({where}\n)"
        sql = f"select place from {held} join ({found}) using (sample_id)"
    try:
        return ask(con, sql)["place"]
    except BadSql as e:
        raise _explained(con, where, used, e) from e


def _matching(con: Connection, where: str, clause: str) -> pa.ChunkedArray:
    used = read_condition(con, where).columns
    source = facts_sql(con, "true", with_records=not used.isdisjoint(FROM_RECORDS))
    sql = f"select sample_id from ({source}) as samples where ({where}\n) {clause}"
    try:
        return ask(con, sql)["sample_id"]
    except BadSql as e:
        raise _explained(con, where, used, e) from e


def facts_sql(con: Connection, picked: str, with_records: bool = True) -> str:
    """Samples that meet a condition of our own, with the columns of FROM_RECORDS unless nobody needs them."""
    picks = f"select * from samples where {picked}"
    more = _columns_from_records(con)
    if not (with_records and more):
        return picks
    lists = ", ".join(f"list_sort(list_distinct(list({FROM_RECORDS[name]}))) as {name}" for name in more)
    return f"""
        with
        picked as ({picks}),
        members as (select sample_id, unnest(record_ids) as record_id from picked),
        about as (select sample_id, {lists} from members join records using (record_id) group by sample_id)
        select picked.*, about.* exclude (sample_id) from picked left join about using (sample_id)
    """


def _own_columns(con: Connection) -> list[str]:
    names: list[str] = ask(con, "select * from samples limit 0").schema.names
    return names


def _columns_from_records(con: Connection) -> list[str]:
    own = _own_columns(con)
    return [name for name in FROM_RECORDS if name not in own]


def _parsed(con: Connection, where: str, *others: str) -> list[dict[str, Any]]:
    """DuckDB's trees of selects with these conditions."""
    if not where.strip():
        raise BadFilter(f"the filter is empty; {_EXAMPLE}")
    selects: list[object] = [f"select 1 from samples where ({one}\n)" for one in (where, *others)]
    sql = "select json_serialize_sql(one) as tree from (values " + ", ".join("(?::varchar)" for _ in selects)
    trees = [json.loads(tree) for tree in ask(con, f"{sql}) as v(one)", selects)["tree"].to_pylist()]
    if trees[0]["error"]:
        reason = " ".join(str(trees[0]["error_message"]).split())
        raise BadFilter(f"the filter {where!r} is no condition ({reason}); {_EXAMPLE}")
    return [tree["statements"][0]["node"] for tree in trees]


def _frame(node: dict[str, Any]) -> dict[str, Any]:
    """The select around the condition: the same for every plain condition."""
    return {key: _without_places(value) for key, value in node.items() if key != "where_clause"}


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_places(v) for k, v in value.items() if not k.startswith("query_location")}
    return [_without_places(v) for v in value] if isinstance(value, list) else value


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a tree, from the top."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _require_harmless(part: dict[str, Any], where: str) -> None:
    if part.get("class", "CONSTANT") not in _CLASSES:
        raise BadFilter(f"the filter {where!r} is no plain condition ({part['class'].lower()}); {_EXAMPLE}")
    if "from_table" in part and (part["from_table"]["type"] != "EMPTY" or part["cte_map"]["map"]):
        raise BadFilter(f"the filter {where!r} may not query tables; {_EXAMPLE}")


def _pure_functions(con: Connection) -> frozenset[str]:
    """DuckDB's functions of a row whose value follows from their arguments alone."""
    sql = "select distinct function_name as f from duckdb_functions() where function_type = 'scalar'"
    return _MORE_FUNCTIONS | set(ask(con, f"{sql} and stability = 'CONSISTENT'")["f"].to_pylist())


def _explained(con: Connection, where: str, used: Set[str], error: BadSql) -> BadFilter:
    """Name the columns there are when one was not found, else pass on DuckDB's own words."""
    there = filter_columns(con)
    unknown = sorted(used - set(there))
    if unknown and "not found" in str(error):
        names = ", ".join(map(repr, unknown))
        return BadFilter(f"no column {names} to filter on; there are: {', '.join(there)}")
    reason = str(error).split(" LINE ")[0]
    return BadFilter(f"the filter {where!r} cannot be used ({reason}); {_EXAMPLE}")
