"""The one door to DuckDB: views over everything that lies in the lake as Parquet.

A stage's connection is in memory and sees the lake through these views and macros; `catalog.duckdb` holds the
same for any other DuckDB client. Views of tables that no stage has written yet are empty and typed.
"""

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lake.descriptions import Described, described_tables
from lake.drafts import cannot_write, lacks_room, whole_file
from lake.errors import BadSql, EmptyLake, LakeError
from lake.layout import Lake
from lake.macros import MACROS
from lake.tables import (
    CONTRACT_TABLES,
    HARVESTS,
    IMAGES,
    PLACEHOLDERS,
    RAW_ANNOTATIONS,
    RAW_HARVESTS,
    RAW_HITS,
    RAW_IMAGES,
    RAW_NEAR_VECTORS,
    RAW_REVIEWS,
    RAW_TABLES,
    RAW_VOCABULARY,
    Table,
)

log = logging.getLogger(__name__)

Connection = duckdb.DuckDBPyConnection

# the oldest format: what DuckDB 2 writes by itself, no DuckDB 1 can open
_STORAGE_VERSION = "v1.0.0"

_OF_NO_ARCHIVE = (RAW_IMAGES, RAW_VOCABULARY, RAW_NEAR_VECTORS, RAW_ANNOTATIONS, RAW_REVIEWS)
_DUCK_TYPES = {
    pa.string(): "varchar", pa.int32(): "integer", pa.int64(): "bigint", pa.float64(): "double",
    pa.date32(): "date", pa.timestamp("us"): "timestamp", pa.timestamp("us", tz="UTC"): "timestamptz",
    pa.list_(pa.string()): "varchar[]",
    pa.list_(pa.float64()): "double[]",
}


