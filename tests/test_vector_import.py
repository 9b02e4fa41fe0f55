"""embed --import: vectors made elsewhere come in whole and under their own name, or not at all."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import save_file

from lake import Lake
from lake.errors import BadVectors, EncoderError, UsageError
from lake.vectors import VectorStore
from models.encoder import EncoderSpec, load_encoder, open_encoder
from models.pictures import open_picture
from pipelines.embed import embed
from pipelines.vector_import import ImportOptions, import_options, import_vectors
from tests.encoders import tiny_checkpoint
from tests.picture_lakes import picture_lake

DIM = 8
OTHERS = ImportOptions("others")


@pytest.fixture
def ids(lake: Lake) -> list[str]:
    return [sample["sample_id"] for sample in picture_lake(lake, 5)]


def vectors(n: int = 5, dim: int = DIM) -> Any:
    """Rows of several lengths, as nobody has normalised them."""
    return np.random.default_rng(0).standard_normal((n, dim)).astype(np.float32) * 3


def as_parquet(folder: Path, ids: list[str], rows: Any) -> Path:
    pq.write_table(pa.table({"sample_id": ids, "embedding": list(rows)}), folder / "v.parquet")
    return folder / "v.parquet"


def as_npy(folder: Path, ids: list[str], rows: Any) -> Path:
    np.save(folder / "v.npy", rows)
    (folder / "sample_ids.txt").write_text("".join(f"{name}\n" for name in ids))
    return folder / "v.npy"


def as_npy_and_json(folder: Path, ids: list[str], rows: Any) -> Path:
    np.save(folder / "v.npy", rows.astype(np.float16))
    (folder / "v.json").write_text(json.dumps({name: row for row, name in enumerate(ids)}))
    return folder / "v.npy"


def as_safetensors(folder: Path, ids: list[str], rows: Any) -> Path:
    save_file({"vectors": rows}, folder / "v.safetensors", metadata={"ids": json.dumps(ids)})
    return folder / "v.safetensors"


def as_tensor(folder: Path, ids: list[str], rows: Any) -> Path:
    torch.save(torch.from_numpy(rows), folder / "v.pt")
    (folder / "v.csv").write_text("n,sample_id\n" + "".join(f"{n},{name}\n" for n, name in enumerate(ids)))
    return folder / "v.pt"


def as_tensor_and_names(folder: Path, ids: list[str], rows: Any) -> Path:
    torch.save({"embeddings": torch.from_numpy(rows).double(), "ids": ids, "epoch": 3}, folder / "v.pt")
    return folder / "v.pt"


def as_names_of_tensors(folder: Path, ids: list[str], rows: Any) -> Path:
    torch.save({name: torch.from_numpy(row) for name, row in zip(ids, rows, strict=True)}, folder / "v.pt")
    return folder / "v.pt"


FORMATS = (
    as_parquet, as_npy, as_npy_and_json, as_safetensors, as_tensor, as_tensor_and_names, as_names_of_tensors,
)


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_every_format_gives_the_same_vectors_of_length_1(
    lake: Lake, ids: list[str], tmp_path: Path, write: Callable[..., Path],
) -> None:
    rows = vectors()
    report = import_vectors(lake, write(tmp_path, ids, rows), OTHERS)
    held, found = VectorStore(lake).vectors("others", ids)
    assert (report.imported, report.unknown, held) == (5, 0, ids)
    assert np.allclose(found, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-3)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("change", "says"), [
    (lambda rows: rows[:4], "4 vectors, but 5 names"),
    (lambda rows: rows[0], r"shape \(8,\)"),
    (lambda rows: rows[:, :, None], "shape"),
    (lambda rows: rows[:, :0], "shape"),
    (lambda rows: (rows * 10).astype(np.int8), "int8"),
    (lambda rows: np.where(np.arange(DIM) == 3, np.nan, rows), r"row 0\) has NaN or infinity"),
    (lambda rows: np.where(np.arange(5)[:, None] == 2, np.inf, rows), r"row 2\) has NaN or infinity"),
    (lambda rows: rows * (np.arange(5) != 4)[:, None], r"row 4\) has nothing but zeros"),
    (lambda rows: np.array([{}] * 5), "no array of numbers"),
])
def test_a_matrix_that_is_wrong_is_told_in_one_line_and_changes_nothing(
    lake: Lake, ids: list[str], tmp_path: Path, change: Callable[[Any], Any], says: str,
) -> None:
    path = as_npy(tmp_path, ids, np.zeros(0))
    np.save(path, change(vectors()), allow_pickle=True)
    with pytest.raises(BadVectors, match=says) as e:
        import_vectors(lake, path, OTHERS)
    assert "\n" not in str(e.value)
    assert VectorStore(lake).models() == []


@pytest.mark.parametrize(("change", "says"), [
    (lambda ids: [*ids[:4], ids[0]], "2 vectors for"),
    (lambda ids: [*ids[:4], "gone"], "1 of 5 names are no sample_id of a sample here.*'gone'.*--known-only"),
    (lambda ids: [name.upper() + "x" for name in ids], "5 of 5 names"),
    (lambda ids: [*ids, "one more"], "5 vectors, but 6 names"),
])
def test_names_that_are_wrong_are_told(
    lake: Lake, ids: list[str], tmp_path: Path, change: Callable[[Any], Any], says: str,
) -> None:
    with pytest.raises(BadVectors, match=says):
        import_vectors(lake, as_npy(tmp_path, change(ids), vectors()), OTHERS)


def test_vectors_of_what_the_lake_does_not_have_are_passed_over_on_request(
    lake: Lake, ids: list[str], tmp_path: Path,
) -> None:
    path = as_npy(tmp_path, ["gone", *ids[1:]], vectors())
    report = import_vectors(lake, path, ImportOptions("others", known_only=True))
    assert (report.imported, report.unknown) == (4, 1)
    assert VectorStore(lake).vectors("others", ids)[0] == ids[1:]


@pytest.mark.parametrize("name", ["record_ids", "sha256"])
def test_rows_may_bear_another_name_of_the_sample(lake: Lake, tmp_path: Path, name: str) -> None:
    samples = picture_lake(lake, 5)
    names = [sample[name] if name == "sha256" else sample[name][0] for sample in samples]
    import_vectors(lake, as_npy(tmp_path, names, vectors()), OTHERS)
    assert VectorStore(lake).count("others") == 5


class Malicious:
    """What a pickle of this would run."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path(__file__).with_name("glamlake-was-here"),)


