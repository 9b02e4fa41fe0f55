"""The vector store: what was added is there once, whole, and found exactly."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from lake import Lake, vector_indices
from lake.drafts import lacks_room
from lake.errors import EmptyLake
from lake.near_rows import NearRows
from lake.vector_indices import Kept
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.lakes import little_room

DIM = 8


def info(model_id: str = "m-1") -> ModelInfo:
    return ModelInfo(model_id, DIM, model="ViT-B-32", pretrained="openai", checkpoint=None, source="s")


def rows(n: int, seed: int = 0) -> list[VectorRow]:
    values = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return [VectorRow(f"{i:016x}", f"{i:064x}", values[i]) for i in range(n)]


def stacked(added: list[VectorRow]) -> NDArray[np.float32]:
    return np.stack([row.vector for row in added])


@pytest.fixture
def store(lake: Lake) -> VectorStore:
    made = VectorStore(lake)
    made.register(info())
    return made


def test_added_vectors_come_back_in_the_order_asked_for(store: VectorStore) -> None:
    added = rows(30)
    store.add("m-1", added)
    held, values = store.vectors("m-1", [added[7].sample_id, "not there", added[3].sample_id])
    assert held == [added[7].sample_id, added[3].sample_id]
    assert np.array_equal(values, stacked([added[7], added[3]]))


def test_adding_again_changes_nothing(store: VectorStore) -> None:
    store.add("m-1", rows(10))
    store.add("m-1", rows(10))
    assert store.count("m-1") == 10


def test_two_that_add_the_same_samples_at_once_leave_one_row_of_each(lake: Lake, store: VectorStore) -> None:
    stores, start = (store, VectorStore(lake)), Barrier(2)

    def add(one: VectorStore) -> None:
        start.wait()
        for n in range(1, 6):
            one.add("m-1", rows(20 * n))

    with ThreadPoolExecutor(2) as both:
        list(both.map(add, stores))
    assert store.count("m-1") == 100


def test_two_rows_of_one_sample_in_one_batch_leave_the_last(store: VectorStore) -> None:
    first, second = rows(1, seed=1)[0], rows(1, seed=2)[0]
    store.add("m-1", [first, second])
    assert np.array_equal(store.vectors("m-1", [first.sample_id])[1][0], second.vector)


def test_missing_are_samples_without_a_vector_or_with_one_of_another_picture(store: VectorStore) -> None:
    store.add("m-1", rows(3))
    pictures = {row.sample_id: row.sha256 for row in rows(4)} | {f"{1:016x}": "another picture"}
    assert store.missing("m-1", pictures) == [f"{1:016x}", f"{3:016x}"]


def test_everything_is_missing_for_an_unknown_model(store: VectorStore) -> None:
    assert store.missing("other", {"a": "x"}) == ["a"]


def test_nearest_is_what_all_dot_products_say(store: VectorStore) -> None:
    added = rows(300)
    store.add("m-1", added)
    query = rows(1, seed=9)[0].vector
    scores = stacked(added) @ query
    found = store.nearest("m-1", query, limit=25)
    assert [n.sample_id for n in found] == [added[i].sample_id for i in np.argsort(-scores)[:25]]
    assert np.allclose([n.score for n in found], np.sort(scores)[::-1][:25], atol=1e-6)


def test_nearest_among_some_is_the_same_search_over_only_them(store: VectorStore) -> None:
    added = rows(100)
    store.add("m-1", added)
    query = rows(1, seed=9)[0].vector
    few = {row.sample_id for row in added[::7]}
    everyone = store.nearest("m-1", query, limit=100)
    among = store.nearest("m-1", query, limit=5, among=few)
    assert [n.sample_id for n in among] == [n.sample_id for n in everyone if n.sample_id in few][:5]


def test_nearest_among_none_is_none(store: VectorStore) -> None:
    store.add("m-1", rows(3))
    assert store.nearest("m-1", rows(1)[0].vector, limit=5, among=[]) == []


def test_a_quote_in_a_sample_id_is_a_quote(store: VectorStore) -> None:
    assert store.vectors("m-1", ["x') or ('1' = '1"])[0] == []


def test_the_model_registered_last_comes_first(store: VectorStore) -> None:
    store.register(info("m-2"))
    store.register(info("m-1"))
    assert [known.model_id for known in store.models()] == ["m-1", "m-2"]


def test_models_do_not_mix(store: VectorStore) -> None:
    store.register(info("m-2"))
    store.add("m-1", rows(4))
    store.add("m-2", rows(2))
    assert (store.count("m-1"), store.count("m-2")) == (4, 2)


def test_compacting_keeps_every_vector(store: VectorStore) -> None:
    for row in rows(20):
        store.add("m-1", [row])
    store.compact("m-1")
    assert np.array_equal(store.vectors("m-1", [row.sample_id for row in rows(20)])[1], stacked(rows(20)))


def test_asking_an_empty_store_says_which_stage_comes_first(lake: Lake) -> None:
    assert VectorStore(lake).models() == []
    with pytest.raises(EmptyLake, match="glamlake embed"):
        VectorStore(lake).nearest("m-1", rows(1)[0].vector, limit=1)


def test_half_precision_keeps_what_is_near(lake: Lake) -> None:
    store = VectorStore(lake)
    store.register(replace(info("half"), dtype="float16"))
    store.add("half", rows(200))
    found = store.nearest("half", rows(1, seed=9)[0].vector, limit=5)
    scores = stacked(rows(200)) @ rows(1, seed=9)[0].vector
    assert [n.sample_id for n in found] == [rows(200)[i].sample_id for i in np.argsort(-scores)[:5]]
    assert np.allclose([n.score for n in found], np.sort(scores)[::-1][:5], atol=1e-3)
    assert store.vectors("half", [rows(1)[0].sample_id])[1].dtype == np.float32


def test_a_table_that_found_no_room_is_made_when_there_is_some(lake: Lake) -> None:
    with little_room(100), pytest.raises(Exception, match="File too large") as failed:
        VectorStore(lake).register(info())
    assert lacks_room(failed.value)
    store = VectorStore(lake)
    assert (store.models(), store.missing("m-1", {"a": "b"})) == ([], ["a"])
    with pytest.raises(EmptyLake, match="glamlake embed"):
        store.open("m-1")
    store.register(info())
    store.add("m-1", rows(3))
    assert [store.count(known.model_id) for known in store.models()] == [3]


def test_a_generation_ends_with_every_commit_and_not_before(store: VectorStore, lake: Lake) -> None:
    seen = [store.generation("m-1"), VectorStore(lake).generation("m-1")]
    assert len(set(seen)) == 1
    for n in range(1, 4):
        VectorStore(lake).add("m-1", rows(n))
        seen.append(store.generation("m-1"))
    store.compact("m-1")
    assert len(set(seen)) == 4
    assert store.count("m-1") == 3


def test_a_table_held_open_stays_as_it_was(store: VectorStore) -> None:
    store.add("m-1", rows(2))
    table = store.open("m-1")
    store.add("m-1", rows(5))
    store.compact("m-1")
    assert (table.count(), store.open("m-1").count()) == (2, 5)
    assert len(table.columns(["sample_id"])) == 2


def test_rows_are_taken_in_the_order_asked_for(store: VectorStore) -> None:
    store.add("m-1", rows(9))
    table = store.open("m-1")
    found = table.columns(["sample_id", "_rowid"]).to_pylist()[::-2]
    taken = table.taken([row["_rowid"] for row in found], ["sample_id"])
    assert taken["sample_id"].to_pylist() == [row["sample_id"] for row in found]
    assert len(table.taken([], ["sample_id", "vector"])) == 0


class TestLargeTable:
    """One that is large enough for a vector index: clustered vectors, as pictures' are."""

    N = 3000

    @pytest.fixture
    def large(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> VectorStore:
        monkeypatch.setattr(vector_indices, "VECTOR_INDEX_FROM", self.N)
        monkeypatch.setattr(vector_indices, "MOST_BEHIND", 100)
        store = VectorStore(lake)
        self.fill(store, self.rows())
        store.keep_indices("large")
        return store

    def fill(self, store: VectorStore, rows: list[VectorRow]) -> None:
        store.register(replace(info("large"), dim=32))
        store.add("large", rows)
        hashes = pa.array(range(len(rows)), pa.int64())
        ids = [row.sample_id for row in rows]
        store.write_facts("large", pa.table({"sample_id": ids, "facts_hash": hashes, "told": ids}))

    def rows(self, seed: int = 0) -> list[VectorRow]:
        rng = np.random.default_rng(seed)
        centres = np.random.default_rng(1).normal(size=(40, 32))
        values = centres[rng.integers(0, 40, self.N)] + 0.5 * rng.normal(size=(self.N, 32))
        values = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
        return [VectorRow(f"{i:016x}", f"{i:064x}", values[i]) for i in range(self.N)]

    def recall(self, store: VectorStore, added: list[VectorRow]) -> float:
        matrix, found = stacked(added), []
        near_rows = store.near("large", store.generation("large"))
        assert near_rows is not None
        for query in stacked(self.rows(seed=3))[:20]:
            near = [near_rows.cell("sample_id", int(place)) for place in near_rows.nearest(query, 10)[0]]
            true = {added[i].sample_id for i in np.argsort(-(matrix @ query))[:10]}
            found.append(len(true & set(near)) / 10)
        return float(np.mean(found))

    def test_an_index_is_built_and_finds_nearly_all(self, large: VectorStore) -> None:
        assert self.recall(large, self.rows()) >= 0.95

    def test_exact_finds_all(self, large: VectorStore) -> None:
        query, matrix = self.rows(seed=3)[0].vector, stacked(self.rows())
        near_rows = large.near("large", large.generation("large"))
        assert near_rows is not None
        found = [self.number(near_rows, place) for place in near_rows.nearest(query, 50, exact=True)[0]]
        assert found == np.argsort(-(matrix @ query))[:50].tolist()

    def number(self, near_rows: NearRows, place: int) -> int:
        return int(near_rows.cell("sample_id", int(place)), 16)

    def test_rows_added_or_changed_later_are_found_before_and_after_they_are_folded_in(
        self, large: VectorStore,
    ) -> None:
        other = self.rows(seed=7)
        added = [*other[:500], *self.rows()[500:]]
        large.add("large", other[:500])
        assert self.recall(large, added) >= 0.95
        assert large.keep_indices("large").folded_in == 500
        assert self.recall(large, added) >= 0.95

    @pytest.mark.parametrize("step", [2, 30, 3000])
    def test_of_those_a_mask_keeps_the_nearest_are_found(self, large: VectorStore, step: int) -> None:
        near_rows = large.near("large", large.generation("large"))
        assert near_rows is not None
        numbers = np.array([self.number(near_rows, place) for place in range(self.N)])
        matrix, mask, found = stacked(self.rows()), numbers % step == 0, []
        for query in stacked(self.rows(seed=3))[:20]:
            true = [i for i in np.argsort(-(matrix @ query)).tolist() if i % step == 0][:10]
            assert numbers[near_rows.nearest(query, 10, mask, exact=True)[0]].tolist() == true
            found.append(len(set(numbers[near_rows.nearest(query, 10, mask)[0]]) & set(true)) / len(true))
        assert np.mean(found) >= 0.95

    def test_an_index_is_not_built_twice_and_no_old_one_stays(self, lake: Lake, large: VectorStore) -> None:
        def made() -> list[Path]:
            return list((lake.vectors / "large.near").iterdir())

        before = made()
        assert (large.keep_indices("large"), made()) == (Kept(0, 0), before)
        large.add("large", self.rows(seed=7)[:500])
        large.keep_indices("large")
        assert len(made()) == 1 != before

    def test_an_index_of_a_table_that_was_deleted_is_not_used(self, lake: Lake, large: VectorStore) -> None:
        shutil.rmtree(lake.vectors / "large.lance")
        store = VectorStore(lake)
        self.fill(store, self.rows(seed=5))
        assert store.near("large", store.generation("large")) is None
        store.keep_indices("large")
        assert self.recall(store, self.rows(seed=5)) >= 0.95

    def test_a_small_table_has_none(self, store: VectorStore) -> None:
        store.add("m-1", rows(200))
        store.keep_indices("m-1")
        assert store.near("m-1", store.generation("m-1")) is None
