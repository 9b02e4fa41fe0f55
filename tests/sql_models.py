"""One SQL model at a time, without dbt: for tests and benchmarks of what a model computes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import yaml

from lake.catalog import Connection

PROJECT = Path(__file__).resolve().parent.parent / "sql"
_MACRO_FILES = ("duplicates.sql",)


def build_model(con: Connection, name: str, kind: str = "table", **variables: Any) -> None:
    """Create a model's table or view from the tables its `ref`s name; `variables` go before the project's."""
    con.execute(f"create or replace {kind} {name} as {rendered_model(name, variables)}")


def rendered_model(name: str, variables: Mapping[str, Any]) -> str:
    """The model's SQL with the project's variables, as dbt would compile it."""
    (path,) = (PROJECT / "models").rglob(f"{name}.sql")
    known = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"] | variables
    macros = "".join((PROJECT / "macros" / file).read_text(encoding="utf-8") for file in _MACRO_FILES)
    doors = {"ref": str, "var": known.__getitem__, "config": lambda **_: ""}
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals.update(doors)
    return environment.from_string(macros + path.read_text(encoding="utf-8")).render()
