"""Samples without a vector → pictures → vectors: only what is missing, whole batches in one commit.

Killed at any moment and run again it goes on after the last commit. Several machines share by shards.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from filelock import FileLock, Timeout

from lake import Lake, catalog
from lake.errors import EmptyLake, EncoderError, LakeBusy, UsageError
from lake.freshness import keep_fresh
from lake.vectors import ModelInfo, VectorRow, VectorStore, is_conflict
from models.encoder import EncoderSpec, info_of, load_encoder, source_of, spec_of_options
from pipelines.progress import progress
from pipelines.shard import WHOLE, Shard

if TYPE_CHECKING:
    from models.clip import Encoder

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 1.0            # a commit costs 20 ms, a kill this much work
COMPACT_EVERY_N_COMMITS = 200   # what each commit writes grows with the number of files there are
PROCESSES_FROM = 4000           # pictures; below, threads are done before processes have started


@dataclass(frozen=True)
class EmbedOptions:
    """How to embed. Nothing of it changes what the vectors mean; `dtype` is what they are kept as.

    `loaders` decode pictures; None is one per processor. `dtype` None is what the model's vectors have.
    """

    batch_size: int = 128
    precision: str = "auto"
    device: str = "auto"
    loaders: int | None = None
    dtype: str | None = None
    shard: Shard = WHOLE


@dataclass(frozen=True)
class EmbedReport:
    """What one run did: `already` had a vector, `failed` could not be read (the log says which and why)."""

    model_id: str
    embedded: int
    failed: int
    already: int


@dataclass(frozen=True)
class _Picture:
    sample_id: str
    sha256: str
    path: str


def from_options(options: Mapping[str, Any]) -> tuple[EncoderSpec, EmbedOptions]:
    """From the command line's options; raises UsageError for a bad shard, or what only imports take."""
    if any(options.get(name) for name in ("ids_file", "model_id", "known_only")):
        raise UsageError("--ids, --name and --known-only go with --import FILE")
    given = {name: value for name, value in options.items() if value is not None}
    if "shard" in given:
        given["shard"] = Shard.parse(given["shard"])
    spec, how = ({field.name: given[field.name] for field in fields(stage) if field.name in given}
                 for stage in (EncoderSpec, EmbedOptions))
    return spec_of_options(spec), EmbedOptions(**how)


def embed(lake: Lake, spec: EncoderSpec, options: EmbedOptions | None = None) -> EmbedReport:
    """Give every sample of the shard a vector of this encoder; an unreadable picture is logged and counted.

    Raises EmptyLake without samples, LakeBusy while another process embeds the same shard, EncoderError
    without weights or device, UsageError where the model's vectors are kept as another type.
    """
    options = options or EmbedOptions()
    pictures = [p for p in _representatives(lake) if options.shard.holds(p.sample_id)]
    with alone(lake, options.shard):
        store = VectorStore(lake)
        report = _nothing_missing(store, spec, pictures, options.dtype)
        report = report or _embed_missing(lake, store, spec, pictures, options)
        keep_fresh(lake, report.model_id, store)
    log.info(
        "embedded model=%s new=%d failed=%d already=%d", report.model_id, report.embedded, report.failed,
        report.already,
    )
    return report


def _representatives(lake: Lake) -> list[_Picture]:
    catalog.require_mart(lake, "samples", "curate")
    rows = catalog.rows(lake, "select sample_id, sha256, path from samples order by sample_id")
    if not rows:
        raise EmptyLake("the lake has no samples: no picture was fetched and kept; see `glamlake status`")
    return [_Picture(str(row["sample_id"]), str(row["sha256"]), str(row["path"])) for row in rows]


