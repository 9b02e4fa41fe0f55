"""Vectors made elsewhere into the lake, under the name of the model that made them.

They never join vectors that `embed` made. Words and pictures can be searched in them where the model is
told: then its own vectors of a few pictures must be those of the file.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lake import Lake, catalog
from lake.errors import BadVectors, EncoderError, UsageError
from lake.freshness import keep_fresh
from lake.vectors import ModelInfo, VectorRow, VectorStore
from models.encoder import IMPORTED, EncoderSpec, info_of, load_encoder, spec_of_options
from models.pictures import open_picture
from pipelines.embed import alone, kept_as
from pipelines.progress import progress
from pipelines.vector_files import VectorFile, read_vector_file

if TYPE_CHECKING:
    from PIL.Image import Image

    from models.clip import Encoder

log = logging.getLogger(__name__)

SAME_MODEL = 0.9        # cosine; other sizes of a picture cost a hundredth, another model all of it
PICTURES_COMPARED = 8
_ROWS_A_COMMIT = 4096
_NAMES_OF = {
    "sample_id": "sample_id from samples",
    "sha256": "sha256 from samples",
    "record_id": "unnest(record_ids) from samples",
    "image_url": "records.image_url from (select sample_id, sha256, path, unnest(record_ids) as record_id"
    " from samples) join records using (record_id)",
}


@dataclass(frozen=True)
class ImportOptions:
    """What a file of vectors is: `encoder` made them, if told; `known_only` passes over unknown names."""

    model_id: str
    ids_file: Path | None = None
    encoder: EncoderSpec | None = None
    dtype: str | None = None
    known_only: bool = False


@dataclass(frozen=True)
class ImportReport:
    """How many samples got a vector, and how many names are of none."""

    model_id: str
    imported: int
    unknown: int


@dataclass(frozen=True)
class _Place:
    """A row of the file and the sample it is of."""

    row: int
    sample_id: str
    sha256: str
    path: Path


def import_options(options: Mapping[str, Any]) -> ImportOptions:
    """Options from the command line's; raises UsageError without a name for the model."""
    if not options.get("model_id"):
        raise UsageError("--import wants --name MODEL_ID: what to call the model that made the vectors")
    if options.get("shard"):
        raise UsageError("--shard goes with making vectors; --import takes a whole file, in one process")
    keys = ("model", "pretrained", "checkpoint")
    named = {key: options[key] for key in keys if options.get(key) is not None}
    return ImportOptions(
        options["model_id"], options.get("ids_file"), spec_of_options(named) if named else None,
        options.get("dtype"), bool(options.get("known_only")),
    )


def import_vectors(lake: Lake, path: Path, options: ImportOptions) -> ImportReport:
    """Take a file's vectors: all of them or, where anything is wrong with the file, none.

    Raises BadVectors for a file that is not as it should be, UsageError for a name that cannot be,
    EncoderError where the model that is told cannot be loaded.
    """
    _check_name(options.model_id)
    catalog.require_mart(lake, "samples", "curate")
    file = read_vector_file(path, options.ids_file)
    places = _places(lake, path, file, options.known_only)
    with alone(lake):
        store = VectorStore(lake)
        info = kept_as(store, _info(lake, path, file, places, options), options.dtype)
        _check_joins(store, info)
        store.prepare(info)
        _write(store, info.model_id, file, places)
        store.register(info)
        keep_fresh(lake, info.model_id, store)
    unknown = len(file.ids) - len(places)
    log.info("imported vectors model=%s new=%d unknown=%d", info.model_id, len(places), unknown)
    return ImportReport(info.model_id, len(places), unknown)


