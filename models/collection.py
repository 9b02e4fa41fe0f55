"""The pictures an evaluation is about: their vectors, captions, and what they may be sliced by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lake import Lake, catalog
from lake.errors import EmptyLake, UsageError
from lake.tables import SPLITS, TIERS
from lake.vectors import VectorStore
from models.metrics import Matrix

Slices = dict[str, dict[str, NDArray[np.bool_]]]


@dataclass(frozen=True)
class Collection:
    """Samples that have a vector of one model: `rows` are their facts, `vectors` go with them."""

    rows: list[dict[str, Any]]
    vectors: Matrix
    n_without_vector: int

    @property
    def ids(self) -> list[str]:
        """The samples' ids, in order."""
        return [str(row["sample_id"]) for row in self.rows]

    def slices(self, tiers: dict[str, str]) -> Slices:
        """Which pictures are of each archive, decade, language, and have a label of each tier and facet."""
        values = {
            "tier": [{tiers[label] for label in row["labels"] or () if label in tiers} for row in self.rows],
            "archive": [set(row["archives"] or ()) for row in self.rows],
            "decade": [{f"{row['year'] // 10 * 10}s"} if row["year"] else {"undated"} for row in self.rows],
            "language": [{row["language"] or "unknown"} for row in self.rows],
            "facet": [set(row["facets"] or ()) for row in self.rows],
        }
        found = {name: _members(column) for name, column in values.items()}
        common_first = sorted(found["tier"], key=TIERS.index)
        return found | {"tier": {tier: found["tier"][tier] for tier in common_first}}


def read_collection(lake: Lake, model_id: str, splits: Sequence[str]) -> Collection:
    """The samples of these splits that have a vector; raises EmptyLake where there are none."""
    if strangers := sorted(set(splits) - set(SPLITS)):
        raise UsageError(f"no split is named {strangers[0]!r}; there are: {', '.join(SPLITS)}")
    catalog.require_mart(lake, "samples", "curate")
    rows = {str(row["sample_id"]): row for row in catalog.rows(lake, _SAMPLES_SQL, [list(splits)])}
    held, vectors = VectorStore(lake).vectors(model_id, list(rows))
    return Collection([rows[i] for i in held], vectors, len(rows) - len(held))


def require_pictures(collection: Collection, splits: Sequence[str]) -> None:
    """Raises EmptyLake where no sample of these splits has a vector, saying which step is missing."""
    if not collection.rows:
        names = ", ".join(splits)
        if collection.n_without_vector:
            raise EmptyLake(f"no {names} samples have vectors; run `glamlake embed`, or give another --split")
        raise EmptyLake(f"no {names} samples are there; give another --split")


def data_version(lake: Lake) -> str:
    """12 hex digits of everything training and evaluation read of the samples; other data, other digits."""
    [row] = catalog.rows(lake, _VERSION_SQL)
    return str(row["version"] or "")[:12]


def label_tiers(lake: Lake) -> dict[str, str]:
    """The tier of each label: head, torso or tail."""
    rows = catalog.rows(lake, "select label, tier from labels")
    return {str(row["label"]): str(row["tier"]) for row in rows}


def _members(column: Sequence[set[str]]) -> dict[str, NDArray[np.bool_]]:
    return {value: np.array([value in own for own in column]) for value in sorted(set().union(*column))}


# columns beyond the contract may be missing in a lake that another release curated
_SAMPLES_SQL = """
    with chosen as (
        select * from samples where list_contains(?::varchar[], split)
    ),

    shown as (
        select sample_id, unnest(record_ids) as record_id from chosen
    ),

    about as (
        select
            shown.sample_id,
            list_sort(list(distinct facet) filter (facet is not null and source <> 'model')) as facets,
            any_value(records.language order by records.record_id) as language,
            list(distinct records.native_id) as native_ids
        from shown
        left join records using (record_id)
        left join record_labels using (record_id)
        group by shown.sample_id
    )

    select chosen.sample_id, sha256, path, title, trim(caption) as caption, labels, archives, year,
    split, record_ids, about.language, about.facets, about.native_ids from chosen left join about using
    (sample_id) order by chosen.sample_id
"""
_VERSION_SQL = """
    select md5(string_agg( md5(concat_ws('|', sample_id, sha256, split, caption, array_to_string(labels,
    ','))), '' order by sample_id )) as version from samples
"""
