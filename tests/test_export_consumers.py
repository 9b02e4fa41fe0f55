"""Exports read back by their users: open_clip, datasets, mlcroissant, numpy, pandas, polars, DuckDB."""

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from lake import Lake
from lake.errors import EmptyLake, ExportError
from lake.tables import RAW_HARVESTS, RECORD_LABELS
from lake.vectors import VectorStore
from pipelines.exports import ExportOptions, export, export_by_content, verify_export
from tests.commands import ROOT
from tests.export_lakes import CC0, content, encoded, manifest, noise, read_csv, sample, stock
from tests.lakes import NOON, noise_jpeg, write_mart, write_raw
from tests.motley_lake import MODEL, motley_lake

FORMATS = ("csv", "eufcc", "huggingface", "vectors", "webdataset")


@pytest.fixture(scope="module")
def motley(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return motley_lake(Lake(tmp_path_factory.mktemp("motley") / "lake").open())


@pytest.fixture(scope="module")
def exported(motley: Lake) -> dict[str, Path]:
    """One export of each format."""
    return {name: export(motley, name, f"all_{name}", ExportOptions(shard_size=3)) for name in FORMATS}


def rows_of(lake: Lake) -> dict[str, dict[str, Any]]:
    return {row["sample_id"]: row for row in pq.read_table(lake.mart("samples")).to_pylist()}


def pixels(lake: Lake, row: dict[str, Any]) -> np.ndarray[Any, Any]:
    with Image.open(lake.root / row["path"]) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


# ── huggingface ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def loaded(exported: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
        import datasets

        cache = tmp_path_factory.mktemp("cache")
        yield datasets.load_dataset(str(exported["huggingface"]), cache_dir=str(cache))


def test_datasets_reads_every_split_and_row_offline(motley: Lake, loaded: Any) -> None:
    rows = rows_of(motley)
    assert {split: len(part) for split, part in loaded.items()} == {"train": 9, "val": 2}
    for split, part in loaded.items():
        for found in part.remove_columns("image"):
            expected = rows[found["sample_id"]]
            assert split == expected["split"]
            assert {name: found[name] for name in expected if name != "path"} == {
                name: value for name, value in expected.items() if name != "path"
            }


def test_datasets_decodes_the_lakes_pixels(motley: Lake, loaded: Any) -> None:
    rows = rows_of(motley)
    for part in loaded.values():
        for found in part:
            expected = pixels(motley, rows[found["sample_id"]])
            assert np.array_equal(np.asarray(found["image"].convert("RGB")), expected)


def test_first_rows_of_nulls_keep_the_types(exported: dict[str, Path], loaded: Any) -> None:
    first = loaded["train"][0]
    assert (first["title"], first["year"], first["labels"], first["label"]) == (None, None, [], None)
    assert loaded["train"].features["year"].dtype == "int32"
    table = pq.read_table(exported["huggingface"] / "data/train-00000.parquet")
    assert table.schema.field("description").type == pa.string()
    assert table["description"].null_count == len(table) == 3
    names = {row["path"] for row in table["image"].to_pylist()}
    assert all(name.rsplit(".")[1] in ("jpg", "png") for name in names)


# ── webdataset, as open_clip's own training reads it ─────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def open_clip_data(exported: dict[str, Path]) -> Any:
    """What `open_clip_train` makes of its command line and its tokenizer; pixels are left as they come."""
    import open_clip
    from open_clip_train.data import get_data
    from open_clip_train.distributed import init_distributed_device
    from open_clip_train.params import parse_args

    folder = exported["webdataset"]
    args = parse_args([
        "--dataset-type", "webdataset", "--train-data", f"{folder}/train/{{00000..00002}}.tar",
        "--val-data", f"{folder}/val/00000.tar", "--batch-size", "1", "--workers", "0", "--device", "cpu",
    ])
    init_distributed_device(args)
    return get_data(args, (as_it_comes, as_it_comes), tokenizer=open_clip.get_tokenizer(args.model))


def as_it_comes(image: Image.Image) -> Any:
    from torch import from_numpy

    return from_numpy(np.array(image))


def test_open_clips_training_reader_counts_the_samples(open_clip_data: Any) -> None:
    train = open_clip_data["train"].dataloader
    assert (train.num_samples, train.num_batches) == (9, 9)
    batches = {split: len(list(data.dataloader)) for split, data in open_clip_data.items()}
    assert batches == {"train": 9, "val": 2}


def test_open_clips_training_reader_pairs_the_lakes_pixels_and_captions(
    motley: Lake, open_clip_data: Any
) -> None:
    from open_clip import get_tokenizer

    tokens = get_tokenizer("RN50")
    for split, data in open_clip_data.items():
        rows = [row for row in rows_of(motley).values() if row["split"] == split]
        found = {tuple(text[0].tolist()): np.asarray(image[0], int) for image, text in data.dataloader}
        assert len(found) == len(rows)
        for row in rows:
            text = row["caption"] or row["title"] or ", ".join(row["labels"])
            difference = np.abs(found[tuple(tokens(text)[0].tolist())] - pixels(motley, row))
            assert difference.mean() < 2
            if row["path"].endswith(".jpg"):    # the others were encoded anew
                assert not difference.any()


# ── csv ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reader", ["pandas", "polars", "duckdb"])
def test_quotes_commas_and_newlines_of_titles_survive_in_csv(
    motley: Lake, exported: dict[str, Path], reader: str
) -> None:
    path = exported["csv"] / "metadata_multi_label.csv"
    if reader == "duckdb":
        with duckdb.connect() as con:
            found = con.sql(f"select id, title, doc_year from '{path}'").fetchall()
    elif reader == "polars":
        found = pl.read_csv(path)["id", "title", "doc_year"].rows()
    else:
        table = read_csv(path)[["id", "title", "doc_year"]].astype(object)
        found = list(table.where(table.notna(), None).itertuples(index=False, name=None))
    expected = {(key, row["title"], row["year"]) for key, row in rows_of(motley).items()}
    assert {tuple(row) for row in found} == expected


# ── every export: samples, card, Croissant ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def mlcroissant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The library, with a cache of its own: it takes shards of one path for one another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROISSANT_CACHE", str(tmp_path_factory.mktemp("croissant")))
        import mlcroissant

        yield mlcroissant


@pytest.mark.parametrize("format", FORMATS)
def test_croissant_is_valid_and_every_record_set_can_be_read(
    exported: dict[str, Path], format: str, mlcroissant: Any
) -> None:
    read = mlcroissant.Dataset(jsonld=exported[format] / "croissant.json")
    assert not read.metadata.issues.errors
    assert not read.metadata.issues.warnings
    counts = {part.id: len(list(read.records(part.id))) for part in read.metadata.record_sets}
    more = {
        "csv": {"jpg_pictures": 10, "png_pictures": 1}, "webdataset": {"pictures": 11},
        "eufcc": {"records_train": 9, "records_val": 2}, "huggingface": {"pictures": 11},
        "vectors": {"vectors": 10},
    }
    assert counts == {"samples": 11} | more[format]


def test_croissant_gives_the_lakes_text_and_pixels(
    motley: Lake, exported: dict[str, Path], mlcroissant: Any
) -> None:
    read = mlcroissant.Dataset(jsonld=exported["webdataset"] / "croissant.json")
    rows = rows_of(motley)
    for found in read.records("samples"):
        title = found["samples/title"]
        assert (title and title.decode()) == rows[found["samples/sample_id"].decode()]["title"]
    for found in read.records("pictures"):
        row = rows[found["pictures/sample_id"].decode()]
        if row["path"].endswith(".jpg"):
            assert np.array_equal(np.asarray(found["pictures/image"]), pixels(motley, row))


def test_polars_and_duckdb_read_the_samples_of_every_export(motley: Lake, exported: dict[str, Path]) -> None:
    expected = {key: row["title"] for key, row in rows_of(motley).items()}
    for folder in exported.values():
        path = folder / "samples.parquet"
        frame = pl.read_parquet(path)
        assert dict(zip(frame["sample_id"], frame["title"], strict=True)) == expected
        with duckdb.connect() as con:
            found = con.sql(f"select sample_id, title, providers from '{path}'").fetchall()
        assert {row[0]: row[1] for row in found} == expected
        assert {tuple(row[2]) for row in found} == {("Northport City Museum",)}


def test_polars_reads_the_shards_of_huggingface(motley: Lake, exported: dict[str, Path]) -> None:
    frame = pl.read_parquet(exported["huggingface"] / "data/*.parquet")
    rows = rows_of(motley)
    for sample_id, image in zip(frame["sample_id"], frame["image"], strict=True):
        assert image["bytes"] == (motley.root / rows[sample_id]["path"]).read_bytes()


def test_every_option_means_the_same_in_every_format(motley: Lake) -> None:
    options = ExportOptions(
        splits=("train",), labels=("tram",), archives=("demo",), where="title <> 'NA'", limit=4, max_side=48,
    )
    folders = [export(motley, name, f"few_{name}", options) for name in FORMATS]
    ids = [pl.read_parquet(folder / "samples.parquet")["sample_id"].to_list() for folder in folders]
    fitting = [
        key for key, row in sorted(rows_of(motley).items())
        if row["split"] == "train" and row["label"] and row["title"] not in (None, "NA")
    ]
    assert ids == [fitting[:4]] * len(FORMATS)
    assert [manifest(folder)["counts"]["samples"] for folder in folders] == [4] * len(FORMATS)


def test_the_card_tells_sources_dates_searches_rights_gaps_and_how_to_cite(motley: Lake) -> None:
    folder = export(motley, "webdataset", "carded", ExportOptions(splits=("val",)))
    card = (folder / "README.md").read_text()
    for words in ("| Northport (built in) (`demo`) | 2 | 1 | 2026-01-02 |", "rail (2)", "splits = val",
                  "| val | 2 |", f"| {CC0} | 2 |", "Records harvested 2026-01-02", "missing is unknown"):
        assert words in card
    assert card.startswith("---\n")
    assert 'license: "cc0-1.0"' in card


@pytest.mark.parametrize("format", ["eufcc", "vectors"])
def test_the_same_samples_give_the_same_bytes_in_the_other_formats(
    motley: Lake, exported: dict[str, Path], format: str
) -> None:
    again = export(motley, format, f"again_{format}", ExportOptions(shard_size=3))
    assert content(again) == content(exported[format])
    assert verify_export(again) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from lake import Lake
from pipelines.exports import ExportOptions, export

def watch(event, details):
    if event == "open" and str(details[0]).endswith(sys.argv[3]) and details[2] & os.O_CREAT:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
export(Lake(Path(sys.argv[1])), sys.argv[2], f"cut_{sys.argv[2]}", ExportOptions(shard_size=3))
"""


@pytest.mark.parametrize(("format", "file"), [("eufcc", "val.csv"), ("vectors", "sample_ids.txt")])
def test_a_kill_between_two_files_leaves_no_such_name_and_the_next_run_makes_it(
    motley: Lake, exported: dict[str, Path], format: str, file: str
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(motley.root), format, file], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert not (motley.exports / f"cut_{format}").exists()
    assert any((motley.exports / f".cut_{format}.draft").rglob("*"))
    again = export(motley, format, f"cut_{format}", ExportOptions(shard_size=3))
    assert content(again) == content(exported[format])
    assert not list(motley.exports.glob(".*"))


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────


def test_vectors_are_the_lakes_in_numpy_and_in_parquet(motley: Lake, exported: dict[str, Path]) -> None:
    folder = exported["vectors"]
    matrix = np.load(folder / "vectors.npy")
    ids = (folder / "sample_ids.txt").read_text().split()
    held, expected = VectorStore(motley).vectors(MODEL.model_id, ids)
    assert held == ids
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, expected)
    frame = pl.read_parquet(folder / "vectors.parquet")
    assert frame["sample_id"].to_list() == ids
    assert np.array_equal(frame["vector"].to_numpy(), matrix)


def test_vectors_name_their_model_weights_and_preprocessing(exported: dict[str, Path]) -> None:
    told = json.loads((exported["vectors"] / "model.json").read_text())
    assert (told["model_id"], told["fingerprint"]) == ("tiny-12345678", "1" * 64)
    assert told["preprocessing"] == {"size": 32}
    assert (told["n_vectors"], told["n_samples_without_vector"]) == (10, 1)
    assert manifest(exported["vectors"])["options"]["model_id"] == "tiny-12345678"


def test_vectors_of_no_model_are_no_export(motley: Lake, lake: Lake) -> None:
    stock(lake, [sample(lake, noise_jpeg(1))])
    with pytest.raises(EmptyLake, match="glamlake embed"):
        export(lake, "vectors", "x")
    with pytest.raises(EmptyLake, match="no vectors of 'huge'"):
        export(motley, "vectors", "x", ExportOptions(model_id="huge"))
    with pytest.raises(ExportError, match="no sample here has a vector"):
        export(motley, "vectors", "x", ExportOptions(where="title is null"))


# ── eufcc ────────────────────────────────────────────────────────────────────────────────────────────────


def test_eufcc_has_the_columns_and_separators_of_eufcc_340k(exported: dict[str, Path]) -> None:
    with (exported["eufcc"] / "val.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [
        "idInSource", "objectTypes.hierarchy", "subjects.hierarchy", "materials.hierarchy",
        "#portraitMedia.original", "database", "repository.keeper", "classifications.hierarchy",
    ]
    assert rows[1] == [
        "obj_9", "vehicle | rail vehicle | tram", "city | traffic / transport", "wood",
        "https://demo.glamlake.invalid/9.jpg", "DEMO", "Northport City Museum", "engineering",
    ]


def test_eufcc_trees_hold_every_label_below_its_parents(exported: dict[str, Path]) -> None:
    files = (exported["eufcc"] / "label_trees").iterdir()
    trees = {path.stem: json.loads(path.read_text()) for path in files}
    assert trees == {
        "objectTypes": {"vehicle": {"rail vehicle": {"tram": {}}}}, "materials": {"wood": {}},
        "subjects": {"city": {"traffic / transport": {}}}, "classifications": {"engineering": {}},
    }


def test_eufcc_joins_several_labels_and_leaves_unknown_ones_empty(lake: Lake) -> None:
    row = sample(lake, noise_jpeg(1), record_ids=["demo:1", "demo:2"])
    stock(lake, [row], [{"record_id": f"demo:{i}", "archive": "demo", "native_id": str(i)} for i in (1, 2)])
    write_mart(lake, RECORD_LABELS, [
        {"record_id": "demo:1", "label": label, "facet": "material", "path": path}
        for label, path in (("wool", ["textile", "wool"]), ("paper", None), ("wool", ["textile"]))
    ])
    table = pl.read_csv(export(lake, "eufcc", "set") / "train.csv")
    assert table["materials.hierarchy"].to_list() == ["paper $ textile | wool", None]


# ── smaller pictures ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("format", ["csv", "huggingface"])
def test_only_pictures_over_the_longest_side_become_smaller_jpegs(lake: Lake, format: str) -> None:
    small, large = noise_jpeg(1, (40, 30)), encoded(noise(2, (96, 80)), "PNG")
    rows = [sample(lake, small), sample(lake, large, "png")]
    stock(lake, rows)
    folder = export(lake, format, "set", ExportOptions(max_side=48))
    if format == "csv":
        found = [(folder / f"images/{row['sample_id']}.jpg").read_bytes() for row in rows]
    else:
        table = pq.read_table(folder / "data/train-00000.parquet").to_pylist()
        images = {row["sample_id"]: row["image"]["bytes"] for row in table}
        found = [images[row["sample_id"]] for row in rows]
    assert found[0] == small
    with Image.open(io.BytesIO(found[1])) as image:
        assert (image.format, image.size) == ("JPEG", (48, 40))


def test_a_longest_side_makes_another_version(motley: Lake) -> None:
    each = [ExportOptions(limit=1, max_side=side) for side in (None, 5000)]
    plain, smaller = (export_by_content(motley, "huggingface", options) for options in each)
    assert manifest(plain)["version"] != manifest(smaller)["version"]


# ── known gaps ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_card_names_searches_that_ended_early(lake: Lake) -> None:
    stock(lake, [sample(lake, noise_jpeg(1))])
    write_raw(lake, RAW_HARVESTS, [{
        "query": "tram", "slice": "all", "status": "truncated", "announced": 1500, "received": 1000,
        "recorded_at": NOON,
    }])
    card = (export(lake, "webdataset", "set") / "README.md").read_text()
    assert "the search 'tram' (all) is truncated: 1000 of 1500 hits came." in card
