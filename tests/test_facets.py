"""Facets counted against what DuckDB counts, and the tree of labels."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake import Lake
from lake.catalog import Connection, ask, connect
from lake.conditions import in_sql
from lake.facets import FacetIndex, Narrowing, read_facets
from lake.label_places import LabelNode, LabelPlaces
from lake.tables import RAW_HITS, RECORD_LABELS, RECORDS, RIGHTS_CLASSES, SAMPLES, SPLITS
from tests.lakes import write_mart, write_raw

N = 60
PATHS = {
    "train": ["vehicle", "rail", "train"], "tram": ["vehicle", "rail", "tram"], "ship": ["vehicle", "ship"],
    "church": ["place", "church"],
}
LABELS = [*PATHS, "unplaced"]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    lake = Lake(tmp_path_factory.mktemp("facets") / "lake").open()
    write_raw(lake, RAW_HITS, [{"hit_id": "1"}])
    samples = [
        {"sample_id": f"{i:04d}", "record_ids": [f"a:{i}"], "archives": ["a", "b"][i % 3 == 0:][:1 + i % 2],
         "labels": sorted({LABELS[i % 5], LABELS[i % 3]}) if i % 7 else None,
         "year": None if i % 11 == 0 else 1900 + i, "rights_class": RIGHTS_CLASSES[i % 4],
         "split": SPLITS[i % 3]}
        for i in range(N)
    ]
    labels = [{"record_id": "a:1", "label": label, "facet": "topic", "path": path}
              for label, path in PATHS.items()]
    write_mart(lake, RECORDS, [{"record_id": f"a:{i}", "provider": f"P'{i % 4}"} for i in range(N)])
    write_mart(lake, RECORD_LABELS, labels)
    write_mart(lake, SAMPLES, samples)
    with connect(lake) as con:
        yield con


@pytest.fixture(scope="module")
def index(con: Connection) -> FacetIndex:
    return read_facets(con)


def some(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


narrowings = st.builds(
    Narrowing, year_from=st.none() | st.integers(1890, 1970), year_to=st.none() | st.integers(1890, 1970),
    archives=some(["a", "b", "none"]), labels=some([*LABELS, "vehicle", "rail", "nothing"]),
    rights=some(list(RIGHTS_CLASSES)), splits=some(list(SPLITS)),
)


def sql_of(narrowing: Narrowing, index: FacetIndex) -> str:
    tests = narrowing.tests(index.labels_below)
    return in_sql(tests) if tests else "true"


@given(narrowing=narrowings)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_condition_and_the_counts_mean_the_same(
    con: Connection, index: FacetIndex, narrowing: Narrowing,
) -> None:
    condition = sql_of(narrowing, index)
    ids = ask(con, f"select sample_id from samples where {condition} order by 1")["sample_id"].to_pylist()
    facets = index.facets(narrowing)
    assert index.ids(narrowing, N) == ids
    assert (index.count(narrowing), facets.n_samples) == (len(ids), len(ids))
    for facet, column in (("rights", "rights_class"), ("splits", "split")):
        widened = sql_of(Narrowing(**{**vars(narrowing), facet: ()}), index)
        sql = f"select {column} as name, count(*) as n from samples where {widened} group by 1"
        expected = {row["name"]: row["n"] for row in ask(con, sql).to_pylist()}
        assert {count.name: count.n for count in getattr(facets, facet) if count.n} == expected


def test_providers_come_from_the_records(index: FacetIndex) -> None:
    assert {count.name: count.n for count in index.facets(Narrowing()).providers} == {
        f"P'{i}": N // 4 for i in range(4)
    }
    assert index.count(Narrowing(providers=("P'1", "P'2"))) == N // 2


def places(nodes: tuple[LabelNode, ...]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        yield node.label, node.n
        yield from places(node.children)


def test_a_place_counts_each_sample_once_however_many_labels_below_it_has(
    con: Connection, index: FacetIndex,
) -> None:
    counted = dict(places(index.facets(Narrowing()).labels))
    for label in ("vehicle", "rail", "train", "church", "unplaced"):
        below = ", ".join(f"'{name}'" for name in index.labels_below(label))
        sql = f"select count(*) as n from samples where list_has_any(labels, [{below}])"
        assert counted[label] == ask(con, sql)["n"][0].as_py()


def test_a_label_below_two_others_stands_at_both_places() -> None:
    tree = LabelPlaces([("topic", ["war", "camp"]), ("topic", ["place", "camp"])])
    tree.codes_of(["camp"])
    assert set(tree.below("war")) == {"war", "camp"}
    assert set(tree.below("place")) == {"place", "camp"}
    assert [node.label for node in tree.tree([1, 1, 1, 1, 1, 1])] == ["place", "war"]


def test_bars_hold_every_dated_sample_and_are_few(index: FacetIndex) -> None:
    facets = index.facets(Narrowing())
    assert sum(bar.n for bar in facets.years) + facets.n_undated == N
    assert len(facets.years) <= 48
    assert all(after.first == before.last + 1 for before, after in pairwise(facets.years))


def test_a_lake_of_nothing_has_empty_facets(lake: Lake) -> None:
    write_raw(lake, RAW_HITS, [{"hit_id": "1"}])
    write_mart(lake, RECORDS, [])
    write_mart(lake, SAMPLES, [])
    with connect(lake) as con:
        index = read_facets(con)
    facets = index.facets(Narrowing(archives=("a",), labels=("x",), year_from=1900))
    assert (facets.n_samples, facets.years, facets.labels, facets.archives) == (0, (), (), ())
    assert index.ids(Narrowing(), 10) == []
