"""Writes `data-dictionary.md` from the schemas in `lake/tables.py` and the descriptions in the dbt project.

    python docs/data_dictionary.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from lake.tables import CONTRACT_TABLES, PLACEHOLDERS, RAW_TABLES, Table

HERE = Path(__file__).parent
SQL = HERE.parent / "sql" / "models"
TARGET = HERE / "data-dictionary.md"
INTRODUCTION = """# Data dictionary

Made by `python docs/data_dictionary.py`; a test fails when it is not up to date. Unknown is NULL, lists are
sorted and distinct, times are UTC. Any DuckDB client sees all of this in `<lake>/catalog.duckdb`, and so does
`glamlake sql`.
"""


def data_dictionary() -> str:
    """The page, as Markdown."""
    marts = _described("marts/_marts.yml", "models")
    contract = [_section(table, table.name, marts) for table in (*CONTRACT_TABLES, PLACEHOLDERS)]
    raw = [_section(table, f"raw_{table.name}", {}) for table in RAW_TABLES]
    return "\n".join([
        INTRODUCTION, "## Tables others rely on\n", *contract, "## Raw tables\n",
        "What the stages appended; a row is never changed. Those of archives are partitioned by `archive`.\n",
        *raw,
    ])


def _section(table: Table, name: str, described: dict[str, Any]) -> str:
    told = described.get(table.name, {}) | _described("staging/_sources.yml", "sources").get(table.name, {})
    lines = "\n".join(f"| `{column}` | {kind} | {text} |" for column, kind, text in _columns(table, told))
    return f"### {name}\n\n{table.grain}\n\n| column | type | what it is |\n|---|---|---|\n{lines}\n"


def _columns(table: Table, told: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for field in table.schema:
        yield field.name, _type(field.type), told.get(field.name, "")
    if table.name in ("harvests", "images", *(raw.name for raw in RAW_TABLES)):
        return
    for column in told:
        if column not in table.schema.names:
            yield column, "", told[column]


def _described(file: str, key: str) -> dict[str, Any]:
    """Descriptions by table and column."""
    entries = yaml.safe_load((SQL / file).read_text("utf-8"))[key]
    if key == "sources":
        entries = [table for entry in entries for table in entry["tables"]]
    return {
        table["name"]: {column["name"]: column["description"] for column in table.get("columns", [])}
        for table in entries
    }


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_type(kind.value_type)}[]"
    return {
        pa.string(): "VARCHAR", pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
    }.get(kind, "TIMESTAMP")


if __name__ == "__main__":
    TARGET.write_text(data_dictionary(), "utf-8")
