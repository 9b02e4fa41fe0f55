"""Vectors that were made elsewhere, as files: what is in them, checked before any of it is taken.

    .parquet       a column of names and a column of lists
    .npy           a matrix; names beside
    .safetensors   a matrix; names as JSON in the metadata under 'ids', or beside
    .pt            a matrix, or a dict of a matrix and a list of names, or of names and their vectors

Names lie beside in FILE's folder: FILE's stem and .ids.txt, .txt, .json, .csv, .ids.npy or .ids.parquet, or
sample_ids.txt (what `glamlake export vectors` writes). Nothing is unpickled that could run code.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lake.errors import BadVectors

ID_COLUMNS = ("sample_id", "record_id", "sha256", "image_url", "id")
_BESIDE = (".ids.txt", ".txt", ".ids.json", ".json", ".ids.csv", ".csv", ".ids.npy", ".ids.parquet")
_ROWS_AT_ONCE = 4096
_NO_LENGTH = 1e-12


@dataclass(frozen=True)
class VectorFile:
    """Vectors (rows, dim) and the names of their rows, checked: finite, none of length 0, each name once."""

    ids: list[str]
    matrix: NDArray[Any]

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return int(self.matrix.shape[1])

    def rows(self, places: Sequence[int]) -> NDArray[np.float32]:
        """These rows, brought to length 1."""
        part = np.asarray(self.matrix[list(places)], dtype=np.float64)
        rows: NDArray[np.float32] = (part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32)
        return rows


def read_vector_file(path: Path, ids_file: Path | None = None) -> VectorFile:
    """A file's vectors and names; raises BadVectors, which says what is wrong and where."""
    readers: dict[str, Callable[[Path], tuple[NDArray[Any], list[str] | None]]] = {
        ".parquet": _read_parquet, ".npy": _read_npy, ".safetensors": _read_tensors, ".pt": _read_tensors,
        ".pth": _read_tensors,
    }
    if not path.is_file():
        raise BadVectors(f"there is no file {path}; --import wants a file of vectors")
    if path.suffix not in readers:
        raise BadVectors(f"{path}: vectors come as {', '.join(readers)}")
    matrix, ids = readers[path.suffix](path)
    if ids_file is not None or ids is None:
        ids = read_ids(ids_file or _ids_beside(path))
    _check(path, matrix, ids)
    return VectorFile(ids, matrix)


def read_ids(path: Path) -> list[str]:
    """The names of a matrix's rows, in their order."""
    readers: dict[str, Callable[[Path], list[str]]] = {
        ".txt": _ids_of_lines, ".json": _ids_of_json, ".csv": _ids_of_csv, ".npy": _ids_of_npy,
        ".parquet": _ids_of_parquet,
    }
    if path.suffix not in readers:
        raise BadVectors(f"{path}: names of rows come as {', '.join(readers)}")
    try:
        return readers[path.suffix](path)
    except (OSError, ValueError, csv.Error, RecursionError) as e:
        raise BadVectors(f"cannot read the names of rows in {path}: {' '.join(str(e).split())[:200]}") from e


def _ids_beside(path: Path) -> Path:
    tried = [path.with_name(path.stem + ending) for ending in _BESIDE] + [path.with_name("sample_ids.txt")]
    there = [place for place in tried if place.is_file()]
    if not there:
        raise BadVectors(f"{path} does not name its rows: put {tried[0].name} beside it, or give --ids")
    return there[0]


def _check(path: Path, matrix: NDArray[Any], ids: Sequence[str]) -> None:
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise BadVectors(f"{path} has the shape {matrix.shape}; vectors are a matrix, (rows, dim), not empty")
    if not np.issubdtype(matrix.dtype, np.floating):
        raise BadVectors(f"{path} holds {matrix.dtype}; vectors are floats")
    if len(ids) != len(matrix):
        raise BadVectors(f"{path} has {len(matrix)} vectors, but {len(ids)} names for them")
    name, n = Counter(ids).most_common(1)[0]
    if n > 1:
        raise BadVectors(f"{path} has {n} vectors for {name!r}; give one each")
    for start, part in _parts(matrix):
        lengths = np.linalg.norm(part, axis=1)
        wrong = ~np.isfinite(lengths) | (lengths < _NO_LENGTH)
        if wrong.any():
            place = start + int(wrong.argmax())
            what = "NaN or infinity" if not np.isfinite(lengths[place - start]) else "nothing but zeros"
            raise BadVectors(f"{path}: the vector of {ids[place]!r} (row {place}) has {what} in it")


