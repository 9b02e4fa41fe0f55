"""Keeps what a table of vectors repeats of the samples as the samples are now.

A mark beside the table says which files of marts and which version of the table were last compared; as long
as both are the same, nothing is read. Otherwise hashes are compared and only what differs is written.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from lake import catalog
from lake.catalog import Connection
from lake.drafts import whole_file
from lake.errors import LakeBusy
from lake.facts import facts_hashes, facts_of, languages_of, no_facts
from lake.layout import Lake
from lake.settled import read_settled, state_of_marts
from lake.vector_indices import OTHER, STEMMED, text_column
from lake.vectors import VectorStore, is_conflict

log = logging.getLogger(__name__)

_MARTS = ("samples", "records", "duplicates")
_AT_ONCE = 20_000      # rows; their vectors are in memory meanwhile
_MOST_ROUNDS = 5       # while another process goes on adding vectors, whoever searches next looks again
_PATIENCE_S = 900


@dataclass(frozen=True)
class Compared:
    """What was compared last: files of the marts, the version of the model's table, its index of vectors."""

    marts: str
    table: str
    index: str = ""


def state_of(lake: Lake, store: VectorStore, model_id: str) -> Compared:
    """What there is to compare now; raises EmptyLake without samples or vectors."""
    catalog.require_mart(lake, "samples", "curate")
    return Compared(state_of_marts(lake, _MARTS), store.generation(model_id), store.near_name(model_id))


def keep_fresh(lake: Lake, model_id: str, store: VectorStore | None = None) -> Compared:
    """Bring a model's table up to the marts, and its indices up to the table; gives what was compared.

    Raises EmptyLake without samples or vectors, LakeBusy where another process does so for very long.
    """
    store = store or VectorStore(lake)
    now = state_of(lake, store, model_id)
    if now == _noted(lake, model_id):
        return now
    lake.locks.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lake.locks / "vectors.lock", timeout=_PATIENCE_S):
            return _kept_fresh(lake, model_id, store)
    except Timeout as e:
        raise LakeBusy(f"another process brings {lake.vectors} up to date; wait until it ends") from e


def _kept_fresh(lake: Lake, model_id: str, store: VectorStore) -> Compared:
    for _ in range(_MOST_ROUNDS):
        now = state_of(lake, store, model_id)
        if now == _noted(lake, model_id):
            break
        try:
            read_settled(lake, lambda: _bring_up(lake, store, model_id))
            store.keep_indices(model_id)
        except RuntimeError as e:
            if not is_conflict(e):
                raise
            log.debug("vectors of %s are written to by others: %s", model_id, e)
            continue
        before, now = now, state_of(lake, store, model_id)
        if replace(before, index=now.index) == now:
            _note(lake, model_id, now)
            break
    return now


def _bring_up(lake: Lake, store: VectorStore, model_id: str) -> None:
    with catalog.connect(lake) as con:
        columns = set(store.open(model_id).schema.names)
        changed, gone = _differences(con, store, model_id, columns)
        if changed or gone or "facts_hash" not in columns:
            _write_facts(con, store, model_id, changed, gone, columns)


def _write_facts(
    con: Connection, store: VectorStore, model_id: str, changed: Sequence[str], gone: Sequence[str],
    columns: Iterable[str],
) -> None:
    kept = {code for code in (*STEMMED, OTHER) if text_column("title", code) in columns}
    languages = languages_of(con) | kept
    if not changed:    # a table without rows, or of samples that are gone, has the columns all the same
        store.write_facts(model_id, no_facts([], languages))
    for ids in _parts(changed):
        store.write_facts(model_id, facts_of(con, ids, languages))
    for ids in _parts(gone):
        store.write_facts(model_id, no_facts(ids, languages))
    log.info("facts written model=%s changed=%d gone=%d", model_id, len(changed), len(gone))


def _differences(
    con: Connection, store: VectorStore, model_id: str, columns: Iterable[str],
) -> tuple[list[str], list[str]]:
    """Samples with a vector whose facts are others now, and vectors with facts of samples that are gone."""
    held = store.open(model_id).columns([name for name in ("sample_id", "facts_hash") if name in columns])
    if "facts_hash" not in held.column_names:
        held = held.append_column("facts_hash", pa.nulls(len(held), pa.int64()))
    con.register("held", held)
    con.register("hashed", facts_hashes(con))
    changed = catalog.ask(con, """
        select sample_id from held join hashed using (sample_id)
        where held.facts_hash is distinct from hashed.facts_hash order by sample_id
    """)
    gone = catalog.ask(con, """
        select sample_id from held anti join hashed using (sample_id)
        where held.facts_hash is not null order by sample_id
    """)
    con.unregister("held")
    con.unregister("hashed")
    return changed["sample_id"].to_pylist(), gone["sample_id"].to_pylist()


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield list(ids[start:start + _AT_ONCE])


def _mark(lake: Lake, model_id: str) -> Path:
    return lake.vectors / f"{model_id}.mark"


def _noted(lake: Lake, model_id: str) -> Compared | None:
    mark = _mark(lake, model_id)
    return Compared(**json.loads(mark.read_text("utf-8"))) if mark.exists() else None


def _note(lake: Lake, model_id: str, compared: Compared) -> None:
    with whole_file(_mark(lake, model_id)) as draft:
        draft.write_text(json.dumps(asdict(compared)) + "\n", "utf-8")
