"""What a table of vectors repeats of the samples follows them; the vectors stay as they are."""

from datetime import timedelta
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from lake import Lake
from lake.errors import EmptyLake
from lake.facts import shown
from lake.freshness import keep_fresh, state_of
from lake.tables import DUPLICATES, RECORDS, SAMPLES
from lake.vector_indices import keep_indices
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.lakes import write_mart
from tests.picture_lakes import picture_lake

N = 6


@pytest.fixture
def samples(lake: Lake) -> list[dict[str, Any]]:
    """Six samples with vectors, and their facts beside them."""
    made = picture_lake(lake, N)
    store = VectorStore(lake)
    store.register(ModelInfo("m", 4, "", "", None, ""))
    store.add("m", [row(sample, i) for i, sample in enumerate(made)])
    keep_fresh(lake, "m")
    return made


def row(sample: dict[str, Any], seed: int, **changes: str) -> VectorRow:
    vector = np.random.default_rng(seed).normal(size=4).astype(np.float32)
    return VectorRow(sample["sample_id"], changes.get("sha256", sample["sha256"]), vector)


def facts(lake: Lake, *names: str) -> dict[str, dict[str, Any]]:
    """These columns by sample_id; without names, what a result would be told from."""
    table = VectorStore(lake).open("m").columns(["sample_id", *(names or ["told"])])
    rows = {one["sample_id"]: one for one in table.to_pylist()}
    return rows if names else {sample_id: shown(one["told"] or "{}") for sample_id, one in rows.items()}


def vectors(lake: Lake, samples: list[dict[str, Any]]) -> Any:
    return VectorStore(lake).vectors("m", [sample["sample_id"] for sample in samples])[1]


def test_a_row_repeats_what_its_sample_says(lake: Lake, samples: list[dict[str, Any]]) -> None:
    found = facts(lake)[samples[1]["sample_id"]]
    told = {name: samples[1].get(name) for name in ("path", "title", "caption", "year", "attribution")}
    assert found == found | told | {
        "labels": ["odd", "number"], "providers": ["P1"], "countries": ["Finland"],
        "landing_urls": ["https://demo.invalid/1"],
    }
    columns = facts(lake, "title", "year", "labels", "providers")[samples[1]["sample_id"]]
    assert {name: found[name] for name in list(columns)[1:]} == dict(list(columns.items())[1:])


def test_what_changed_is_written_and_vectors_stay(lake: Lake, samples: list[dict[str, Any]]) -> None:
    before = vectors(lake, samples)
    changed = [samples[0] | {"title": None, "year": None, "split": "train", "labels": []}, *samples[1:]]
    write_mart(lake, SAMPLES, changed)
    keep_fresh(lake, "m")
    found = facts(lake)
    assert {found[samples[0]["sample_id"]][name] for name in ("title", "year")} == {None}
    assert found[samples[0]["sample_id"]]["split"] == "train"
    assert found[samples[1]["sample_id"]]["title"] == "Number 1"
    assert np.array_equal(vectors(lake, samples), before)


def test_a_change_of_records_alone_is_noticed(lake: Lake, samples: list[dict[str, Any]]) -> None:
    write_mart(lake, RECORDS, [{"record_id": "demo:0", "provider": "Elsewhere"}])
    keep_fresh(lake, "m")
    assert facts(lake, "providers")[samples[0]["sample_id"]]["providers"] == ["Elsewhere"]


def test_a_sample_that_is_gone_leaves_a_vector_that_says_nothing(
    lake: Lake, samples: list[dict[str, Any]],
) -> None:
    write_mart(lake, SAMPLES, samples[1:])
    keep_fresh(lake, "m")
    names = ("title", "labels", "told", "facts_hash", "title_other", "text_en")
    gone = facts(lake, *names)[samples[0]["sample_id"]]
    assert set(gone.values()) == {None, samples[0]["sample_id"]}
    assert len(vectors(lake, samples)) == N


def test_a_sample_that_comes_back_is_told_again(lake: Lake, samples: list[dict[str, Any]]) -> None:
    write_mart(lake, SAMPLES, samples[1:])
    keep_fresh(lake, "m")
    write_mart(lake, SAMPLES, samples)
    keep_fresh(lake, "m")
    assert facts(lake)[samples[0]["sample_id"]]["title"] == "Number 0"


def test_nothing_new_writes_nothing(lake: Lake, samples: list[dict[str, Any]]) -> None:
    before = VectorStore(lake).generation("m")
    keep_fresh(lake, "m")
    write_mart(lake, SAMPLES, samples)      # the same again: another file, nothing else
    keep_fresh(lake, "m")
    assert VectorStore(lake).generation("m") == before


def test_without_its_mark_a_table_is_compared_and_left_as_it_is(
    lake: Lake, samples: list[dict[str, Any]],
) -> None:
    before = VectorStore(lake).generation("m")
    (lake.vectors / "m.mark").unlink()
    keep_fresh(lake, "m")
    assert VectorStore(lake).generation("m") == before
    assert (lake.vectors / "m.mark").exists()


def test_vectors_added_or_made_anew_later_get_their_facts(lake: Lake, samples: list[dict[str, Any]]) -> None:
    store = VectorStore(lake)
    more = picture_lake(lake, N + 2)
    store.add("m", [row(more[0], 50, sha256="another picture"), *(row(one, 60) for one in more[N:])])
    keep_fresh(lake, "m", store)
    assert {one["year"] for one in facts(lake).values()} == {1900 + i for i in range(N + 2)}
    assert np.array_equal(vectors(lake, more[:1])[0], row(more[0], 50).vector)