def _parts(matrix: NDArray[Any]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        yield start, np.asarray(matrix[start:start + _ROWS_AT_ONCE], dtype=np.float64)


def _read_npy(path: Path) -> tuple[NDArray[Any], None]:
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as e:
        raise BadVectors(f"{path} is no array of numbers: {' '.join(str(e).split())[:200]}") from e
    if not isinstance(loaded, np.ndarray):
        raise BadVectors(f"{path} is an archive of arrays; give one .npy")
    return loaded, None


def _read_tensors(path: Path) -> tuple[NDArray[Any], list[str] | None]:
    from models.tensor_files import read_tensor_file  # seconds: torch

    file = read_tensor_file(path)
    return file.matrix, file.ids


def _read_parquet(path: Path) -> tuple[NDArray[Any], list[str] | None]:
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        vectors = [field.name for field in schema if _is_vector(field.type)]
        names = [name for name in ID_COLUMNS if name in schema.names][:1]
        if len(vectors) != 1:
            have = ", ".join(vectors) or "none"
            raise BadVectors(f"{path} should have one column of lists of floats; of such it has: {have}")
        if twice := [name for name in (*names, *vectors) if schema.names.count(name) > 1]:
            raise BadVectors(f"{path} has several columns {twice[0]!r}; give it one")
        table = file.read([*names, vectors[0]])
    except (pa.ArrowException, OSError) as e:
        why = " ".join(str(e).split())[:200]
        raise BadVectors(f"{path} is no Parquet file that can be read: {why}") from e
    return _matrix(path, table[vectors[0]]), _texts(path, table[names[0]]) if names else None


def _is_vector(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def _matrix(path: Path, column: pa.ChunkedArray) -> NDArray[Any]:
    whole = column.combine_chunks()
    flat = whole.flatten()
    if whole.null_count or flat.null_count:
        raise BadVectors(f"{path}: a vector in {len(whole)} is missing, or a number in one")
    lengths = set(whole.value_lengths().unique().to_pylist()) if len(whole) else {0}
    if len(lengths) > 1:
        some = ", ".join(map(str, sorted(lengths)[:5]))
        raise BadVectors(f"the vectors of {path} have several lengths: {some}")
    matrix: NDArray[Any] = flat.to_numpy(zero_copy_only=False).reshape(len(whole), lengths.pop())
    return matrix


def _texts(path: Path, column: pa.ChunkedArray) -> list[str]:
    if column.null_count:
        raise BadVectors(f"{path}: {column.null_count} of {len(column)} rows have no name")
    return [str(one) for one in column.to_pylist()]


def _ids_of_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").rstrip("\r\n").splitlines()


def _ids_of_json(path: Path) -> list[str]:
    """A list, or an object of names and rows, whichever way round."""
    held = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(held, Mapping) and all(isinstance(one, str | int) for one in held.values()):
        is_by_row = all(str(key).isdigit() for key in held)
        by_row = held if is_by_row else {row: name for name, row in held.items()}
        rows = sorted((int(row), str(name)) for row, name in by_row.items())
        if [row for row, _ in rows] != list(range(len(rows))):
            raise ValueError("its rows are not numbered 0, 1, 2 …")
        return [name for _, name in rows]
    if not isinstance(held, list) or not all(isinstance(one, str | int) for one in held):
        raise ValueError("it is neither a list of names nor an object of names and rows")
    return [str(one) for one in held]


def _ids_of_csv(path: Path) -> list[str]:
    """The column whose heading is one of ID_COLUMNS, else the first; the first line is the heading."""
    with path.open(encoding="utf-8-sig", newline="") as f:
        heading, *lines = [line for line in csv.reader(f) if line] or [[""]]
    column = next((heading.index(name) for name in ID_COLUMNS if name in heading), 0)
    if any(len(line) <= column for line in lines):
        raise ValueError(f"a line has no column {heading[column]!r}")
    return [line[column] for line in lines]


def _ids_of_npy(path: Path) -> list[str]:
    loaded = np.load(path, allow_pickle=False)
    if not isinstance(loaded, np.ndarray) or loaded.ndim != 1:
        raise ValueError("it is no list")
    return [one.decode() if isinstance(one, bytes) else str(one) for one in loaded.tolist()]


def _ids_of_parquet(path: Path) -> list[str]:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    if not names:
        raise ValueError("it has no columns")
    place = next((names.index(name) for name in ID_COLUMNS if name in names), 0)
    return _texts(path, file.read(columns=[names[place]]).column(0))
