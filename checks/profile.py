"""What a lake's records look like, in some thousand numbers: kept with every run, to compare runs by.

A profile is rows of (archive, aspect, key, n): how many records there are, how many have a value in each
column, how many are of each year, label and provider. Archives stand apart, since each changes by itself.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from checks.kept import write_once
from lake import Lake
from lake.catalog import Connection, ask
from lake.tables import RECORDS, TEXTS

PROFILE_SCHEMA = pa.schema([
    ("archive", pa.string()), ("aspect", pa.string()), ("key", pa.string()), ("n", pa.int64()),
])
_KEYS = ("record_id", "archive", "native_id")
_COLUMNS = tuple(column for column in RECORDS.schema if column.name not in _KEYS)


def profile_of(con: Connection) -> pa.Table:
    """The profile of the records that a connection sees."""
    filled = ", ".join(f"{_n_filled(column)} as {column.name}" for column in _COLUMNS)
    names = ", ".join(column.name for column in _COLUMNS)
    sql = _SQL.format(filled=filled, names=names)
    return ask(con, sql).cast(PROFILE_SCHEMA)


def keep_profile(lake: Lake, profile: pa.Table, run_id: str) -> Path:
    """Keep the profile of a run, atomically; it is never changed."""
    return write_once(lake.check_profiles / f"{run_id}.parquet", profile)


def kept_profiles(lake: Lake) -> list[str]:
    """The runs whose profiles are kept, oldest first."""
    return sorted(path.stem for path in lake.check_profiles.glob("*.parquet"))


def read_profile(lake: Lake, run_id: str) -> pa.Table:
    """The profile of a run."""
    return pq.read_table(lake.check_profiles / f"{run_id}.parquet", schema=PROFILE_SCHEMA)


def _n_filled(column: pa.Field) -> str:
    test = f"len({column.name}) > 0" if column.type == TEXTS else f"{column.name} is not null"
    return f"count(*) filter ({test})"


_SQL = """
    with filled as (
        select archive, count(*) as n_records, {filled} from records group by archive
    )

    select archive, 'records' as aspect, '' as key, n_records as n from filled
    union all
    select archive, 'filled', key, n from (unpivot filled on {names} into name key value n)
    union all
    select archive, 'year', year::varchar, count(*) from records where year is not null group by archive, year
    union all
    select archive, 'provider', provider, count(*) from records where provider is not null
    group by archive, provider
    union all
    select archive, 'label', label, count(*) from (select archive, unnest(labels) as label from records)
    group by archive, label
    order by 1, 2, 3
"""
