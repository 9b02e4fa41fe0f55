"""Which samples an export takes, and their rows in the order they are written.

Only the ids of a selection are held; rows come a page at a time, so memory does not grow with the lake.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lake import Lake, filters
from lake.catalog import Connection, ask, connect, require_mart
from lake.errors import BadExport, ExportError
from lake.tables import RIGHTS_CLASSES, SPLITS
from pipelines.exports._picture import Picture

_ROWS_PER_PAGE = 2_000
_NO_LIMIT = 2**62
_INPUTS = ("samples", "records", "record_labels")


@dataclass(frozen=True)
class ExportOptions:
    """What goes into an export. An empty filter takes everything; rights take only what is named.

    `labels` and `archives`: samples that have any of these. `where`: a SQL condition on sample columns.
    `limit`: that many samples, the same ones each time. `max_side`: pictures with a longer side leave as
    smaller JPEGs. `model_id`: whose vectors, where the format holds any; the newest if not given.
    `by_archive`: csv has a folder for each archive, and one of all merged.
    """

    splits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    rights: tuple[str, ...] = ("open",)
    archives: tuple[str, ...] = ()
    where: str | None = None
    limit: int | None = None
    shard_size: int = 1000
    max_side: int | None = None
    model_id: str | None = None
    by_archive: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As plain values; what came later is left out at its default, so that older versions stay valid."""
        values = asdict(self)
        return values if self.by_archive else {k: v for k, v in values.items() if k != "by_archive"}


@dataclass(frozen=True)
class Selection:
    """The ids of the samples to export, split by split, and the state of the tables they were read from.

    All is read through one connection: opening one takes longer than asking it.
    """

    lake: Lake
    con: Connection
    ids: pa.ChunkedArray
    state: tuple[tuple[int, int], ...]

    def pictures(self) -> Iterator[Picture]:
        """The samples in order, each with its records."""
        for page in self.pages():
            records = _by_sample(ask(self.con, _RECORDS, [page]).to_pylist())
            for sample in ask(self.con, _SAMPLES, [page]).to_pylist():
                yield Picture(sample, records.get(sample["sample_id"], []))

    def pages(self) -> Iterator[list[str]]:
        """The ids in order, some thousand at a time."""
        for start in range(0, len(self.ids), _ROWS_PER_PAGE):
            yield self.ids.slice(start, _ROWS_PER_PAGE).to_pylist()

    def require_unchanged(self) -> None:
        """Raises ExportError when normalise or curate wrote new tables since the ids were read."""
        if _state(self.lake) != self.state:
            raise ExportError(f"the samples of {self.lake.root} changed during the export; run it again")


@contextmanager
def select(lake: Lake, options: ExportOptions) -> Iterator[Selection]:
    """The samples that pass every filter, ordered by split and id, to be read within the block.

    Raises EmptyLake before `curate`, BadFilter for the condition, BadExport for a value that no sample has,
    ExportError when nothing is left.
    """
    _check(options)
    require_mart(lake, "samples", "curate")
    state = _state(lake)
    with connect(lake) as con:
        _require_known(con, "labels", "label", options.labels)
        _require_known(con, "archives", "archive", options.archives)
        yield Selection(lake, con, _ordered(_filtered(con, options), options), state)


def _ordered(found: pa.Table, options: ExportOptions) -> pa.ChunkedArray:
    """The ids of those whose rights are allowed, as many as are wanted."""
    allowed = found.filter(pc.is_in(found["rights_class"], pa.array(options.rights)))
    if not len(allowed):
        raise ExportError(_nothing_left(Counter(found["rights_class"].to_pylist()), options))
    wanted = allowed.slice(0, options.limit)
    return wanted.sort_by([("split", "ascending"), ("sample_id", "ascending")])["sample_id"]


def _by_sample(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        found[record.pop("of_sample")].append(record)
    return found


def _check(options: ExportOptions) -> None:
    for what, given, known in (("split", options.splits, SPLITS), ("rights", options.rights, RIGHTS_CLASSES)):
        if strangers := [value for value in given if value not in known]:
            raise BadExport(f"no {what} named {strangers[0]!r}; there are: {', '.join(known)}")
    if not options.rights:
        raise BadExport(f"no rights are allowed, so nothing can leave; allow: {', '.join(RIGHTS_CLASSES)}")
    numbers = {
        "--limit": options.limit, "--shard-size": options.shard_size, "--max-side": options.max_side,
    }
    for what, number in numbers.items():
        if number is not None and number < 1:
            raise BadExport(f"{what} {number} asks for nothing; give a number from 1 up")


def _filtered(con: Connection, options: ExportOptions) -> pa.Table:
    """Split, id and rights of the samples that pass every other filter, in the order of their ids."""
    tests: dict[str, tuple[str, ...]] = {
        "list_contains(?, split)": options.splits,
        "list_has_any(labels, ?)": options.labels,
        "list_has_any(archives, ?)": options.archives,
    }
    used: dict[str, object] = {test: list(values) for test, values in tests.items() if values}
    if options.where is not None:
        used["sample_id in (select unnest(?))"] = filters.matching(con, options.where, _NO_LIMIT)
    condition = " and ".join(["true", *used])
    statement = f"select split, sample_id, rights_class from samples where {condition} order by sample_id"
    return ask(con, statement, list(used.values()))


def _require_known(con: Connection, column: str, what: str, given: tuple[str, ...]) -> None:
    if not given:
        return
    found = ask(con, f"select distinct unnest({column}) as value from samples order by 1")
    there = found["value"].to_pylist()
    if strangers := [value for value in given if value not in there]:
        near = get_close_matches(strangers[0], there, 5) or there[:20]
        raise BadExport(f"no sample has {what} {strangers[0]!r}; others have: {', '.join(near) or 'none'}")


def _nothing_left(counts: Counter[str], options: ExportOptions) -> str:
    if not counts:
        return "no sample passes, whatever its rights; widen --split, --label, --archive, --where"
    per_class = ", ".join(f"{counts[rights]} {rights}" for rights in RIGHTS_CLASSES)
    allow = " ".join(f"--rights {rights}" for rights in RIGHTS_CLASSES if counts[rights])
    return (
        f"none of these samples has rights {' or '.join(options.rights)}; they are: {per_class}; "
        f"where you may use them, allow them with {allow}"
    )


def _state(lake: Lake) -> tuple[tuple[int, int], ...]:
    facts = [lake.mart(table).stat() for table in _INPUTS if lake.mart(table).exists()]
    return tuple((fact.st_ino, fact.st_mtime_ns) for fact in facts)


_SAMPLES = """
    select samples.*
    from samples
    semi join (select unnest(?) as sample_id) as page using (sample_id)
    order by split, sample_id
"""
_RECORDS = """
    with

    members as (
        select sample_id, unnest(record_ids) as record_id
        from samples
        where sample_id in (select unnest(?))
    )

    select members.sample_id as of_sample, records.*
    from members
    inner join records using (record_id)
    order by of_sample, record_id
"""
