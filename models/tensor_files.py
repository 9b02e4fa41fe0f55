"""Tensors from files that others made, read without running anything that is in them."""

import json
import pickle
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from lake.errors import BadVectors

_NO_PT = (
    RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError, struct.error,
)
_NUMPY_FLOATS = (torch.float64, torch.float32, torch.float16)
IDS_KEYS = ("ids", "sample_ids", "record_ids", "keys", "names", "files")


@dataclass(frozen=True)
class TensorFile:
    """The one matrix of a file, and the names of its rows where the file has them."""

    matrix: NDArray[Any]
    ids: list[str] | None


def read_tensor_file(path: Path) -> TensorFile:
    """A .safetensors or .pt file; raises BadVectors where it holds more or less than one matrix."""
    held, ids = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pt(path)
    tensors = {name: one for name, one in held.items() if isinstance(one, torch.Tensor)}
    if len(tensors) == len(held) > 0 and all(one.ndim == 1 for one in tensors.values()):
        tensors, ids = {"rows": _stacked(path, tensors)}, list(held)
    tensors = {name: one for name, one in tensors.items() if one.ndim == 2}
    if len(tensors) != 1:
        names = ", ".join(tensors) or "none"
        raise BadVectors(f"{path} should hold one matrix (rows, dim); matrices there: {names}")
    return TensorFile(_array(path, next(iter(tensors.values()))), ids)


def _array(path: Path, tensor: torch.Tensor) -> NDArray[Any]:
    """The tensor for numpy, which knows neither bfloat16 nor floats of 8 bits, and nothing sparse."""
    try:
        is_short = tensor.is_floating_point() and tensor.dtype not in _NUMPY_FLOATS
        array: NDArray[Any] = (tensor.float() if is_short else tensor).numpy(force=True)
    except (TypeError, RuntimeError) as e:
        raise BadVectors(f"{path} holds no plain matrix of floats ({' '.join(str(e).split())[:200]})") from e
    return array


def _read_safetensors(path: Path) -> tuple[dict[str, Any], list[str] | None]:
    try:
        with safe_open(path, framework="pt") as file:
            held = {name: file.get_tensor(name) for name in file.keys()}   # noqa: SIM118 - no mapping
            noted = (file.metadata() or {}).get("ids")
    except (SafetensorError, OSError) as e:
        raise BadVectors(f"{path} is no safetensors file: {e}") from e
    try:
        ids = json.loads(noted) if noted is not None else None
    except ValueError as e:
        raise BadVectors(f"{path}: 'ids' in its metadata is no JSON list: {e}") from e
    return held, _as_ids(ids)


def _read_pt(path: Path) -> tuple[dict[str, Any], list[str] | None]:
    """A tensor, or a dict with one; torch's weights-only loader builds what it knows and calls nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")    # what torch says of other people's files helps nobody here
            held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as e:
        raise BadVectors(
            f"{path} holds more than tensors, lists and words, which is not read: it could run code"
        ) from e
    except _NO_PT as e:
        raise BadVectors(f"{path} is no .pt file that can be read: {' '.join(str(e).split())[:200]}") from e
    if not isinstance(held, Mapping):
        return {"": held}, None
    named = {str(name): one for name, one in held.items()}
    return named, next((ids for key in IDS_KEYS if (ids := _as_ids(named.get(key))) is not None), None)


def _as_ids(found: Any) -> list[str] | None:
    if isinstance(found, list | tuple) and all(isinstance(one, str | int) for one in found):
        return [str(one) for one in found]
    return None


def _stacked(path: Path, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
    lengths = {len(row) for row in rows.values()}
    if len(lengths) > 1:
        some = ", ".join(map(str, sorted(lengths)[:5]))
        raise BadVectors(f"the vectors of {path} have several lengths: {some}")
    return torch.stack(list(rows.values()))