@contextmanager
def connect(lake: Lake) -> Iterator[Connection]:
    """An in-memory connection with a view for every table of the lake; raises LakeError for a broken file."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        for statement in view_statements(lake):
            _create(con, statement)
        for macro in MACROS:
            con.execute(macro.statements[0])
        yield con


def _create(con: Connection, view: str) -> None:
    try:
        con.execute(view)
    except duckdb.Error as e:
        if lacks_room(e):
            raise
        reason = str(e).split("\n")[0]
        raise LakeError(f"the lake has a broken file: {reason}; remove it and run its stage again") from e


def query(lake: Lake, sql: str, parameters: list[object] | None = None) -> pa.Table:
    """The rows of one statement as an Arrow table.

    Raises EmptyLake where nothing was harvested yet, BadSql (in DuckDB's words) where it is no select.
    """
    require_hits(lake)
    with connect(lake) as con:
        return ask(con, sql, parameters)


def ask(con: Connection, sql: str, parameters: list[object] | None = None) -> pa.Table:
    """As `query`, on an open connection: for many questions to one state of the lake."""
    try:
        relation = con.sql(sql, params=parameters)
        found: pa.Table | None = None if relation is None else relation.to_arrow_table()
    except duckdb.Error as e:
        raise BadSql(" ".join(str(e).split())) from e
    if found is None:
        raise BadSql(f"only statements that give rows are taken here, not {sql[:80]!r}")
    return found


def ask_in_batches(con: Connection, sql: str, n_rows: int) -> pa.RecordBatchReader:
    """As `ask`, a batch of rows at a time; nothing else may be asked on the connection before the last."""
    try:
        return con.sql(sql).to_arrow_reader(n_rows)
    except duckdb.Error as e:
        raise BadSql(" ".join(str(e).split())) from e


def rows(lake: Lake, sql: str, parameters: list[object] | None = None) -> list[dict[str, object]]:
    """The rows of one statement as dictionaries; raises as `query` does."""
    found: list[dict[str, object]] = query(lake, sql, parameters).to_pylist()
    return found


def require_hits(lake: Lake) -> None:
    """Raises EmptyLake when no archive was asked for anything; one that had nothing to give is not that."""
    if not (has_rows(lake, RAW_HITS) or has_rows(lake, RAW_HARVESTS)):
        raise EmptyLake(f"nothing harvested yet in {lake.root}; begin with `glamlake harvest`")


def require_mart(lake: Lake, table: str, stage: str) -> None:
    """Raises EmptyLake, naming the stage that makes it, when a mart is not there yet."""
    if not lake.mart(table).exists():
        require_hits(lake)
        raise EmptyLake(f"the lake has no {table} yet; run `glamlake {stage}` first")


def has_rows(lake: Lake, raw_table: Table) -> bool:
    """Whether a raw table has any file."""
    return any(lake.raw.glob(_raw_pattern(raw_table)))


def refresh_catalog(lake: Lake) -> None:
    """Write `catalog.duckdb` anew if a table was added or changed its columns: every stage's last act.

    A broken file is told and no more: the stage that ends here has done its work. Raises LakeError where
    there is no room for the catalog.
    """
    try:
        _refresh(lake)
    except (OSError, duckdb.Error) as e:
        raise cannot_write(lake.catalog, e) from e


def _refresh(lake: Lake) -> None:
    mark = _mark(lake)
    noted = lake.catalog_mark.read_text("utf-8") if lake.catalog_mark.exists() else None
    if lake.catalog.exists() and noted == mark:
        return
    try:
        write_catalog(lake)
    except LakeError as e:
        log.warning("catalog.duckdb is as before: %s", e)
        return
    with whole_file(lake.catalog_mark) as draft:
        draft.write_text(mark, "utf-8")


def write_catalog(lake: Lake) -> Path:
    """Write `catalog.duckdb` anew (atomically): views with absolute paths, macros, and a comment on each."""
    lake.open()
    with tempfile.TemporaryDirectory(dir=lake.root, prefix=".catalog-") as folder:
        draft = Path(folder) / "catalog.duckdb"
        with duckdb.connect() as con:
            con.execute(f"attach '{_quoted(str(draft))}' as catalog (storage_version '{_STORAGE_VERSION}')")
            con.execute("use catalog")
            for view in view_statements(lake):
                _create(con, view)
            for statement in [*_macro_statements(), *_comments(con)]:
                con.execute(statement)
            con.execute("use memory")
            con.execute("detach catalog")
        draft.replace(lake.catalog)
    return lake.catalog


def _macro_statements() -> list[str]:
    return [statement for macro in MACROS for statement in macro.statements]


def _comments(con: Connection) -> Iterator[str]:
    """A comment for each view and for each of its columns that anybody described."""
    grains = {t.name: t.grain for t in (*CONTRACT_TABLES, PLACEHOLDERS)}
    grains |= {f"raw_{t.name}": t.grain for t in RAW_TABLES}
    found = con.execute("select table_name, column_name from duckdb_columns() where not internal").fetchall()
    told = described_tables()
    for view, grain in grains.items():
        yield f"comment on view {view} is '{_quoted(grain)}'"
    for view, column in found:
        text = told.get(view, Described()).columns.get(column) or _EVERYWHERE.get(column)
        if text:
            yield f"comment on column {view}.{column} is '{_quoted(text)}'"


def _mark(lake: Lake) -> str:
    """What the catalog depends on, in one line: its statements, and the columns of what it shows."""
    told = described_tables()
    parts = [*view_statements(lake), *_macro_statements(), repr(told)]
    files = [lake.mart(t.name) for t in CONTRACT_TABLES]
    files += [max(lake.raw.glob(_raw_pattern(t)), default=lake.raw) for t in RAW_TABLES]
    parts += [_columns_of(path) for path in files if path.is_file()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _columns_of(path: Path) -> str:
    try:
        schema: str = pq.read_schema(path).remove_metadata().to_string()
    except pa.ArrowInvalid:
        return f"{path} is broken"
    return schema


def view_statements(lake: Lake) -> list[str]:
    """`create view` statements: `raw_<table>` for each raw table, then each contract table."""
    raw = [_view(f"raw_{t.name}", _raw_select(lake, t)) for t in RAW_TABLES]
    made = [_view(t.name, _mart_select(lake, t)) for t in CONTRACT_TABLES if t not in (HARVESTS, IMAGES)]
    placeholders = _view(PLACEHOLDERS.name, _mart_select(lake, PLACEHOLDERS))
    return [*raw, _view("harvests", _HARVESTS_SQL), placeholders, _view("images", _IMAGES_SQL), *made]


def _view(name: str, select: str) -> str:
    return f"create or replace view {name} as {select}"


def _raw_pattern(table: Table) -> str:
    return f"{table.name}/*.parquet" if table in _OF_NO_ARCHIVE else f"{table.name}/archive=*/*.parquet"


def _raw_select(lake: Lake, table: Table) -> str:
    partitioned = table not in _OF_NO_ARCHIVE
    if not has_rows(lake, table):
        return _empty(table.schema, {"archive": "varchar"} if partitioned else {})
    pattern = _quoted(str(lake.raw.absolute() / _raw_pattern(table)))
    hive = ", hive_partitioning = true, hive_types = {'archive': varchar}" if partitioned else ""
    # a column that came later is NULL in a lake whose files are older than it
    later = f" union all by name {_empty(table.schema, {})}" if table is RAW_IMAGES else ""
    return f"select * from read_parquet('{pattern}', union_by_name = true{hive}){later}"


def _mart_select(lake: Lake, table: Table) -> str:
    path = lake.mart(table.name)
    if not path.exists():
        return _empty(table.schema, {})
    return f"select * from read_parquet('{_quoted(str(path.absolute()))}')"


def _empty(schema: pa.Schema, more: dict[str, str]) -> str:
    types = {field.name: _DUCK_TYPES[field.type] for field in schema} | more
    columns = ", ".join(f"cast(null as {type_}) as {name}" for name, type_ in types.items())
    return f"select {columns} where false"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


# columns that the folder or the loader adds
_EVERYWHERE = {
    "archive": "Name of the archive.", "_dlt_load_id": "The load it came with.",
    "_dlt_id": "dlt's own row key.",
}
NEWEST_SLICES = f"""(
    select * from raw_{RAW_HARVESTS.name}
    qualify row_number() over (
        partition by archive, query, slice order by recorded_at desc, status = 'running', status
    ) = 1
)"""
"""Each slice as it stands, of all that was noted of it, to read from."""
_HARVESTS_SQL = f"""
    select
        archive, query, slice, announced, received, pages, cap, status,
        started_at at time zone 'UTC' as started_at, finished_at at time zone 'UTC' as finished_at, error
    from {NEWEST_SLICES}
"""
# a picture found to be a placeholder is a blank: curate says which, from what all archives answered
_IMAGES_SQL = f"""
    with

    newest as (
        select *, cast(count(*) over (partition by image_url) as integer) as attempts
        from raw_{RAW_IMAGES.name}
        qualify row_number() over (partition by image_url order by raw_images.fetched_at desc, status) = 1
    ),

    placed as (
        select
            sha256,
            'a placeholder: one picture at ' || max(n_urls) || ' addresses under '
                || max(n_titles) || ' titles' as found,
        from {PLACEHOLDERS.name} group by sha256
    )

    select
        image_url,
        case when status = 'ok' and found is not null then 'blank' else status end as status,
        http_status,
        case when status = 'ok' then coalesce(found, error) else error end as error,
        attempts,
        fetched_at at time zone 'UTC' as fetched_at,
        newest.* exclude (image_url, status, http_status, error, fetched_at, attempts),
        found is not null as is_placeholder,
    from newest
    left join placed using (sha256)
"""
