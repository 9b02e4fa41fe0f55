"""`samples.parquet`, which every export carries: its samples in order, whatever the format makes of them.

The columns are those of `samples` but the path in the lake, with what one needs of the records to name a
picture's holder: `providers`, `rights_uris`, `landing_urls`. `export diff` reads it.
"""

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from lake.catalog import ask
from pipelines.exports._draft import Draft
from pipelines.exports._selection import Selection

SAMPLES_FILE = "samples.parquet"


def write_samples(selection: Selection, draft: Draft) -> None:
    """Write the rows, a page at a time."""
    writer = None
    with draft.open(SAMPLES_FILE) as file:
        for table in _tables(selection):
            writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()


def samples_schema(draft: Draft) -> pa.Schema:
    """Columns and types of the samples of this export."""
    return pq.read_schema(draft.folder / SAMPLES_FILE)


class SampleRows:
    """The rows of `samples.parquet`, taken from the top: what a format writes beside its pictures."""

    def __init__(self, draft: Draft) -> None:
        self._file = pq.ParquetFile(draft.folder / SAMPLES_FILE)
        self._batches: Iterator[pa.RecordBatch] = self._file.iter_batches(2000)
        self._rest = self._file.schema_arrow.empty_table()

    def take(self, n: int) -> pa.Table:
        """The next n rows."""
        while len(self._rest) < n:
            self._rest = pa.concat_tables([self._rest, pa.Table.from_batches([next(self._batches)])])
        taken, self._rest = self._rest.slice(0, n), self._rest.slice(n)
        return taken


def feature_of(kind: pa.DataType) -> dict[str, object]:
    """A column's type in the words of Hugging Face's `datasets`."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return {"feature": feature_of(kind.value_type), "_type": "Sequence"}
    if pa.types.is_fixed_size_list(kind):
        inner = feature_of(kind.value_type)
        return {"feature": inner, "length": kind.list_size, "_type": "Sequence"}
    names = {pa.float64(): "float64", pa.float32(): "float32"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}


def features_metadata(features: Mapping[str, object]) -> dict[str, str]:
    """What `datasets` reads from a Parquet schema, so that nothing has to be guessed from first rows."""
    return {"huggingface": json.dumps({"info": {"features": features}})}


def _tables(selection: Selection) -> Iterator[pa.Table]:
    for page in selection.pages():
        yield ask(selection.con, _SAMPLES, [page])


_SAMPLES = """
    with

    page as (
        select * exclude (path)
        from samples
        semi join (select unnest(?) as sample_id) as wanted using (sample_id)
    ),

    about as (
        select
            members.sample_id,
            list_sort(list(distinct provider) filter (provider is not null)) as providers,
            list_sort(list(distinct rights_uri) filter (rights_uri is not null)) as rights_uris,
            list_sort(list(distinct landing_url) filter (landing_url is not null)) as landing_urls
        from (select sample_id, unnest(record_ids) as record_id from page) as members
        inner join records using (record_id)
        group by members.sample_id
    )

    select page.*, about.* exclude (sample_id)
    from page
    left join about using (sample_id)
    order by split, sample_id
"""
