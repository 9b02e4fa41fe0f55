"""curate again: what was compared is not compared anew, embeddings are asked, tiers are told by choice."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from lake import Lake
from lake.tables import RAW_NEAR_VECTORS, SAMPLES
from lake.vectors import ModelInfo, VectorRow, VectorStore
from pipelines import transform
from pipelines.near_vectors import near_pairs, write_near_pairs
from pipelines.splits_page import splits_page
from tests.lakes import write_mart
from tests.picture_copies import build_compared, compare_rows, distinct_table
from tests.sql_models import build_model

Row = dict[str, Any]


def _files(n: int, seed: int) -> list[Row]:
    """Rows of int_images__distinct: a third as they are, the rest turned, cropped, framed, nearly alike."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(n):
        turned = [int(bits) for bits in rng.integers(0, 2**63, 8)]
        crops = [int(bits) for bits in rng.integers(0, 2**63, 14)]
        row = {"inside_bits": None, "thumbnail": [int(tone) for tone in rng.integers(0, 255, 256)]}
        if number % 3:
            model = rows[int(rng.integers(0, number))]
            asked = [*model["turned_bits"], *model["crop_bits"], *(model["inside_bits"] or [])]
            noise = 0 if number % 2 else 1 << int(rng.integers(0, 60))
            turned[0] = asked[rng.integers(0, len(asked))] ^ noise
            row["thumbnail"] = model["thumbnail"]
            if number % 5 == 0:
                row["inside_bits"] = model["turned_bits"]
        rows.append(row | {
            "sha256": f"{int(rng.integers(0, 2**60)):064x}", "hash_bits": turned[0], "turned_bits": turned,
            "crop_bits": crops, "difference_bits": [0, 0] * 15, "entropy": 6.0,
            "inside_thumbnail": row["inside_bits"] and row["thumbnail"],
        })
        rows[-1]["pixel_hash"] = rows[-1]["sha256"]
    return rows


def _compared(con: duckdb.DuckDBPyConnection, files: Iterable[Row]) -> tuple[set[tuple[Any, ...]], int]:
    """What is compared after another run on what the connection kept, and how many faces were new to it."""
    con.register("given", distinct_table(files))
    con.execute("create or replace table int_images__distinct as select * from given")
    build_compared(con)
    found = set(con.execute("select * from int_images__compared").fetchall())
    (n_new,) = con.execute("select count(distinct sha256) from int_images__faces where is_new").fetchall()[0]
    return found, n_new


def test_a_lake_that_grows_and_shrinks_is_compared_as_if_anew_and_only_what_is_new() -> None:
    files, chance = _files(120, 3), random.Random(3)
    held: set[str] = set()
    with duckdb.connect() as con:
        for n in (60, 70, 40, 120):
            part = chance.sample(files, n)
            names = {row["sha256"] for row in part}
            found, n_new = _compared(con, part)
            with duckdb.connect() as fresh:
                assert found == _compared(fresh, reversed(part))[0]
            assert n_new == len(names - held)
            held = names
    assert len(found) > 40


def test_a_new_hash_of_an_old_file_is_compared() -> None:
    one, other = _files(4, 5)[::3]
    with duckdb.connect() as con:
        assert _compared(con, [one, other])[0] == set()
        other["hash_bits"], other["turned_bits"] = one["hash_bits"], one["turned_bits"]
        other["thumbnail"] = one["thumbnail"]
        assert len(_compared(con, [one, other])[0]) == 1


