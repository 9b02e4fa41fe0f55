"""A condition in LanceDB's words chooses the same rows as DuckDB does, or there are no such words."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lake import Lake, vector_indices
from lake.catalog import Connection, ask, connect
from lake.columns import Columns
from lake.conditions import Plain, in_lance_words, in_sql, plain_tests
from lake.filters import all_matching, facts_sql, read_condition
from lake.freshness import keep_fresh
from lake.tables import SAMPLES
from lake.vector_table import VectorTable
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.lakes import write_mart
from tests.picture_lakes import picture_lake

Sides = tuple[Connection, VectorTable]
SAME = [
    "year = 1950", "year <> 1950", "year < 1950", "year >= 1999", "year between 1900 and 1950",
    "year between 1950 and 1900", "year in (1900, 1950, -3)", "year is null", "year is not null",
    "year = -44",
    "rights_class = 'open'", "rights_class <> 'open'", "rights_class in ('open', 'it''s')", "split is null",
    "rights_class > 'o'", "'train' in labels", "list_contains(labels, 'it''s')", "array_has(labels, '')",
    "list_has_any(labels, ['train', 'Zug'])", "labels && ['ship']", "SAMPLES.Year = 1950", "(year) = (1950)",
    "year = 1950 or 'train' in labels", "(year < 1950 or year is null) and rights_class = 'open'",
    "year = 1950 and (split = 'val' or (label = 'train' and 'ship' in labels))", "label = 'ÄÖ\u200b\"%_'",
    "list_contains(providers, 'P1') and list_contains(countries, 'Finland')", "sample_id > '8'",
    "cluster_id is not null", "year > 2147483 or year < -2147483",
    "list_has_any(labels, ['a', 'b', 'c', 'ship', 'it''s'])",
    "(year > 1900) and (year < 1999) and samples.year > -50", "label is null or split is not null",
]
ONLY_DUCKDB = [
    "not year = 1950", "year not in (1950)", "not ('train' in labels)", "title ilike '%number%'",
    "year = 1950.5",
    "year = '1950'", "year + 1 = 1951", "rights_class = split", "'1' = year::varchar", "year = null",
    "year in (1950, null)", "year between 1900 and year", "labels = ['train']", "len(labels) = 2", "true",
    "list_contains(labels, label)", "contains(title, 'Number')", "'P1' = any(providers)", "year = 1e3",
    "list_has_any(labels, archives)", "year = 99999999999", "labels is null", "split = null",
    "year is distinct from 1950", "year not between 1900 and 1950", "1950 = year", "labels[1] = 'train'",
    "case when year = 1950 then true end", "list_has_any(labels, [])", "path = 'x'", "year = 1_950",
]


@pytest.fixture(scope="module", params=["with indices", "without"])
def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """The same samples in both, with NULLs, empty lists and odd letters everywhere."""
    lake = Lake(Path(tmp_path_factory.mktemp("conditions")) / "lake").open()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "with indices":
            patch.setattr(vector_indices, "SCALAR_INDEX_FROM", 1)
        table = _filled(lake)
    assert (len(table.lance.list_indices()) > 8) == (request.param == "with indices")
    with connect(lake) as con:
        yield con, table


def _filled(lake: Lake) -> VectorTable:
    years, rights = [None, 1900, 1950, 1999, -44], [None, "open", "restricted", "it's"]
    labels: list[Any] = [None, [], ["train"], ["ship", "train"], ["it's", ""]]
    facts = {
        i: {"year": year, "rights_class": right, "labels": some, "split": [None, "val", "train"][i % 3],
            "label": ["train", None, "ÄÖ\u200b\"%_"][i % 3], "cluster_id": [None, "x"][i % 2]}
        for i, (year, right, some) in enumerate(itertools.product(years, rights, labels))
    }
    made = picture_lake(lake, len(facts), facts)
    write_mart(lake, SAMPLES, made[3:])    # three are gone, with their vectors still there
    store = VectorStore(lake)
    store.register(ModelInfo("m", 2, "", "", None, ""))
    store.add("m", [VectorRow(s["sample_id"], s["sha256"], np.ones(2, np.float32)) for s in made])
    keep_fresh(lake, "m", store)
    return store.open("m")


def words_of(con: Connection, where: str) -> str | None:
    plain = plain_tests(read_condition(con, where).tree)
    return in_lance_words(plain) if plain else None


def test_both_choose_the_same(sides: Sides) -> None:
    con, table = sides
    different = {}
    for where in SAME:
        words = words_of(con, where)
        assert words is not None, where
        picked = table.columns(["sample_id"], f"({words}) and facts_hash is not null")["sample_id"]
        by_lance, by_duckdb = sorted(picked.to_pylist()), sorted(all_matching(con, where).to_pylist())
        if by_lance != by_duckdb:
            different[where] = (len(by_lance), len(by_duckdb))
    assert not different


def test_what_might_mean_something_else_has_no_words(sides: Sides) -> None:
    con, _ = sides
    told = {where: words_of(con, where) for where in ONLY_DUCKDB if all_matching(con, where) is not None}
    assert not {where: words for where, words in told.items() if words is not None}


def test_a_mask_of_the_columns_in_memory_chooses_the_same(sides: Sides) -> None:
    con, _ = sides
    rows = ask(con, facts_sql(con, "true"))
    columns, allowed = Columns(rows), {*rows.schema.names}
    told = {where: columns.meeting(plain, allowed) for where, plain in plain_of(con, SAME).items()}
    untold = {where for where, mask in told.items() if mask is None}
    assert untold == {
        "rights_class > 'o'", "rights_class <> 'open'", "sample_id > '8'", "cluster_id is not null",
    }
    for where, mask in told.items():
        if mask is not None:
            chosen = rows["sample_id"].filter(pa.array(mask)).to_pylist()
            assert sorted(chosen) == sorted(all_matching(con, where).to_pylist()), where


def test_tests_said_in_sql_mean_the_same(sides: Sides) -> None:
    con, _ = sides
    for where, plain in plain_of(con, SAME).items():
        expected = sorted(all_matching(con, where).to_pylist())
        assert sorted(all_matching(con, in_sql(plain)).to_pylist()) == expected, where


def test_columns_that_are_not_allowed_are_left_to_a_query(sides: Sides) -> None:
    con, _ = sides
    rows = ask(con, facts_sql(con, "true"))
    plain = plain_tests(read_condition(con, "year = 1950 or 'train' in labels").tree)
    assert plain is not None
    assert Columns(rows).meeting(plain, {"year"}) is None
    assert Columns(rows).meeting(plain, {"year", "labels"}) is not None


def plain_of(con: Connection, conditions: list[str]) -> dict[str, Plain]:
    told = {where: plain_tests(read_condition(con, where).tree) for where in conditions}
    assert None not in told.values()
    return {where: plain for where, plain in told.items() if plain is not None}
