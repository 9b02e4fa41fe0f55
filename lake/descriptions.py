"""What each table and column is, in the words of the dbt project's YAML: said once, shown everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

_MODELS = Path(__file__).resolve().parent.parent / "sql" / "models"


@dataclass(frozen=True)
class Described:
    """A table's sentence (what one row is) and one for each column."""

    grain: str = ""
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@cache
def described_tables() -> Mapping[str, Described]:
    """Marts by name, raw tables as `raw_<name>`; empty where the dbt project is not installed beside us."""
    marts = {table["name"]: _described(table) for table in _entries("marts/_marts.yml", "models")}
    sources = [table for source in _entries("staging/_sources.yml", "sources") for table in source["tables"]]
    raw = {f"raw_{table['name']}": _described(table) for table in sources}
    # these two are the newest rows of their raw tables
    return raw | {name: raw[f"raw_{name}"] for name in ("harvests", "images") if f"raw_{name}" in raw} | marts


def _described(table: dict[str, Any]) -> Described:
    columns = {column["name"]: column.get("description", "") for column in table.get("columns", [])}
    return Described(table.get("description", ""), columns)


def _entries(file: str, key: str) -> list[dict[str, Any]]:
    path = _MODELS / file
    if not path.exists():
        return []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)   # written in C: 10 times as fast
    found: list[dict[str, Any]] = yaml.load(path.read_text("utf-8"), Loader=loader)[key]
    return found
