"""vectors: a model's embeddings, for those who search or cluster and need no pictures.

    vectors.npy        float32, one row of length 1 per sample
    sample_ids.txt     the sample of each row, one a line
    vectors.parquet    the same rows: sample_id, sha256 of the picture, split, vector
    model.json         which model: its id, weights, preprocessing, and how many samples it has no vector for

Samples without a vector of the picture they have now are left out and counted.
"""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lake import Lake
from lake.errors import ExportError
from lake.vectors import ModelInfo, VectorStore
from models.encoder import embedded_model
from pipelines.exports._croissant import Description, column_field, record_set
from pipelines.exports._draft import Draft
from pipelines.exports._picture import Picture, plain_json
from pipelines.exports._samples import feature_of, features_metadata
from pipelines.exports._selection import ExportOptions

FORMAT = "vectors"
NOTES = (
    "numpy.load('vectors.npy') is (samples, dim) float32; line i of sample_ids.txt names the sample of row i",
    "rows have length 1: a dot product is the cosine. Compare only with vectors of the same model_id",
)
_ROWS_A_PAGE = 4000


@dataclass(frozen=True)
class _Row:
    sample_id: str
    sha256: str
    split: str


def settle(lake: Lake, options: ExportOptions) -> ExportOptions:
    """The same options with the model named; raises EmptyLake where nothing is embedded."""
    return replace(options, model_id=embedded_model(lake, options.model_id).model_id)


def write(lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:
    """Write the vectors, the ids of their rows, and what made them."""
    info, store = embedded_model(lake, options.model_id), VectorStore(lake)
    asked = [_Row(p.sample_id, str(p.sample["sha256"]), str(p.sample["split"])) for p in pictures]
    missing = set(store.missing(info.model_id, {row.sample_id: row.sha256 for row in asked}))
    rows = [row for row in asked if row.sample_id not in missing]
    if not rows:
        raise ExportError(f"no sample here has a vector of {info.model_id}; run `glamlake embed` first")
    _write_rows(draft, info, rows, _pages(store, info.model_id, rows))
    draft.put("sample_ids.txt", "".join(f"{row.sample_id}\n" for row in rows).encode())
    draft.put("model.json", _model_text(info, len(rows), len(missing)))


def describe(draft: Draft) -> Description:
    """The Parquet file as rows; NumPy's own format is none that Croissant knows."""
    schema = pq.read_schema(draft.folder / "vectors.parquet")
    source = {"fileObject": {"@id": "vectors.parquet"}}
    fields = [column_field("vectors", source, column.name, column.type) for column in schema]
    return Description(
        files=("vectors.parquet", "vectors.npy", "sample_ids.txt", "model.json"),
        record_sets=(record_set("vectors", "One vector per sample, of length 1.", fields),),
        configs=[{"config_name": "default", "data_files": "vectors.parquet"}],
    )


def _write_rows(
    draft: Draft, info: ModelInfo, rows: Sequence[_Row], pages: Iterator[NDArray[np.float32]]
) -> None:
    schema = _schema(info)
    with ExitStack() as stack:
        matrix = stack.enter_context(draft.open("vectors.npy"))
        table = stack.enter_context(draft.open("vectors.parquet"))
        writer = stack.enter_context(pq.ParquetWriter(table, schema, compression="zstd"))
        matrix.write(_npy_header(len(rows), info.dim))
        start = 0
        for page in pages:
            matrix.write(page.astype("<f4").tobytes())
            writer.write_table(_table(rows[start:start + len(page)], page, schema))
            start += len(page)


def _pages(store: VectorStore, model_id: str, rows: Sequence[_Row]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(rows), _ROWS_A_PAGE):
        wanted = [row.sample_id for row in rows[start:start + _ROWS_A_PAGE]]
        held, page = store.vectors(model_id, wanted)
        if held != wanted:
            raise ExportError(f"the vectors of {model_id} changed during the export; run it again")
        yield page


def _schema(info: ModelInfo) -> pa.Schema:
    columns: list[tuple[str, pa.DataType]] = [
        ("sample_id", pa.string()), ("sha256", pa.string()), ("split", pa.string()),
        ("vector", pa.list_(pa.float32(), info.dim)),
    ]
    features = {name: feature_of(kind) for name, kind in columns}
    return pa.schema(columns, metadata={
        **features_metadata(features), "model": plain_json(_model_facts(info)),
    })


def _table(rows: Sequence[_Row], page: NDArray[np.float32], schema: pa.Schema) -> pa.Table:
    return pa.table([
        pa.array([row.sample_id for row in rows]), pa.array([row.sha256 for row in rows]),
        pa.array([row.split for row in rows]),
        pa.FixedSizeListArray.from_arrays(pa.array(page.ravel()), page.shape[1]),
    ], schema=schema)


def _npy_header(n: int, dim: int) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (n, dim)},
    )
    return header.getvalue()


def _model_text(info: ModelInfo, n_vectors: int, n_missing: int) -> bytes:
    facts = {**_model_facts(info), "n_vectors": n_vectors, "n_samples_without_vector": n_missing}
    return (json.dumps(facts, ensure_ascii=False, indent=2) + "\n").encode()


def _model_facts(info: ModelInfo) -> dict[str, object]:
    """What is known of the model, less what is only true of this lake."""
    return {key: value for key, value in asdict(info).items() if key not in ("checkpoint", "embedded_at")}
