"""A room for trying SQL models one at a time, without dbt: stub inputs, the real seeds and functions."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import yaml

from pipelines.dbt_plugin import register_functions

SQL = Path(__file__).resolve().parent.parent / "sql"


class ModelRoom:
    """An in-memory database with the project's functions; `build` makes a model of its tables."""

    def __init__(self, **variables: Any) -> None:
        self.con = duckdb.connect(config={"threads": 2})
        self.con.execute("set timezone = 'UTC'")
        register_functions(self.con)
        known = yaml.safe_load((SQL / "dbt_project.yml").read_text(encoding="utf-8"))["vars"] | variables
        self._doors: dict[str, Any] = {
            "ref": str,
            "source": lambda _, name: SimpleNamespace(identifier=name),
            "var": known.get,
            "config": self._configure,
            "execute": True,
            "env_var": {"GLAMLAKE_LAKE": str(known.get("lake", ""))}.__getitem__,
            "return": str,
        }
        self._doors |= {"load_relation": str, "run_query": self._answer}
        self._macros = "".join(
            path.read_text(encoding="utf-8") for path in sorted(SQL.glob("macros/**/*.sql"))
        )
        self._jinja = jinja2.Environment(extensions=["jinja2.ext.do"])
        self.con.execute(self._rendered("{{ create_functions() }}"))

    def seed(self, *names: str) -> "ModelRoom":
        """Load seeds; the file says the types."""
        for name in names:
            path = SQL / "seeds" / f"{name}.csv"
            self.con.execute(
                f"create table {name} as select * from read_csv('{path}', header = true, quote = '\"')"
            )
        return self

    def build(self, model: str) -> "ModelRoom":
        """Make the table of a model from the tables it names."""
        (path,) = SQL.glob(f"models/**/{model}.sql")
        self._hooks: list[str] = []
        sql = self._rendered(path.read_text(encoding="utf-8"))
        for hook in self._hooks:
            self.con.execute(self._rendered(hook))
        self.con.execute(f"create or replace table {model} as {sql}")
        return self

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer to one question as dictionaries."""
        found: list[dict[str, Any]] = self.con.sql(sql).to_arrow_table().to_pylist()
        return found

    def _configure(self, pre_hook: str | list[str] = (), **_: Any) -> str:
        self._hooks = [pre_hook] if isinstance(pre_hook, str) else list(pre_hook)
        return ""

    def _answer(self, sql: str) -> Any:
        """As dbt's run_query: columns with their values."""
        found = self.con.sql(sql).to_arrow_table()
        return SimpleNamespace(columns=[SimpleNamespace(values=column.to_pylist) for column in found.columns])

    def _rendered(self, text: str) -> str:
        return self._jinja.from_string(self._macros + text).render(self._doors)
