"""The one door to dbt: runs the project in `sql/` on a lake, parsing it once for all lakes of a person.

Parsing the project takes longer than building a small lake. What dbt knows of it depends on the files and on
the variables, never on the lake, so it is kept in the user's cache folder (`GLAMLAKE_CACHE` names another);
dbt checks it file by file.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lake import Lake
from lake.collector import no_collection
from pipelines.cache_folder import cache_folder

PROJECT = Path(__file__).resolve().parent.parent / "sql"
_PARSED = "partial_parse.msgpack"    # dbt's name for it
_KEPT_AT_MOST = 8                    # of different variables; the oldest go


def run_dbt(lake: Lake, words: list[str], variables: Mapping[str, Any]) -> Any:
    """Run one dbt command on the lake, in a database in memory that ends with it; dbt's own answer.

    Raises KeyboardInterrupt where somebody wants to stop, which dbt would take for a failure of its own.
    """
    with no_collection():
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

    target = lake.dbt.absolute() / "target"
    known = cache_folder() / f"dbt-{_key(variables)}.msgpack"
    arguments = [
        *words, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
        "--target-path", str(target), "--log-path", str(lake.dbt.absolute() / "logs"),
        "--vars", json.dumps(variables), "--quiet", "--log-level", "none", "--log-level-file", "info",
        "--no-version-check", "--no-use-colors", "--no-send-anonymous-usage-stats",
        *(["--partial-parse-file-path", str(known)] if known.exists() else []),
    ]
    (target / _PARSED).unlink(missing_ok=True)    # what is there after the run, the run has parsed
    DuckDBConnectionManager.close_all_connections()
    try:
        with _environment(GLAMLAKE_LAKE=str(lake.root.absolute())):
            answer = dbtRunner().invoke(arguments)
        if isinstance(answer.exception, KeyboardInterrupt):
            raise answer.exception
        return answer
    finally:
        DuckDBConnectionManager.close_all_connections()
        with suppress(OSError):    # without a cache the next run parses again
            _keep(target / _PARSED, known)


def _key(variables: Mapping[str, Any]) -> str:
    described = json.dumps([str(PROJECT), variables], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _keep(parsed: Path, known: Path) -> None:
    """Put what was parsed into the cache, whole or not at all."""
    if not parsed.exists():
        return
    known.parent.mkdir(parents=True, exist_ok=True)
    draft = known.with_suffix(f".{os.getpid()}")
    shutil.move(parsed, draft)
    draft.replace(known)
    others = sorted(known.parent.glob("dbt-*.msgpack"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[_KEPT_AT_MOST:]:
        path.unlink(missing_ok=True)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """These variables of the environment, and the ones before once more at the end."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
