"""Vectors → pairs of pictures whose embeddings are near, in `raw/near_vectors` for the SQL to read.

Pairs are named by the pictures' bytes. One that was found stays on file while it cannot be compared
again: when two samples become one, only one of them is embedded from then on, and without the pair they
would fall apart.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lake import Lake
from lake.drafts import whole_file
from lake.tables import RAW_NEAR_VECTORS
from lake.vectors import VectorStore

log = logging.getLogger(__name__)

Pairs = dict[tuple[str, ...], float]    # two pictures and the model → cosine

_ROWS = 1024      # of the matrix, multiplied at once
_MOST = 64        # neighbours a picture, the nearest
_DIGITS = 5       # of a cosine of float32


def write_near_pairs(lake: Lake, distance: float) -> int:
    """Compare the samples' vectors of the newest model, each with each; how many pairs are on file then.

    `distance` is 1 - cosine. Without samples or vectors nothing is written, and a warning says so.
    """
    store = VectorStore(lake)
    models = store.models()
    if not models or not lake.mart("samples").exists():
        log.warning("no embeddings to compare yet; run `glamlake embed`, then curate again")
        return 0
    model_id = models[0].model_id
    samples = pq.read_table(lake.mart("samples"), columns=["sample_id", "sha256"])
    sha256 = dict(zip(samples["sample_id"].to_pylist(), samples["sha256"].to_pylist(), strict=True))
    missing = set(store.missing(model_id, sha256))
    held, vectors = store.vectors(model_id, sorted(set(sha256) - missing))
    pairs = {
        (*sorted((sha256[held[a]], sha256[held[b]])), model_id): cosine
        for a, b, cosine in near_pairs(vectors.astype(np.float32), 1 - distance)
    }
    path = lake.raw / RAW_NEAR_VECTORS.name / f"{model_id}.parquet"
    pairs |= _no_longer_compared(_on_file(path), {sha256[sample_id] for sample_id in held})
    _write(path, [(*key, cosine) for key, cosine in sorted(pairs.items())])
    log.info("compared vectors model=%s vectors=%d pairs=%d", model_id, len(held), len(pairs))
    return len(pairs)


def near_pairs(vectors: NDArray[np.float32], least: float) -> Iterator[tuple[int, int, float]]:
    """Rows a < b whose cosine, to five digits, is at least so much; of many only the nearest.

    Vectors kept as float16 are not quite of length 1, and rounding leaves a vector with itself below 1.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    least = round(least, _DIGITS) - 0.5 * 10**-_DIGITS
    for first in range(0, len(vectors), _ROWS):
        cosines = vectors[first:first + _ROWS] @ vectors[first:].T
        cosines[np.tril_indices(len(cosines), m=cosines.shape[1])] = -1
        for row, of_one in enumerate(cosines):
            near = np.flatnonzero(of_one >= least)
            for place in near[np.argsort(-of_one[near], kind="stable")[:_MOST]]:
                yield first + row, first + int(place), round(float(of_one[place]), _DIGITS)


def _no_longer_compared(pairs: Pairs, compared: set[str]) -> Pairs:
    """Those of which one picture has no vector now; of the others the vectors as they are now tell."""
    return {key: cosine for key, cosine in pairs.items() if not compared.issuperset(key[:2])}


def _on_file(path: Path) -> Pairs:
    if not path.exists():
        return {}
    columns = [column.to_pylist() for column in pq.read_table(path, schema=RAW_NEAR_VECTORS.schema).columns]
    return {tuple(key): cosine for *key, cosine in zip(*columns, strict=True)}


def _write(path: Path, rows: list[tuple[object, ...]]) -> None:
    schema = RAW_NEAR_VECTORS.schema
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    with whole_file(path) as draft:
        pq.write_table(table, draft, compression="zstd")