@pytest.mark.parametrize("name", ["v.pt", "v.npy", "v.safetensors", "v.parquet", "v.pth"])
@pytest.mark.parametrize("how", ["pickle", "torch", "text", "junk"])
def test_no_file_runs_code_and_each_is_refused(
    lake: Lake, ids: list[str], tmp_path: Path, name: str, how: str,
) -> None:
    held = {"vectors": vectors(), "ids": Malicious()}
    if how == "torch":
        torch.save(held, tmp_path / name)
    else:
        (tmp_path / name).write_bytes(pickle.dumps(held) if how == "pickle" else how.encode())
    with pytest.raises(BadVectors) as e:
        import_vectors(lake, tmp_path / name, OTHERS)
    assert "\n" not in str(e.value)
    assert not Path(__file__).with_name("glamlake-was-here").exists()


@pytest.mark.parametrize(("content", "says"), [
    ([[1.0, 2.0], [3.0]], "several lengths: 1, 2"),
    ([[1.0, None], [3.0, 4.0]], "missing"),
    ([None, [3.0, 4.0]], "missing"),
    ([[1, 2], [3, 4]], "one column of lists of floats"),
])
def test_a_parquet_column_that_is_no_matrix_is_told(
    lake: Lake, ids: list[str], tmp_path: Path, content: list[Any], says: str,
) -> None:
    pq.write_table(pa.table({"sample_id": ids[:2], "vector": content}), tmp_path / "v.parquet")
    with pytest.raises(BadVectors, match=says):
        import_vectors(lake, tmp_path / "v.parquet", OTHERS)