@pytest.mark.parametrize("last", range(4))
def test_what_was_compared_is_kept_whole_or_not_at_all(
    last: int, lake: Lake, monkeypatch: pytest.MonkeyPatch,
) -> None:
    drafts = lake.dbt / "marts"
    for age in ("old", "new"):
        drafts.mkdir(parents=True, exist_ok=True)
        for name in ("kept-faces-4.parquet", "kept-hashes-4.parquet"):
            (drafts / name).write_text(age)
        if age == "old":
            transform._keep(lake, drafts)
    moves = iter(range(10))
    really = Path.replace

    def stop(path: Path, target: Path) -> Path:
        if next(moves) == last:
            raise KeyboardInterrupt
        return really(path, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        transform._keep(lake, drafts)
    kept = [path.read_text() for path in (lake.dbt / "kept").glob("*")]
    assert kept in ([], ["old", "old"], ["new", "new"])


def _tiers(n_train: Iterable[int], **options: Any) -> str:
    """The first letter of each label's tier, of labels with so many training samples, in their order."""
    counts = [(f"l{place:02d}", n) for place, n in enumerate(n_train)]
    carried = [(label, f"{label} {i}") for label, n in counts for i in range(n)]
    record_labels = {"label": [label for label, _ in counts], "source": ["query"] * len(counts),
                     "source_value": ["q"] * len(counts), "facet": ["topic"] * len(counts),
                     "path": [[label] for label, _ in counts], "record_id": ["demo:1"] * len(counts),
                     "confidence": [1.0] * len(counts)}
    samples = {"cluster_id": [name for _, name in carried], "label": [label for label, _ in carried]}
    given = {"int_record_labels__united": record_labels, "int_samples__annotated": samples,
             "int_samples__split": {"cluster_id": samples["cluster_id"], "split": ["train"] * len(carried)}}
    with duckdb.connect() as con:
        for name, columns in given.items():
            con.register(f"given_{name}", pa.table(columns))
            con.execute(f"create table {name} as select * from given_{name}")
        build_model(con, "labels", **options)
        rows = con.execute("select tier from labels order by label").fetchall()
    return "".join(tier.replace("tail", "z")[0] for (tier,) in rows)


def test_four_fifths_of_the_training_labels_are_the_head_and_the_rarest_fifth_of_names_the_tail() -> None:
    assert _tiers([50, 25, 8, 6, 4, 2, 2, 1, 1, 1]) == "hhhtttttzz"
    assert _tiers([10, 10, 10, 10, 10]) == "hhhhz"
    assert _tiers([7, 0, 0]) == "hzz"


def test_tiers_by_counts_have_their_bounds_inside() -> None:
    given = {"tiers": "counts", "head_from": 10, "tail_below": 5}
    assert _tiers([11, 10, 9, 5, 4, 0], **given) == "hhttzz"


def test_near_vectors_are_those_of_brute_force() -> None:
    vectors = np.random.default_rng(2).normal(size=(3000, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    wanted = {(int(a), int(b)) for a, b in np.argwhere(cosines >= 0.999895) if a < b}
    assert {(a, b) for a, b, _ in near_pairs(vectors, 0.9999)} == wanted
    assert len(wanted) > 20


@pytest.mark.parametrize("kept_as", [np.float32, np.float16])
def test_equal_vectors_are_near_at_any_distance_and_vectors_of_nothing_are_not(kept_as: Any) -> None:
    vectors = np.random.default_rng(2).normal(size=(50, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    twice = np.concatenate([vectors, vectors, np.zeros((2, 384))]).astype(kept_as).astype(np.float32)
    assert list(near_pairs(twice, 1.0)) == [(n, n + 50, 1.0) for n in range(50)]


def test_pairs_of_near_embeddings_stay_on_file_and_need_hashes_that_do_not_contradict(lake: Lake) -> None:
    names = [letter * 64 for letter in "abc"]
    samples = [{"sample_id": name[:16], "sha256": name} for name in names]
    write_mart(lake, SAMPLES, samples)
    assert write_near_pairs(lake, 0.1) == 0
    store = VectorStore(lake)
    store.register(ModelInfo("m", 2, "m", "none", None, "test"))
    upright = np.array([1, 0], dtype=np.float32)
    store.add("m", [VectorRow(name[:16], name, upright) for name in names])
    assert write_near_pairs(lake, 0.1) == 3
    write_mart(lake, SAMPLES, samples[1:])
    assert write_near_pairs(lake, 0.1) == 3
    pairs = duckdb.sql(f"from '{lake.raw / RAW_NEAR_VECTORS.name}/*.parquet'").to_arrow_table()
    rows = [
        {"sha256": name, "pixel_hash": name, "hash_bits": bits, "turned_bits": [bits], "entropy": 6.0}
        for name, bits in zip(names, (0, 2**9 - 1, 2**20 - 1), strict=True)
    ]
    found = compare_rows(rows, pairs, near_by_embedding=0.1)
    assert {(row["sha256_a"][0], row["sha256_b"][0], row["evidence"], row["distance"]) for row in found} == {
        ("a", "b", "embedding", 9),
    }
    assert compare_rows(rows, pairs) == []


def test_of_vectors_that_were_replaced_only_the_new_ones_tell(lake: Lake) -> None:
    names = [letter * 64 for letter in "abc"]
    write_mart(lake, SAMPLES, [{"sample_id": name[:16], "sha256": name} for name in names])
    store = VectorStore(lake)
    store.register(ModelInfo("m", 2, "m", "none", None, "test"))
    for vectors, n_pairs in (([(1, 0), (1, 0), (0, 1)], 1), ([(1, 0), (0, 1), (0, 1)], 1)):
        rows = zip(names, np.array(vectors, dtype=np.float32), strict=True)
        store.add("m", [VectorRow(name[:16], name, vector) for name, vector in rows])
        assert write_near_pairs(lake, 0.1) == n_pairs
    (pair,) = duckdb.execute(f"from '{lake.raw / RAW_NEAR_VECTORS.name}/*.parquet'").fetchall()
    assert [sha256[0] for sha256 in pair[:2]] == ["b", "c"]


def test_near_embeddings_are_told_of_the_file_that_stands_for_its_pixels() -> None:
    rows = [
        {"sha256": name, "pixel_hash": pixels, "hash_bits": bits, "turned_bits": [bits], "entropy": 6.0}
        for name, pixels, bits in (("a", "same", 0), ("b", "same", 0), ("c", "other", 2**9 - 1))
    ]
    pairs = pa.table({"sha256_a": ["b"], "sha256_b": ["c"], "model_id": ["m"], "cosine": [0.99]})
    found = {(row["sha256_a"], row["sha256_b"], row["evidence"]) for row in
             compare_rows(rows, pairs, near_by_embedding=0.1)}
    assert found == {("a", "b", "pixels"), ("a", "c", "embedding")}


def test_the_audit_is_also_a_page() -> None:
    counts = {"n_samples": 4, "n_train": 3, "n_val": 1, "n_test_id": 0, "n_test_ood": 0}
    page = splits_page(counts | {
        "n_pairs": 2, "n_pairs_on_two_sides": 0, "n_groups": 4, "near_distance": 4, "val_split": 0.25,
        "test_split": 0.0, "seed": 42, "labels": [counts | {"label": "<tram>"}],
        "ood_providers": ["<Museum>"],
    })
    assert "<strong>0 pairs" in page
    assert "<td>&lt;tram&gt;</td><td>4</td><td>3</td><td>75.0%</td><td>1</td><td>25.0%</td>" in page
    assert "<th>test_ood" not in page
    assert "test_ood: &lt;Museum&gt;." in page
