"""The vector store: what was added is there once, whole, and found exactly."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lake import Lake
from lake.errors import EmptyLake
from lake.vectors import ModelInfo, VectorRow, VectorStore

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
