"""What dbt's connection can do that SQL cannot: repair texts read in the wrong encoding, guess languages.

`sql/profiles.yml` names this module; dbt-duckdb looks for a class `Plugin` in it.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin

from pipelines.languages import detect_languages


class Plugin(BasePlugin):
    """Registers `repair_mojibake(text)`, which the SQL calls only for texts that look broken, and
    `detect_language(text)`, for those whose archive names no language."""

    def configure_connection(self, conn: Any) -> None:
        """Called by dbt-duckdb once per database; what does not fit in memory is spilled into the lake."""
        folder = Path(os.environ["GLAMLAKE_LAKE"]) / ".dbt" / "tmp"
        conn.execute("set temp_directory = '{}'".format(str(folder).replace("'", "''")))
        register_functions(conn)


def register_functions(con: Any) -> None:
    """Make our Python functions known to a DuckDB connection."""
    con.create_function("repair_mojibake", repair_mojibake, ["VARCHAR"], "VARCHAR", type="arrow")
    found = "STRUCT(language VARCHAR, confidence DOUBLE)"
    con.create_function(
        "detect_language", detect_languages, ["VARCHAR"], found, type="arrow", null_handling="special",
    )


def repair_mojibake(texts: pa.ChunkedArray) -> pa.Array:
    """Each text with its encoding repaired; quotes, ligatures and width stay as they are."""
    return pa.array([text and _repaired(text) for text in texts.to_pylist()], pa.string())


@lru_cache(maxsize=4096)
def _repaired(text: str) -> str:
    """One text; the same one comes again as title and among all titles."""
    from ftfy import fix_encoding

    return str(fix_encoding(text))
