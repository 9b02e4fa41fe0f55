"""Samples without a vector → pictures → vectors: only what is missing, a batch a commit.

Killed at any moment and run again it goes on with the batch after the last one committed.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from lake import Lake, catalog
from lake.errors import EmptyLake, EncoderError, LakeBusy
from lake.vectors import VectorRow, VectorStore
from models.encoder import EncoderSpec, info_of, load_encoder, source_of
from models.pictures import open_picture
from pipelines.progress import progress

if TYPE_CHECKING:
    from models.clip import Encoder

log = logging.getLogger(__name__)

LOADER_THREADS = 4


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


@dataclass(frozen=True)
class _Loaded:
    """A picture as the encoder's input, or None where it could not be read."""

    picture: _Picture
    tensor: Any


def embed(lake: Lake, spec: EncoderSpec, batch_size: int = 128) -> EmbedReport:
    """Give every sample a vector of this encoder; one unreadable picture is logged, counted and passed over.

    Raises EmptyLake without samples, LakeBusy while another process embeds, EncoderError without weights.
    """
    pictures = _representatives(lake)
    with _alone(lake):
        store = VectorStore(lake)
        report = _nothing_missing(store, spec, pictures)
        report = report or _embed_missing(lake, store, spec, pictures, batch_size)
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
def _alone(lake: Lake) -> Iterator[None]:
    lake.locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lake.locks / "embed.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as e:
        raise LakeBusy(f"another process embeds the pictures of {lake.root}; wait until it ends") from e
    try:
        yield
    finally:
        lock.release()


def _nothing_missing(
    store: VectorStore, spec: EncoderSpec, pictures: Sequence[_Picture],
) -> EmbedReport | None:
    """The report when a known model has a vector of every sample: found out without loading the model."""
    source = source_of(spec)
    for info in store.models():
        if info.source == source and not _missing(store, info.model_id, pictures):
            store.register(info)
            return EmbedReport(info.model_id, embedded=0, failed=0, already=len(pictures))
    return None


def _embed_missing(
    lake: Lake, store: VectorStore, spec: EncoderSpec, pictures: Sequence[_Picture], batch_size: int,
) -> EmbedReport:
    encoder = load_encoder(spec)
    store.register(info_of(spec, encoder, lake))
    missing = _missing(store, encoder.model_id, pictures)
    embedded = 0
    with progress(len(missing), "embedding", unit="picture") as done:
        for loaded in _loaded_batches(lake, encoder, missing, batch_size):
            embedded += _embed_batch(store, encoder, loaded)
            done.update(len(loaded))
    store.compact(encoder.model_id)
    already = len(pictures) - len(missing)
    return EmbedReport(encoder.model_id, embedded, failed=len(missing) - embedded, already=already)


def _missing(store: VectorStore, model_id: str, pictures: Sequence[_Picture]) -> list[_Picture]:
    wanted = set(store.missing(model_id, {p.sample_id: p.sha256 for p in pictures}))
    return [p for p in pictures if p.sample_id in wanted]


def _loaded_batches(
    lake: Lake, encoder: "Encoder", pictures: Sequence[_Picture], batch_size: int,
) -> Iterator[list[_Loaded]]:
    """Batches ready for the model; the next one is decoded while the model works on this one."""
    batches = [pictures[i:i + batch_size] for i in range(0, len(pictures), batch_size)]
    with ThreadPoolExecutor(LOADER_THREADS) as pool:
        coming = [pool.submit(_load, lake, encoder, picture) for picture in batches[0]] if batches else []
        for following in [*batches[1:], []]:
            current, coming = coming, [pool.submit(_load, lake, encoder, picture) for picture in following]
            yield [future.result() for future in current]


def _load(lake: Lake, encoder: "Encoder", picture: _Picture) -> _Loaded:
    try:
        return _Loaded(picture, encoder.prepare(open_picture(lake.root / picture.path)))
    except EncoderError as e:
        log.warning("not embedded sample_id=%s: %s", picture.sample_id, e)
        return _Loaded(picture, None)


def _embed_batch(store: VectorStore, encoder: "Encoder", loaded: Sequence[_Loaded]) -> int:
    """Commit one batch; gives how many vectors it has."""
    readable = [one for one in loaded if one.tensor is not None]
    vectors = encoder.encode_prepared([one.tensor for one in readable])
    rows = [
        VectorRow(one.picture.sample_id, one.picture.sha256, vector)
        for one, vector in zip(readable, vectors, strict=True)
    ]
    store.add(encoder.model_id, rows)
    return len(rows)
