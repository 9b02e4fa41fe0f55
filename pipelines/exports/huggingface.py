"""huggingface: Parquet shards with the pictures inside, as `datasets.load_dataset(folder)` reads them.

    data/<split>-00000.parquet     one row per sample: `image` (bytes as served, and a name), then its columns
    README.md                      the card; its first lines tell `datasets` which files make which split

Types are those of the lake and stand in each shard, so that a first row of nulls changes nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq

from lake import Lake
from pipelines.exports._croissant import (
    Description,
    column_field,
    data_type,
    file_set,
    image_column,
    record_set,
)
from pipelines.exports._draft import Draft
from pipelines.exports._picture import Picture
from pipelines.exports._reading import PictureFile, in_shards, with_files
from pipelines.exports._samples import SampleRows, feature_of, features_metadata, samples_schema
from pipelines.exports._selection import ExportOptions

FORMAT = "huggingface"
NOTES = (
    "datasets.load_dataset(FOLDER) gives the splits; no network is needed",
    "image holds the bytes as the archive served them; `datasets` turns them upright when it decodes",
)
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_ROWS_A_GROUP = 100
_BYTES_A_GROUP = 2**25

Loaded = tuple[Picture, PictureFile]


def write(lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:
    """Write the shards of each split."""
    rows = SampleRows(draft)
    loaded = with_files(lake, pictures, options.max_side)
    for split, members in groupby(loaded, key=lambda found: str(found[0].sample["split"])):
        for number, shard in enumerate(in_shards(members, options.shard_size)):
            path = f"data/{split}-{number:05}.parquet"
            draft.shards[path] = _write_shard(draft, path, shard, rows)


def describe(draft: Draft) -> Description:
    """The shards as one set of rows, and which of them make which split."""
    splits = sorted({path.removeprefix("data/").rsplit("-", 1)[0] for path in draft.shards})
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    source = {"fileSet": {"@id": "shards"}}
    columns = [
        column_field("pictures", source, column.name, column.type)
        for column in samples_schema(draft) if data_type(column.type)
    ]
    return Description(
        file_sets=(file_set("shards", "data/*.parquet", "application/x-parquet"),),
        record_sets=(record_set("pictures", "One row per sample, with its picture.",
                                [image_column("pictures", "shards", "image"), *columns]),),
        configs=[{"config_name": "default", "data_files": files}],
    )


def _write_shard(draft: Draft, path: str, shard: Iterator[Loaded], rows: SampleRows) -> int:
    columns = samples_schema(draft)
    features = {"image": {"_type": "Image"}, **{column.name: feature_of(column.type) for column in columns}}
    schema = pa.schema([("image", _IMAGE), *columns], metadata=features_metadata(features))
    n_samples = 0
    with draft.open(path) as file, pq.ParquetWriter(file, schema, use_dictionary=columns.names) as writer:
        for group in _groups(shard):
            table = rows.take(len(group))
            _require_same(table, group)
            images = pa.array([_image_of(*found) for found in group], type=_IMAGE)
            writer.write_table(pa.table([images, *table.columns], schema=schema))
            n_samples += len(group)
    return n_samples


def _groups(shard: Iterator[Loaded]) -> Iterator[list[Loaded]]:
    """Pictures that go into one row group: a reader holds all of it."""
    group: list[Loaded] = []
    n_bytes = 0
    for picture, file in shard:
        group.append((picture, file))
        n_bytes += len(file.content)
        if len(group) >= _ROWS_A_GROUP or n_bytes >= _BYTES_A_GROUP:
            yield group
            group, n_bytes = [], 0
    if group:
        yield group


def _image_of(picture: Picture, file: PictureFile) -> dict[str, object]:
    return {"bytes": file.content, "path": f"{picture.sample_id}.{file.extension}"}


def _require_same(table: pa.Table, group: list[Loaded]) -> None:
    if table["sample_id"].to_pylist() != [picture.sample_id for picture, _ in group]:
        raise AssertionError("the rows and the pictures of this export are not in the same order")