def _check_name(model_id: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", model_id):
        raise UsageError(
            f"--name {model_id[:99]!r} is no name: at most 100 letters and digits, then also '.', '_' and '-'"
        )


def _places(lake: Lake, path: Path, file: VectorFile, known_only: bool) -> list[_Place]:
    """Rows and their samples; of two rows of one sample (two of its records) the first counts."""
    kind, known = _best_kind(lake, file.ids)
    unknown = [name for name in file.ids if name not in known]
    if len(unknown) == len(file.ids) or (unknown and not known_only):
        some = ", ".join(map(repr, unknown[:3]))
        none = len(unknown) == len(file.ids)
        kinds = " or ".join(_NAMES_OF) if none else kind
        more = "" if none else "; --known-only passes over them"
        raise BadVectors(
            f"{path}: {len(unknown)} of {len(file.ids)} names are no {kinds} of a sample here ({some}){more}"
        )
    places: dict[str, _Place] = {}
    for row, name in enumerate(file.ids):
        if name in known:
            sample_id, sha256, picture = (str(known[name][key]) for key in ("sample_id", "sha256", "path"))
            places.setdefault(sample_id, _Place(row, sample_id, sha256, lake.root / picture))
    return list(places.values())


def _best_kind(lake: Lake, ids: Sequence[str]) -> tuple[str, dict[str, Mapping[str, object]]]:
    """Which of a sample's names the rows are called by, and the samples by that name."""
    best: tuple[str, dict[str, Mapping[str, object]]] = ("sample_id", {})
    found = 0
    for kind, sql in _NAMES_OF.items():
        column, _, source = sql.partition(" from ")
        columns = f"sample_id, sha256, path, {column} as name"
        rows = catalog.rows(lake, f"select {columns} from {source} order by sample_id desc")
        known: dict[str, Mapping[str, object]] = {str(row["name"]): row for row in rows}
        matches = sum(name in known for name in ids)
        if matches > found:
            best, found = (kind, known), matches
    return best


def _info(
    lake: Lake, path: Path, file: VectorFile, places: Sequence[_Place], options: ImportOptions,
) -> ModelInfo:
    source = f"{IMPORTED}{options.model_id}"
    if options.encoder is None:
        return ModelInfo(options.model_id, file.dim, "", "", checkpoint=None, source=source)
    encoder = load_encoder(options.encoder)
    _check_same_model(path, file, places, encoder)
    told = info_of(options.encoder, encoder, lake)
    return ModelInfo(**asdict(told) | {"model_id": options.model_id, "source": source})


def _check_same_model(path: Path, file: VectorFile, places: Sequence[_Place], encoder: "Encoder") -> None:
    """Raises BadVectors unless the encoder's own vectors of a few of the pictures are those of the file."""
    if encoder.dim != file.dim:
        raise BadVectors(
            f"{path} has vectors of {file.dim} numbers; those of {encoder.model_id} have {encoder.dim}"
        )
    some = places[::max(1, len(places) // PICTURES_COMPARED)][:PICTURES_COMPARED]
    seen = [(place, picture) for place in some if (picture := _picture(place.path)) is not None]
    if not seen:
        raise BadVectors(
            f"{path}: none of its pictures can be read, to compare it with {encoder.model_id}; see "
            "`glamlake verify`"
        )
    ours = encoder.encode_images([picture for _, picture in seen])
    cosine = float(np.median((ours * file.rows([place.row for place, _ in seen])).sum(axis=1)))
    if cosine < SAME_MODEL:
        raise BadVectors(
            f"{path} is not of {encoder.model_id}: the cosine between its vectors and that model's own "
            f"is {cosine:.2f}; name the model that made them, or none"
        )


def _picture(path: Path) -> "Image | None":
    try:
        return open_picture(path)
    except EncoderError:
        return None


def _check_joins(store: VectorStore, info: ModelInfo) -> None:
    """Raises UsageError where the name is that of other vectors."""
    for known in store.models():
        same = (known.source, known.dim, known.fingerprint) == (info.source, info.dim, info.fingerprint)
        if known.model_id == info.model_id and not same:
            raise UsageError(f"{info.model_id} is the name of other vectors in this lake; give another")


def _write(store: VectorStore, model_id: str, file: VectorFile, places: Sequence[_Place]) -> None:
    with progress(len(places), "importing", unit="vector") as done:
        for start in range(0, len(places), _ROWS_A_COMMIT):
            part = places[start:start + _ROWS_A_COMMIT]
            vectors = file.rows([place.row for place in part])
            rows = zip(part, vectors, strict=True)
            store.add(model_id, [VectorRow(place.sample_id, place.sha256, vector) for place, vector in rows])
            done.update(len(part))
