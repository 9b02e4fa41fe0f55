"""What a table of vectors repeats of the samples: what one filters by, searches in, and is shown of a result.

One SQL statement says it all, over the marts as they are now; `facts_hash` is another where anything is.
"""

from collections.abc import Iterable
from typing import Any

import orjson
import pyarrow as pa

from lake.catalog import Connection, ask
from lake.filters import facts_sql, filter_columns
from lake.vector_indices import OTHER, STEMMED, TEXT_KINDS, text_column

_TEXT, _TEXTS, _INT = pa.string(), pa.list_(pa.string()), pa.int32()
# What a result is told from, all of it as JSON in one column: each column of a row is a read of its own.
_SHOWN = {
    "path": _TEXT, "title": _TEXT, "caption": _TEXT, "year": _INT, "label": _TEXT, "labels": _TEXTS,
    "archives": _TEXTS, "providers": _TEXTS, "countries": _TEXTS, "rights_class": _TEXT,
    "attribution": _TEXT, "landing_urls": _TEXTS, "split": _TEXT,
}
_FILTERED = (
    "year", "label", "labels", "archives", "providers", "countries", "rights_class", "split", "language",
    "cluster_id", "title",
)
_COPIED = {**_SHOWN, "language": _TEXT, "cluster_id": _TEXT, "description": _TEXT}
_DUCK_TYPES = {_TEXT: "varchar", _INT: "integer", _TEXTS: "varchar[]"}
_COUNTED = ("n_copies", "n_near")   # near-duplicates: of this very picture, of its whole cluster
NEAR_SQL = """
    with
    copies as (select sample_id, count(*) as n from duplicates group by sample_id),
    clusters as (
        select cluster_id, count(*) - 1 + coalesce(sum(copies.n), 0) as n
        from samples left join copies using (sample_id) where cluster_id is not null group by cluster_id
    )
    select
        samples.sample_id, cast(coalesce(copies.n, 0) as integer) as n_copies,
        cast(coalesce(clusters.n, copies.n, 0) as integer) as n_near
    from samples left join copies using (sample_id) left join clusters using (cluster_id)
"""


def facts_schema(languages: Iterable[str]) -> pa.Schema:
    """The columns of `facts_of`: those of every sample, and one of each kind of text per language."""
    texts = [text_column(kind, code) for code in sorted(languages) for kind in TEXT_KINDS]
    return pa.schema([
        ("sample_id", _TEXT), ("facts_hash", pa.int64()), ("told", _TEXT),
        *((name, _COPIED[name]) for name in _FILTERED), *((name, _TEXT) for name in texts),
    ])


def languages_of(con: Connection) -> set[str]:
    """The languages of the samples that words can be stemmed in, OTHER where there are more.

    English always: labels are English words.
    """
    if "language" not in filter_columns(con):
        return {"en", OTHER}
    found = ask(con, "select distinct language from samples")["language"].to_pylist()
    return {code if code in STEMMED else OTHER for code in found} | {"en"}


def facts_hashes(con: Connection) -> pa.Table:
    """sample_id and facts_hash of every sample."""
    return ask(con, f"select sample_id, facts_hash from ({_hashed(con, 'true')})")


def facts_of(con: Connection, sample_ids: list[str], languages: Iterable[str]) -> pa.Table:
    """The facts of these samples, one row each, by sample_id; texts in these languages' columns."""
    con.register("wanted_facts", pa.table({"sample_id": pa.array(sample_ids, _TEXT)}))
    schema = facts_schema(languages)
    texts = [sql for code in sorted(languages) for sql in _texts_sql(code)]
    of_these = _hashed(con, "sample_id in (select sample_id from wanted_facts)")
    found = ask(con, f"select *, {', '.join(texts)} from ({of_these}) order by sample_id")
    con.unregister("wanted_facts")
    return found.select(schema.names).cast(schema)


def no_facts(sample_ids: list[str], languages: Iterable[str]) -> pa.Table:
    """Rows that say nothing: of vectors whose samples are gone."""
    schema = facts_schema(languages)
    ids = pa.array(sample_ids, _TEXT)
    empty = [pa.nulls(len(ids), field.type) for field in schema if field.name != "sample_id"]
    return pa.table([ids, *empty], schema=schema)


def shown(told: str) -> dict[str, Any]:
    """What the column `told` of a row says."""
    facts: dict[str, Any] = orjson.loads(told)
    return facts


def _hashed(con: Connection, picked: str) -> str:
    """Samples that meet a condition of our own, as they are told, with their near-duplicates counted."""
    have = set(filter_columns(con))
    copied = [
        f"s.{name}" if name in have else f"cast(null as {_DUCK_TYPES[type_]}) as {name}"
        for name, type_ in _COPIED.items()
    ]
    shown = ", ".join(f"{name} := {name}" for name in (*_SHOWN, *_COUNTED))
    return f"""
        with
        whole as (
            select
                s.sample_id, {', '.join(copied)}, near.n_copies, near.n_near
            from ({facts_sql(con, picked)}) as s
            left join ({NEAR_SQL}) as near using (sample_id)
        )
        select
            *,
            cast(to_json(struct_pack({shown})) as varchar) as told,
            cast(hash({', '.join([*_COPIED, *_COUNTED])}) >> 1 as bigint) as facts_hash
        from whole
    """


def _texts_sql(code: str) -> list[str]:
    """A language's columns: the titles of its samples, and what else is said of them."""
    stemmed = ", ".join(f"'{known}'" for known in STEMMED)
    is_it = f"language = '{code}'" if code != OTHER else f"coalesce(language not in ({stemmed}), true)"
    text = f"case when {is_it} then description end"
    if code == "en":
        text = f"nullif(concat_ws(' ', {text}, array_to_string(labels, ' ')), '')"
    return [
        f"case when {is_it} then title end as {text_column('title', code)}",
        f"{text} as {text_column('text', code)}",
    ]
