"""A map of the samples: their vectors laid out in the plane so that what is alike lies close.

It is made once and kept. The first principal components of some vectors, the landmarks, are laid out by
t-SNE; every other sample is placed among the landmarks most like it. The same vectors and seed give the same
map.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lake.catalog import ask, connect, require_mart
from lake.drafts import whole_file
from lake.errors import EmptyLake, LakeError
from lake.layout import Lake
from lake.vectors import VectorStore

Points = NDArray[np.float32]

_COMPONENTS = 50
_NEAREST = 5
_CHUNK = 4096
_MOST_AREAS = 24
_FEW = 5    # that t-SNE has nothing to do with


def map_path(lake: Lake, model_id: str) -> Path:
    """Where the map of one model's vectors lies."""
    return lake.vectors / f"{model_id}.map.parquet"


def make_map(
    lake: Lake, model_id: str | None = None, points: int = 20_000, landmarks: int = 3_000, seed: int = 42,
) -> Path:
    """Lay out up to so many samples and write `map_path`; without a model, that of the newest vectors.

    Where there are more samples, those with the lowest ids are taken: ids are hashes, so that is a fair draw.
    Raises EmptyLake without samples or vectors.
    """
    require_mart(lake, "samples", "curate")
    store = VectorStore(lake)
    models = [info.model_id for info in store.models() if model_id in (None, info.model_id)]
    if not models:
        which = f" of {model_id!r}" if model_id else ""
        raise EmptyLake(f"the lake has no vectors{which} to make a map of; run `glamlake embed` first")
    with connect(lake) as con:
        sql = f"select sample_id from samples order by sample_id limit {int(points)}"
        ids: list[str] = ask(con, sql)["sample_id"].to_pylist()
    held, vectors = store.vectors(models[0], ids)
    placed = project(vectors, landmarks, seed)
    areas = find_areas(placed, seed)
    table = pa.table({"sample_id": held, "x": placed[:, 0], "y": placed[:, 1], "area": areas})
    return _write(map_path(lake, models[0]), table)


def read_map_points(lake: Lake, model_id: str) -> pa.Table | None:
    """sample_id, x and y (0 to 1) and area of every point; None where no map was made.

    Raises LakeError for a broken file.
    """
    path = map_path(lake, model_id)
    try:
        return pq.read_table(path)
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError) as e:
        raise LakeError(f"{path} cannot be read; run `glamlake map` again") from e


def project(vectors: NDArray[np.float32], landmarks: int = 3_000, seed: int = 42) -> Points:
    """Places in the unit square, one row for each vector."""
    components = _principal_components(vectors.astype(np.float32))
    n = len(components)
    if n < _FEW:
        return _into_unit_square(_flat(components))
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:landmarks])
    laid = _laid_out(components[chosen], seed)
    placed = np.empty((n, 2), dtype=np.float32)
    placed[chosen] = laid
    others = np.setdiff1d(np.arange(n), chosen)
    for start in range(0, len(others), _CHUNK):
        part = others[start:start + _CHUNK]
        placed[part] = _among(components[part], components[chosen], laid)
    return _into_unit_square(placed)


def find_areas(placed: Points, seed: int = 42) -> NDArray[np.int16]:
    """A number for each point: neighbourhoods of the map, so that it can also be read as a list."""
    n_distinct = len(np.unique(placed, axis=0))
    n_areas = max(1, min(_MOST_AREAS, round(len(placed) ** 0.5 / 2), n_distinct))
    if len(placed) <= n_areas:
        return np.zeros(len(placed), dtype=np.int16)
    from sklearn.cluster import KMeans  # a second to import
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        areas = KMeans(n_areas, n_init=2, random_state=seed).fit_predict(placed)
    found: NDArray[np.int16] = areas.astype(np.int16)
    return found


def _principal_components(vectors: Points) -> Points:
    if not len(vectors):
        return np.zeros((0, 2), dtype=np.float32)
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :_COMPONENTS]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])    # else a library's choice
    components: Points = (centred @ (axes * signs)).astype(np.float32)
    return components


def _laid_out(components: Points, seed: int) -> Points:
    """Places of the rows by t-SNE; equal rows get one place (many of them make it divide by nothing)."""
    distinct, which = np.unique(components.round(5), axis=0, return_inverse=True)
    if len(distinct) < _FEW:
        return _flat(components)
    from sklearn.manifold import TSNE  # a second to import
    from threadpoolctl import threadpool_limits

    start = (distinct[:, :2] / distinct[:, 0].std() * 1e-4).astype(np.float32)
    tsne = TSNE(2, perplexity=min(30.0, (len(distinct) - 1) / 3), init=start, random_state=seed, n_jobs=1)
    with threadpool_limits(1):    # its threads wait by spinning: on a busy machine ten times as long
        laid: Points = tsne.fit_transform(distinct).astype(np.float32)
    return laid[which.ravel()]


def _flat(components: Points) -> Points:
    """The first two columns, whether or not there are as many."""
    return np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))[:, :2]


def _among(components: Points, landmarks: Points, laid: Points) -> Points:
    """Each row at the weighted mean of the places of the landmarks nearest to it."""
    squares = (landmarks**2).sum(axis=1) - 2 * components @ landmarks.T
    k = min(_NEAREST, len(landmarks))
    nearest = np.argpartition(squares, k - 1, axis=1)[:, :k]
    distances = np.take_along_axis(squares, nearest, axis=1) + (components**2).sum(axis=1, keepdims=True)
    weights = 1 / np.maximum(distances, 1e-6)**2
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("nk,nkd->nd", weights, laid[nearest]).astype(np.float32)    # type: ignore[no-any-return]


def _into_unit_square(placed: Points) -> Points:
    """Turned so that it is broader than high, then shrunk evenly into the square around its middle."""
    if not len(placed):
        return placed
    placed = _principal_components(placed)
    low, high = placed.min(axis=0), placed.max(axis=0)
    span = max(float((high - low).max()), 1e-9)
    centred = (placed - (low + high) / 2) / span + 0.5
    return centred.astype(np.float32)    # type: ignore[no-any-return]


def _write(path: Path, table: pa.Table) -> Path:
    with whole_file(path) as draft:
        pq.write_table(table, draft)
    return path
