"""What the catalogues say a picture shows, facet by facet, as sparse matrices: pictures × labels.

True is what a record's own words, concepts or classification
say, or a search whose label the record speaks of (`confidence` of at least 0.5); a label that only a
search brought is neither true nor false. What a model said is never true here: it may be learned from,
not be measured by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lake import Lake, catalog
from lake.errors import EmptyLake, UnknownThing
from lake.tables import FACETS

Ints = NDArray[np.int64]
Way = tuple[str, ...]

SURE = 0.5


@dataclass(frozen=True)
class Facet:
    """The labels of a facet (columns) and what is known of each picture (rows).

    `ways` lead from the top of the hierarchy down to a label. `exact` holds the true labels, `learned`
    also those of a model that a cataloguer accepted, `unsure` what is neither true nor false.
    """

    name: str
    labels: list[str]
    ways: list[Way]
    exact: Any
    learned: Any
    unsure: Any

    @property
    def n_levels(self) -> int:
        """Steps of the longest way."""
        return max(map(len, self.ways), default=0)

    def level(self, level: int) -> tuple[list[str], Any]:
        """What stands at one level (from 1), and which labels are it or stand below it (labels × names)."""
        here = [(way[level - 1], way[-1]) for way in self.ways if len(way) >= level]
        names = sorted({name for name, _ in here})
        pairs = sorted({(self.labels.index(label), names.index(name)) for name, label in here})
        rows, columns = np.array(pairs).T
        return names, _marks(rows, columns, (len(self.labels), len(names)))

    def credit(self) -> Any:
        """How right each label is: 1 for a true one; for one above it, its share of the way there.

        Of the way building > church > chapel, 'building' is a third right of a chapel. The largest share
        counts where there are several. What stands beside or below a true label is not right at all.
        """
        return _max_product(self.exact, _shares(self))

    def of(self, rows: Ints) -> "Facet":
        """The same facet, of some of the pictures."""
        parts = (self.exact[rows], self.learned[rows], self.unsure[rows])
        return Facet(self.name, self.labels, self.ways, *parts)


def read_facets(
    lake: Lake, sample_ids: Sequence[str], names: Sequence[str] = (),
) -> dict[str, Facet]:
    """The facets these pictures have labels in, or those named; rows are in the order of the ids.

    Raises UnknownThing for a name that is no facet, EmptyLake where no record has a label in one named.
    """
    if strangers := sorted(set(names) - set(FACETS)):
        raise UnknownThing(f"no facet named {strangers[0]!r}; there are: {', '.join(FACETS)}")
    catalog.require_mart(lake, "record_labels", "normalise")
    with catalog.connect(lake) as con:
        ways = catalog.ask(con, _WAYS_SQL)
        said = catalog.ask(con, _SAID_SQL)
    facets = [name for name in FACETS if name in ways["facet"].to_pylist()]
    if missing := [name for name in names if name not in facets]:
        there = ", ".join(facets) or "none"
        raise EmptyLake(f"no record has a label in facet {missing[0]!r}; facets with labels: {there}")
    ids = pa.array(list(sample_ids), pa.string())
    return {name: _facet(name, _of(ways, name), _of(said, name), ids) for name in (names or facets)}


def _of(table: pa.Table, facet: str) -> pa.Table:
    return table.filter(pc.equal(table["facet"], facet))


def _facet(name: str, ways: pa.Table, said: pa.Table, sample_ids: pa.Array) -> Facet:
    paths = [tuple(path) for path in ways["path"].to_pylist()]
    labels = sorted({path[-1] for path in paths})
    row = pc.index_in(said["sample_id"], sample_ids)
    known = pc.is_valid(row)
    said, rows = said.filter(known), row.filter(known).to_numpy().astype(np.int64)
    columns = pc.index_in(said["label"], pa.array(labels, pa.string())).to_numpy().astype(np.int64)
    shape = (len(sample_ids), len(labels))
    exact, learned = (
        _marks(rows[sure], columns[sure], shape)
        for sure in (said[column].to_numpy() >= SURE for column in ("stated", "learned"))
    )
    unsure = _csr((_marks(rows, columns, shape) - learned) > 0)
    return Facet(name, labels, paths, exact, learned, unsure)


def _marks(rows: Ints, columns: Ints, shape: tuple[int, int]) -> Any:
    return _csr(csr_array((np.ones(len(rows)), (rows, columns)), shape=shape) > 0)


def _csr(marked: Any) -> Any:
    """A sparse matrix of ones, with its columns in order."""
    found = csr_array(marked, dtype=np.float64)
    found.eliminate_zeros()
    found.sort_indices()
    return found


def _shares(facet: Facet) -> Any:
    """For each two labels the largest share of a way to the one that the other is at (labels × labels)."""
    place = {label: i for i, label in enumerate(facet.labels)}
    shares = {(i, i): 1.0 for i in place.values()}
    for way in facet.ways:
        for step, name in enumerate(way, 1):
            if name in place:
                pair = (place[way[-1]], place[name])
                shares[pair] = max(step / len(way), shares.get(pair, 0.0))
    pairs = np.array(sorted(shares)).reshape(-1, 2)
    values = np.array([shares[one, other] for one, other in pairs.tolist()])
    return csr_array((values, pairs.T), shape=(len(place), len(place)))


def _max_product(marked: Any, shares: Any) -> Any:
    """The matrix product with the maximum in place of the sum."""
    marked, n = marked.tocoo(), shares.shape[1]
    counts = np.diff(shares.indptr)[marked.col]
    start = np.repeat(shares.indptr[marked.col] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    place = np.arange(counts.sum()) + start.astype(np.int64)
    keys = np.repeat(marked.row, counts).astype(np.int64) * n + shares.indices[place]
    order = np.argsort(keys, kind="stable")
    distinct, first = np.unique(keys[order], return_index=True)
    values = np.maximum.reduceat(shares.data[place][order], first) if len(first) else np.zeros(0)
    found = csr_array((values, (distinct // n, distinct % n)), shape=(marked.shape[0], n))
    found.sort_indices()
    return found


_WAYS_SQL = """
    select distinct facet, if(path[-1] = label, path, [label]) as path from record_labels
    where facet is not null order by facet, path
"""
# an accepted label of a model counts as learned whatever the model's confidence was
_SAID_SQL = """
    with shown as (
        select sample_id, unnest(record_ids) as record_id from samples
    )

    select
        sample_id,
        facet,
        label,
        coalesce(max(confidence) filter (source <> 'model'), 0) as stated,
        max(if(source = 'model', 1.0, confidence)) as learned,
    from shown
    inner join record_labels using (record_id)
    where facet is not null
    group by all
    order by all
"""
