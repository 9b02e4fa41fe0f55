"""What changed between two exports, sample by sample, read from the `samples.parquet` of both."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lake import Lake
from lake.catalog import Connection, ask, connect
from lake.errors import BadExport
from pipelines.exports._manifest import read_manifest
from pipelines.exports._samples import SAMPLES_FILE

_SHOWN = 20


@dataclass(frozen=True)
class Changed:
    """A sample that both have, and the columns that differ."""

    sample_id: str
    columns: list[str]


@dataclass(frozen=True)
class Moved:
    """A sample on another side than before."""

    sample_id: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """What the second export has otherwise than the first, in order of sample ids.

    A sample that moved to another split is among `changed` only if something else is different too.
    """

    before: str
    after: str
    added: list[str]
    removed: list[str]
    moved: list[Moved]
    changed: list[Changed]
    n_same: int

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)

    def text(self) -> str:
        """For people: the counts, then the first few of each kind."""
        kinds = {
            "added": self.added,
            "removed": self.removed,
            "moved": [f"{m.sample_id}  {m.before} → {m.after}" for m in self.moved],
            "changed": [f"{c.sample_id}  {', '.join(c.columns)}" for c in self.changed],
        }
        lines = [f"{self.before} → {self.after}"]
        for kind, found in kinds.items():
            more = [f"  … and {len(found) - _SHOWN} more (all with --json)"] if len(found) > _SHOWN else []
            lines.append(f"{kind:<8} {len(found)}{self._summary(kind)}")
            lines += [f"  {line}" for line in found[:_SHOWN]] + more
        return "\n".join([*lines, f"same     {self.n_same}"])

    def _summary(self, kind: str) -> str:
        if kind == "moved":
            counts = Counter(f"{m.before} → {m.after}" for m in self.moved)
        elif kind == "changed":
            counts = Counter(column for c in self.changed for column in c.columns)
        else:
            return ""
        return "".join(f"; {what}: {n}" for what, n in sorted(counts.items()))


def diff_exports(lake: Lake, before: str, after: str) -> Difference:
    """What `after` has otherwise than `before`; each is a name in the lake or the path of an export.

    Raises BadExport where one is no export. Columns that only one of them has are passed over.
    """
    folders = [_folder(lake, name) for name in (before, after)]
    schemas = [pq.read_schema(folder / SAMPLES_FILE) for folder in folders]
    compared = [
        name for name in schemas[0].names if name in schemas[1].names and name not in ("sample_id", "split")
    ]
    with connect(lake) as con:
        rows = _compared(con, folders, compared)
    shared = [row for row in rows if row["before"] and row["after"]]
    crossed = [row for row in shared if row["before"] != row["after"]]
    differing = [row for row in shared if row["columns"]]
    touched = {row["sample_id"] for row in (*differing, *crossed)}
    return Difference(
        before=_label(folders[0]), after=_label(folders[1]),
        added=[row["sample_id"] for row in rows if not row["before"]],
        removed=[row["sample_id"] for row in rows if not row["after"]],
        moved=[Moved(row["sample_id"], row["before"], row["after"]) for row in crossed],
        changed=[Changed(row["sample_id"], row["columns"]) for row in differing],
        n_same=len(shared) - len(touched),
    )


def _folder(lake: Lake, name: str) -> Path:
    named = lake.exports / name
    folder = named if named.is_dir() else Path(name)
    if not (folder / SAMPLES_FILE).is_file():
        there = ", ".join(sorted(path.parent.name for path in lake.exports.glob(f"[!.]*/{SAMPLES_FILE}")))
        raise BadExport(
            f"{name!r} is no export of {lake.root} and no folder that holds one; there are: {there or 'none'}"
        )
    return folder


def _label(folder: Path) -> str:
    manifest = read_manifest(folder)
    return f"{folder.name} ({manifest.get('format')}, version {manifest.get('version')})"


def _compared(con: Connection, folders: list[Path], columns: list[str]) -> list[dict[str, Any]]:
    """Every sample of either, its splits, and for one of both the columns that differ."""
    differs = [f"case when a.{_name(c)} is distinct from b.{_name(c)} then '{_text(c)}' end" for c in columns]
    both = "a.sample_id is not null and b.sample_id is not null"
    statement = f"""
        select
            coalesce(a.sample_id, b.sample_id) as sample_id, a.split as before, b.split as after,
            case when {both} then list_filter([{', '.join(differs)}], lambda x: x is not null) end as columns
        from read_parquet(?) as a
        full join read_parquet(?) as b on a.sample_id = b.sample_id
        order by 1
    """
    found: list[dict[str, Any]] = ask(con, statement, [str(f / SAMPLES_FILE) for f in folders]).to_pylist()
    return found


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(column: str) -> str:
    return column.replace("'", "''")