def test_a_file_without_names_says_where_it_looked(lake: Lake, ids: list[str], tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", vectors())
    with pytest.raises(BadVectors, match=r"v\.ids\.txt beside it, or give --ids"):
        import_vectors(lake, tmp_path / "v.npy", OTHERS)


@pytest.mark.parametrize(("name", "content"), [
    ("ids.json", '{"a": 0, "b": 7}'), ("ids.json", "3"), ("ids.json", "{"), ("ids.npy", "x"),
    ("ids.doc", "a"), ("ids.parquet", "x"), ("gone.txt", None), ("ids.json", '{"a": {}}'),
    ("ids.json", '{"a": null}'), ("ids.json", "[" * 100_000),
])
def test_a_file_of_names_that_is_none_is_told(
    lake: Lake, ids: list[str], tmp_path: Path, name: str, content: str | None,
) -> None:
    np.save(tmp_path / "v.npy", vectors())
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(BadVectors, match="names of rows"):
        import_vectors(lake, tmp_path / "v.npy", ImportOptions("others", ids_file=tmp_path / name))


def test_imported_again_the_vectors_are_the_new_ones(lake: Lake, ids: list[str], tmp_path: Path) -> None:
    import_vectors(lake, as_npy(tmp_path, ids, vectors()), OTHERS)
    import_vectors(lake, as_npy(tmp_path, ids, -vectors()), OTHERS)
    found = VectorStore(lake).vectors("others", ids)[1]
    assert VectorStore(lake).count("others") == 5
    assert np.sign(found).tolist() == np.sign(-vectors()).tolist()


def test_vectors_never_join_those_of_another_model(lake: Lake, ids: list[str], tmp_path: Path) -> None:
    spec = EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "tiny"))
    made = embed(lake, spec).model_id
    path = as_npy(tmp_path, ids, vectors(dim=64))
    with pytest.raises(UsageError, match="name of other vectors"):
        import_vectors(lake, path, ImportOptions(made))
    import_vectors(lake, path, OTHERS)
    with pytest.raises(UsageError, match="name of other vectors"):
        import_vectors(lake, as_npy(tmp_path, ids, vectors()), OTHERS)


def test_words_find_pictures_where_the_model_is_told(lake: Lake, ids: list[str], tmp_path: Path) -> None:
    spec = EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "tiny"))
    samples = picture_lake(lake, 5)
    theirs = load_encoder(spec).encode_images([open_picture(lake.root / s["path"]) for s in samples])
    import_vectors(lake, as_npy(tmp_path, ids, theirs * 2), ImportOptions("others", encoder=spec))
    encoder = open_encoder(lake, "others")
    assert encoder.model_id == "others"
    assert encoder.encode_texts(["a ship"]).shape == (1, VectorStore(lake).models()[0].dim)


def test_vectors_that_are_not_of_the_model_told_are_refused(
    lake: Lake, ids: list[str], tmp_path: Path,
) -> None:
    told = ImportOptions("others", encoder=EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "tiny")))
    with pytest.raises(BadVectors, match=r"is not of glamlake-tiny.*cosine"):
        import_vectors(lake, as_npy(tmp_path, ids, vectors(dim=64)), told)
    with pytest.raises(BadVectors, match=r"vectors of 8 numbers; those of glamlake-tiny.* have 64"):
        import_vectors(lake, as_npy(tmp_path, ids, vectors()), told)


def test_words_cannot_be_searched_where_the_model_is_not_told(
    lake: Lake, ids: list[str], tmp_path: Path,
) -> None:
    import_vectors(lake, as_npy(tmp_path, ids, vectors()), OTHERS)
    with pytest.raises(EncoderError, match="import them again with --model"):
        open_encoder(lake)


def test_half_precision_is_kept_on_request(lake: Lake, ids: list[str], tmp_path: Path) -> None:
    import_vectors(lake, as_npy(tmp_path, ids, vectors()), ImportOptions("others", dtype="float16"))
    assert VectorStore(lake).models()[0].dtype == "float16"


