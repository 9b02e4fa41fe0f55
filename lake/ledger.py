"""The ledger: how many of each noun the lake holds, and whether anything was lost on the way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lake.catalog import Connection, ask, connect, require_hits
from lake.equations import HITS_CTE, Equation, equations
from lake.errors import LakeError
from lake.layout import Lake


@dataclass(frozen=True)
class Count:
    """How many there are of one noun, and how many of each kind."""

    noun: str
    total: int
    parts: Mapping[str, int]


@dataclass(frozen=True)
class OpenSlice:
    """A slice of a harvest that is not complete."""

    archive: str
    query: str
    slice: str
    status: str
    announced: int | None
    received: int | None
    cap: str | None
    error: str | None


@dataclass(frozen=True)
class Ledger:
    """The lake in numbers."""

    counts: tuple[Count, ...]
    equations: tuple[Equation, ...]
    open_slices: tuple[OpenSlice, ...]

    @property
    def balanced(self) -> bool:
        """Whether no equation is broken; one that cannot be judged yet is not."""
        return all(equation.holds is not False for equation in self.equations)

    def count(self, noun: str, part: str | None = None) -> int:
        """The total of one noun, or of one of its parts (0 for a part there is none of)."""
        found = next(count for count in self.counts if count.noun == noun)
        return found.total if part is None else found.parts.get(part, 0)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        counts = {count.noun: {"total": count.total, "parts": dict(count.parts)} for count in self.counts}
        return {
            "balanced": self.balanced,
            "counts": counts,
            "equations": [asdict(equation) for equation in self.equations],
            "open_slices": [asdict(open_slice) for open_slice in self.open_slices],
        }

    def text(self) -> str:
        """The ledger as lines for a terminal."""
        lines = [*map(_count_line, self.counts), "", *map(_equation_line, self.equations)]
        if self.open_slices:
            lines += ["", "harvest slices that are not complete:", *map(_slice_line, self.open_slices)]
        return "\n".join(lines)


def ledger(lake: Lake) -> Ledger:
    """Count what lies in the lake, at whatever stage it is; raises EmptyLake where nothing was harvested."""
    require_hits(lake)
    with connect(lake) as con:
        return Ledger(_counts(lake, con), equations(lake, con), _open_slices(con))


def _counts(lake: Lake, con: Connection) -> tuple[Count, ...]:
    nouns: dict[str, dict[str, int]] = {}
    for row in ask(con, _COUNTS_SQL).to_pylist():
        nouns.setdefault(row["noun"], {})[row["part"] or ""] = row["n"]
    counted = [Count(noun, parts.pop(""), parts) for noun, parts in nouns.items()]
    return (*counted, _vectors(lake, con), _exports(lake))


def _vectors(lake: Lake, con: Connection) -> Count:
    """Samples that have a vector, by model."""
    if not lake.vectors.is_dir():
        return Count("vectors", 0, {})
    from lake.vectors import VectorStore  # numpy; only where there are any

    store = VectorStore(lake)
    samples = ask(con, "select sample_id, sha256 from samples order by sample_id").to_pylist()
    pictures = {row["sample_id"]: row["sha256"] for row in samples}
    try:
        lacking = {info.model_id: len(store.missing(info.model_id, pictures)) for info in store.models()}
    except (RuntimeError, OSError, ValueError) as e:    # what LanceDB says of a file that is torn or gone
        reason = " ".join(str(e).split())[:200]
        raise LakeError(f"cannot read {lake.vectors}: {reason}; remove it and run `glamlake embed`") from e
    parts = {model_id: len(pictures) - n for model_id, n in lacking.items()}
    return Count("vectors", sum(parts.values()), parts)


def _exports(lake: Lake) -> Count:
    names = sorted(path.parent.name for path in lake.exports.glob("*/manifest.json"))
    return Count("exports", len(names), dict.fromkeys(names, 1))


def _open_slices(con: Connection) -> tuple[OpenSlice, ...]:
    found = ask(con, """
        select archive, query, slice, status, announced, received, cap, error
        from harvests where status is distinct from 'complete' order by archive, query, slice
    """)
    return tuple(OpenSlice(**row) for row in found.to_pylist())


def _count_line(count: Count) -> str:
    parts = count.parts if count.noun == "exports" else [f"{n:,} {part}" for part, n in count.parts.items()]
    return f"{count.noun:<12}{count.total:>10,}   {' · '.join(parts)}".rstrip()


def _equation_line(equation: Equation) -> str:
    state, sign = {True: ("holds", "="), False: ("BROKEN", "≠"), None: ("not yet", "…")}[equation.holds]
    detail = f" ({equation.detail})" if equation.detail else ""
    return f"{state:<12}{equation.left:>10,} {sign} {equation.right:<10,} {equation.name}{detail}"


def _slice_line(s: OpenSlice) -> str:
    reason = "".join(f" · {text}" for text in (s.cap, s.error) if text)
    return f"  {s.archive} {s.query!r} {s.slice}: {s.status}, {_n(s.received)} of {_n(s.announced)}{reason}"


def _n(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


_COUNTS_SQL = f"""
    with {HITS_CTE},
    in_records as (
        select count(distinct hits.hit_id) as n from hits
        join searches on searches.record_id = hits.record_id and searches.query = hits.query
    ),
    urls as (
        select distinct image_url from records where image_url is not null
    ),
    pending as (
        select count(*) as n from urls anti join images on urls.image_url = images.image_url
    ),
    counted as (
        select 1 as place, 'hits' as noun, null as part, count(distinct hit_id) as n from raw_hits
        union all select 1, 'hits', 'in records', n from in_records
        union all select 1, 'hits', 'rejected', count(distinct hit_id) from rejections
        union all select 2, 'rejections', null, count(*) from rejections
        union all select 2, 'rejections', coalesce(rule, 'no rule'), count(*) from rejections group by rule
        union all select 3, 'records', null, count(*) from records
        union all select 3, 'records', 'with an image URL', count(image_url) from records
        union all select 4, 'images', null, count(*) from images
        union all select 4, 'images', coalesce(status, 'no status'), count(*) from images group by status
        union all select 4, 'images', 'not yet fetched', n from pending where n > 0
        union all select 5, 'samples', null, count(*) from samples
        union all select 5, 'samples', coalesce(split, 'no split'), count(*) from samples group by split
        union all select 6, 'duplicates', null, count(*) from duplicates
        union all select 6, 'duplicates', coalesce(relation, 'no relation'), count(*) from duplicates
            group by relation
    )
    select noun, part, n from counted order by place, part is not null, n desc, part
"""