def test_facts_do_not_overwrite_a_vector_that_is_newer(lake: Lake, samples: list[dict[str, Any]]) -> None:
    """As when `embed` commits between the reading of a vector and the writing of its facts."""
    store = VectorStore(lake)
    table = store.open("m")
    store.add("m", [row(samples[0], 99, sha256="newer")])
    stale = table.columns(["sample_id", "sha256", "vector", "title"]).to_pylist()
    merge = store.open("m").lance.merge_insert("sample_id")
    merge.when_matched_update_all(where="target.sha256 = source.sha256").execute(stale)
    assert np.array_equal(vectors(lake, samples[:1])[0], row(samples[0], 99).vector)


def test_titles_stand_in_the_column_of_their_language(lake: Lake, samples: list[dict[str, Any]]) -> None:
    for language in ("fi", "de"):
        write_mart_with_language(lake, samples, {0: language, 1: "pl"})
        keep_fresh(lake, "m")
    found = facts(lake, "title_de", "title_fi", "title_other", "text_en")
    of_0, of_1 = found[samples[0]["sample_id"]], found[samples[1]["sample_id"]]
    assert (of_0["title_de"], of_0["title_fi"], of_0["title_other"]) == ("Number 0", None, None)
    assert (of_1["title_de"], of_1["title_other"], of_1["text_en"]) == (None, "Number 1", "odd number")


def write_mart_with_language(lake: Lake, samples: list[dict[str, Any]], language_of: dict[int, str]) -> None:
    """As `curate` writes samples: with a column that the contract does not have."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_mart(lake, SAMPLES, samples)
    table = pq.read_table(lake.mart("samples"))
    languages = pa.array([language_of.get(i) for i in range(len(samples))], pa.string())
    pq.write_table(table.append_column("language", languages), lake.mart("samples"))


def test_a_column_that_an_older_version_wrote_goes(lake: Lake, samples: list[dict[str, Any]]) -> None:
    lance = VectorStore(lake).open("m").lance
    lance.add_columns({"colour": "'red'"})
    lance.drop_columns(["title"])
    write_mart(lake, SAMPLES, [sample | {"year": 1800} for sample in samples])
    keep_fresh(lake, "m")
    assert {one["year"] for one in facts(lake, "year", "title").values()} == {1800}
    assert "colour" not in VectorStore(lake).open("m").schema.names


def test_near_duplicates_are_counted_over_the_whole_cluster(
    lake: Lake, samples: list[dict[str, Any]],
) -> None:
    clustered = [samples[i] | {"cluster_id": "a" if i < 3 else None} for i in range(N)]
    write_mart(lake, SAMPLES, clustered)
    copies = [(0, "x"), (0, "y"), (1, "z"), (4, "w")]
    write_mart(lake, DUPLICATES, [{"sample_id": samples[i]["sample_id"], "sha256": sha} for i, sha in copies])
    keep_fresh(lake, "m")
    found = [facts(lake)[sample["sample_id"]] for sample in samples]
    assert [one["n_near"] for one in found] == [5, 5, 5, 0, 1, 0]
    assert [one["n_copies"] for one in found] == [2, 1, 0, 0, 1, 0]


def test_an_interrupted_copy_is_finished_by_the_next(
    lake: Lake, samples: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_mart(lake, SAMPLES, [sample | {"title": "New"} for sample in samples])
    monkeypatch.setattr("lake.freshness._AT_ONCE", 2)
    write, written = VectorStore.write_facts, []

    def dies_at_the_second(store: VectorStore, model_id: str, table: Any) -> None:
        written.append(len(table))
        if len(written) == 2:
            raise KeyboardInterrupt
        write(store, model_id, table)

    monkeypatch.setattr(VectorStore, "write_facts", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        keep_fresh(lake, "m")
    assert sum(one["title"] == "New" for one in facts(lake).values()) == 2
    keep_fresh(lake, "m")
    assert {one["title"] for one in facts(lake).values()} == {"New"}


def test_what_another_process_committed_first_is_looked_at_again(
    lake: Lake, samples: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when two shards are embedded side by side, and one compacts what the other makes an index of."""
    write_mart(lake, SAMPLES, [sample | {"title": "New"} for sample in samples])
    keep, tried = VectorStore.keep_indices, []

    def preempted_at_first(store: VectorStore, model_id: str) -> Any:
        tried.append(model_id)
        if len(tried) == 1:
            raise RuntimeError("lance error: Retryable commit conflict for version 24: preempted by Rewrite")
        return keep(store, model_id)

    monkeypatch.setattr(VectorStore, "keep_indices", preempted_at_first)
    assert keep_fresh(lake, "m") == state_of(lake, VectorStore(lake), "m")
    assert {one["title"] for one in facts(lake).values()} == {"New"}
    assert len(tried) == 2


def test_without_vectors_or_samples_it_says_what_comes_first(lake: Lake) -> None:
    with pytest.raises(EmptyLake, match="harvest"):
        keep_fresh(lake, "m")
    picture_lake(lake, 1)
    with pytest.raises(EmptyLake, match="embed"):
        keep_fresh(lake, "m")


def test_the_many_small_files_that_batches_leave_are_merged(lake):
    table = lancedb.connect(lake.vectors).create_table("scattered", pa.table({"sample_id": ["0"]}))
    for number in range(1, 12):
        table.add(pa.table({"sample_id": [str(number)]}))
    keep_indices(table, timedelta(hours=1))
    assert table.stats()["fragment_stats"]["num_fragments"] == 1
    assert sorted(table.to_arrow()["sample_id"].to_pylist(), key=int) == [str(n) for n in range(12)]