@pytest.mark.parametrize("name", ["", "../others", "a b", ".hidden", "é", "a/b", "x" * 300])
def test_a_name_that_cannot_be_is_refused(lake: Lake, ids: list[str], tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        import_vectors(lake, as_npy(tmp_path, ids, vectors()), import_options({"model_id": name}))


def test_names_in_a_lake_as_curate_makes_it(lake: Lake, tmp_path: Path) -> None:
    """Its samples have more columns than the contract, some of the name of a record's."""
    picture_lake(lake, 5)
    urls = [f"https://demo.invalid/{i}.jpg" for i in range(5)]
    for mart in ("samples", "records"):
        held = pq.read_table(lake.mart(mart))
        place = held.schema.get_field_index("image_url")
        held = held if place < 0 else held.remove_column(place)
        pq.write_table(held.append_column("image_url", [urls]), lake.mart(mart))
    import_vectors(lake, as_npy(tmp_path, urls, vectors()), OTHERS)
    assert VectorStore(lake).count("others") == 5


@pytest.mark.parametrize(("name", "content"), [
    ("ids.txt", "{}"), ("ids.txt", "{}\n\n\n"), ("ids.csv", "sample_id\n{}"), ("ids.json", '["{}"]'),
])
def test_names_as_other_systems_write_them_are_read(
    lake: Lake, tmp_path: Path, name: str, content: str,
) -> None:
    """Windows marks the beginning of a text file; editors leave empty lines at its end."""
    sample_id = picture_lake(lake, 1)[0]["sample_id"]
    np.save(tmp_path / "v.npy", vectors(1))
    (tmp_path / name).write_text(content.format(sample_id), encoding="utf-8-sig")
    import_vectors(lake, tmp_path / "v.npy", ImportOptions("others", ids_file=tmp_path / name))
    assert VectorStore(lake).vectors("others", [sample_id])[0] == [sample_id]


@pytest.mark.parametrize(("columns", "says"), [
    ({"sample_id": ["a", None], "v": [[1.0], [2.0]]}, "1 of 2 rows have no name"),
    ({"sample_id": ["a", "b"], "v": [[1.0], [2.0]], "sample_id ": ["c", "d"]}, "several columns 'sample_id'"),
])
def test_a_parquet_file_with_unclear_names_is_told(
    lake: Lake, ids: list[str], tmp_path: Path, columns: dict[str, list[Any]], says: str,
) -> None:
    table = pa.table(columns)
    pq.write_table(table.rename_columns([name.strip() for name in columns]), tmp_path / "v.parquet")
    with pytest.raises(BadVectors, match=says):
        import_vectors(lake, tmp_path / "v.parquet", OTHERS)


def test_a_file_of_names_without_a_column_is_told(lake: Lake, ids: list[str], tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", vectors())
    pq.write_table(pa.table({}), tmp_path / "ids.parquet")
    with pytest.raises(BadVectors, match="no columns"):
        import_vectors(lake, tmp_path / "v.npy", ImportOptions("others", ids_file=tmp_path / "ids.parquet"))


@pytest.mark.parametrize("change", [
    torch.Tensor.to_sparse, lambda rows: rows.to("meta"), lambda rows: rows.to(torch.complex64).conj(),
], ids=["sparse", "meta", "conjugate"])
def test_a_tensor_that_is_no_plain_matrix_is_told(
    lake: Lake, ids: list[str], tmp_path: Path, change: Callable[[Any], Any],
) -> None:
    torch.save({"v": change(torch.from_numpy(vectors())), "ids": ids}, tmp_path / "v.pt")
    with pytest.raises(BadVectors, match="floats"):
        import_vectors(lake, tmp_path / "v.pt", OTHERS)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn], ids=str)
def test_short_floats_that_numpy_does_not_know_are_read(
    lake: Lake, ids: list[str], tmp_path: Path, dtype: torch.dtype,
) -> None:
    torch.save({"v": torch.from_numpy(vectors()).to(dtype), "ids": ids}, tmp_path / "v.pt")
    assert import_vectors(lake, tmp_path / "v.pt", OTHERS).imported == 5


def test_names_of_no_kind_are_told_with_the_kinds_there_are(
    lake: Lake, ids: list[str], tmp_path: Path,
) -> None:
    with pytest.raises(BadVectors, match="no sample_id or sha256 or record_id or image_url of a sample here"):
        import_vectors(lake, as_npy(tmp_path, list("abcde"), vectors()), OTHERS)


def test_a_part_of_a_file_is_not_taken_for_the_whole() -> None:
    with pytest.raises(UsageError, match="--shard"):
        import_options({"model_id": "others", "shard": "1/2"})


def test_where_words_cannot_be_searched_another_model_is_named(
    lake: Lake, ids: list[str], tmp_path: Path,
) -> None:
    made = embed(lake, EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "tiny"))).model_id
    import_vectors(lake, as_npy(tmp_path, ids, vectors()), OTHERS)
    with pytest.raises(EncoderError, match=f"--model {made}"):
        open_encoder(lake)