@contextmanager
def alone(lake: Lake, shard: Shard = WHOLE) -> Iterator[None]:
    """Only this process writes vectors of these samples; raises LakeBusy where another does."""
    lake.locks.mkdir(parents=True, exist_ok=True)
    name = "embed" if shard.of == 1 else f"embed-{shard.number}-of-{shard.of}"
    lock = FileLock(lake.locks / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as e:
        raise LakeBusy(f"another process embeds the pictures of {lake.root}; wait until it ends") from e
    try:
        yield
    finally:
        lock.release()


def _nothing_missing(
    store: VectorStore, spec: EncoderSpec, pictures: Sequence[_Picture], dtype: str | None,
) -> EmbedReport | None:
    """The report when a known model has a vector of every sample: found out without loading the model."""
    source = source_of(spec)
    for info in store.models():
        if info.source == source and not _missing(store, info.model_id, pictures):
            store.register(kept_as(store, info, dtype))
            tidy(store, info.model_id)    # versions that readers may have held on to when they were written
            return EmbedReport(info.model_id, embedded=0, failed=0, already=len(pictures))
    return None


def _embed_missing(
    lake: Lake, store: VectorStore, spec: EncoderSpec, pictures: Sequence[_Picture], options: EmbedOptions,
) -> EmbedReport:
    encoder = load_encoder(spec)
    info = kept_as(store, info_of(spec, encoder, lake), options.dtype)
    encoder.placed(options.device, options.precision)
    store.prepare(info)    # who searches meanwhile goes on with the vectors that are whole
    missing = _missing(store, encoder.model_id, pictures)
    log.info("embedding %d pictures with %s on %s", len(missing), encoder.model_id, encoder.place)
    embedded = 0
    bar = progress(len(missing), "embedding", unit="picture")
    with bar as done, Commits(store, info.model_id) as commits:
        for batch, rows in _vectors(lake, encoder, missing, options):
            commits.add(rows)
            embedded += len(rows)
            done.update(len(batch))
    if store.count(info.model_id):
        store.register(info)
    tidy(store, encoder.model_id)
    already = len(pictures) - len(missing)
    return EmbedReport(encoder.model_id, embedded, failed=len(missing) - embedded, already=already)


def kept_as(store: VectorStore, info: ModelInfo, dtype: str | None) -> ModelInfo:
    """What the lake is to know of the model: vectors that are there keep their type, new ones join them."""
    known = next((known.dtype for known in store.models() if known.model_id == info.model_id), None)
    if known and dtype not in (None, known):
        raise UsageError(f"the vectors of {info.model_id} are kept as {known} here; leave --dtype out")
    return replace(info, dtype=known or dtype or info.dtype)


def _missing(store: VectorStore, model_id: str, pictures: Sequence[_Picture]) -> list[_Picture]:
    wanted = set(store.missing(model_id, {p.sample_id: p.sha256 for p in pictures}))
    return [p for p in pictures if p.sample_id in wanted]


def _vectors(
    lake: Lake, encoder: "Encoder", pictures: Sequence[_Picture], options: EmbedOptions,
) -> Iterator[tuple[Sequence[_Picture], list[VectorRow]]]:
    """Each batch of pictures with the vectors of those that can be read."""
    from models.pixels import read_batches  # seconds: torch

    batches = [pictures[i:i + options.batch_size] for i in range(0, len(pictures), options.batch_size)]
    paths = [[lake.root / picture.path for picture in batch] for batch in batches]
    in_processes = not encoder.place.startswith("cpu") and len(pictures) >= PROCESSES_FROM
    read = read_batches(paths, encoder.pixels(), options.loaders or os.cpu_count() or 1, in_processes)
    for batch, loaded in zip(batches, read, strict=True):
        for place, fault in loaded.faults.items():
            log.warning("not embedded sample_id=%s: %s", batch[place].sample_id, fault)
        readable = [picture for place, picture in enumerate(batch) if place not in loaded.faults]
        vectors = encoder.encode_pixels(loaded.pixels)
        if not np.isfinite(vectors).all():
            raise EncoderError(f"{encoder.model_id} gives NaN in this precision; try --precision float32")
        rows = zip(readable, vectors, strict=True)
        yield batch, [VectorRow(picture.sample_id, picture.sha256, vector) for picture, vector in rows]


def tidy(store: VectorStore, model_id: str) -> None:
    """Compact a model's vectors, unless another shard's process is at it just now."""
    try:
        store.compact(model_id)
    except RuntimeError as e:
        if not is_conflict(e):
            raise
        log.debug("vectors of %s left as they are: %s", model_id, e)


class Commits:
    """Writes vectors in a thread of its own, while the model works on: whole batches, a commit every second.

    Leaving the `with` block commits the rest, also after an exception.
    """

    def __init__(self, store: VectorStore, model_id: str) -> None:
        self._store, self._model_id = store, model_id
        self._writer = ThreadPoolExecutor(1)
        self._rows: list[VectorRow] = []
        self._writing: Future[None] | None = None
        self._since = time.monotonic()
        self._n = 0

    def add(self, rows: Sequence[VectorRow]) -> None:
        """Have these committed soon, all in one commit; raises what an earlier commit raised."""
        self._rows.extend(rows)
        if time.monotonic() - self._since >= COMMIT_EVERY_S:
            self._commit()

    def _commit(self) -> None:
        if self._writing is not None:
            self._writing.result()
        self._writing = self._writer.submit(self._write, self._rows)
        self._rows, self._since = [], time.monotonic()

    def _write(self, rows: Sequence[VectorRow]) -> None:
        self._store.add(self._model_id, rows)
        self._n += 1
        if self._n % COMPACT_EVERY_N_COMMITS == 0:
            tidy(self._store, self._model_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._commit()
        finally:
            self._writer.shutdown()
        if self._writing is not None:
            self._writing.result()
