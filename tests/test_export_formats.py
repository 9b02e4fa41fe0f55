"""What a frozen data set looks like to those who read it: webdataset, open_clip, pandas."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lake import Lake
from lake.tables import RAW_IMAGES
from pipelines.exports import ExportOptions, export
from pipelines.exports._jpeg import upright_rgb_jpeg
from pipelines.exports.webdataset import tar_header
from tests.export_lakes import (
    TITLE,
    encoded,
    members,
    noise,
    read_csv,
    sample,
    stock,
    ten_samples,
    turned_jpeg,
)
from tests.lakes import NOON, noise_jpeg, write_raw

SUFFIXES = ("jpg", "txt", "json")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One lake for the tests that only read its exports."""
    return ten_samples(Lake(tmp_path_factory.mktemp("shared") / "lake").open())


@pytest.fixture(scope="module")
def webdataset(shared: Lake) -> Path:
    return export(shared, "webdataset", "shards", ExportOptions(shard_size=2))


@pytest.fixture(scope="module")
def table(shared: Lake) -> Path:
    return export(shared, "csv", "table")


# ── webdataset ───────────────────────────────────────────────────────────────────────────────────────────


def test_webdataset_members_lie_side_by_side_without_time_or_owner(webdataset: Path) -> None:
    with tarfile.open(webdataset / "train/00000.tar") as tar:
        infos = tar.getmembers()
    ids = sorted({info.name[:16] for info in infos})
    assert [info.name for info in infos] == [f"{i}.{suffix}" for i in ids for suffix in SUFFIXES]
    assert {(info.mtime, info.uid, info.gid, info.uname, info.gname) for info in infos} == {(0, 0, 0, "", "")}
    assert json.loads((webdataset / "train/sizes.json").read_text()) == {"00000.tar": 2, "00001.tar": 1}


def test_webdataset_keeps_an_upright_rgb_jpeg_byte_for_byte(lake: Lake) -> None:
    plain = noise_jpeg(1)
    row = sample(lake, plain)
    stock(lake, [row])
    assert members(export(lake, "webdataset", "set"))[f"train/{row['sample_id']}.jpg"] == plain


def glass() -> bytes:
    return encoded(Image.new("RGBA", (80, 80), (255, 0, 0, 0)), "PNG")


def deep_grey() -> bytes:
    return encoded(Image.fromarray(np.full((80, 80), 32768, dtype=np.uint16)), "PNG")


PICTURES = {
    "turned": (turned_jpeg(3), "jpg", noise(3).transpose(Image.Transpose.ROTATE_270)),
    "png": (encoded(noise(4), "PNG"), "png", noise(4)),
    "grey": (encoded(noise(5).convert("L"), "JPEG"), "JPG", noise(5).convert("L").convert("RGB")),
    "cmyk": (encoded(noise(6).convert("CMYK"), "TIFF"), "tif", noise(6)),
    "glass": (glass(), "png", Image.new("RGB", (80, 80), "white")),
    "16-bit": (deep_grey(), "png", Image.new("RGB", (80, 80), (128, 128, 128))),
}


@pytest.fixture(scope="module")
def odd_jpegs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the export makes of each of PICTURES."""
    lake = Lake(tmp_path_factory.mktemp("odd") / "lake").open()
    rows = {kind: sample(lake, content, extension) for kind, (content, extension, _) in PICTURES.items()}
    stock(lake, list(rows.values()))
    found = members(export(lake, "webdataset", "set"))
    return {kind: found[f"train/{row['sample_id']}.jpg"] for kind, row in rows.items()}


@pytest.mark.parametrize("kind", PICTURES)
def test_webdataset_makes_other_pictures_upright_rgb_jpegs(odd_jpegs: dict[str, bytes], kind: str) -> None:
    expected = PICTURES[kind][2]
    with Image.open(io.BytesIO(odd_jpegs[kind])) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected.size)
        assert len(image.getexif()) == 0
        difference = np.abs(np.asarray(image, dtype=int) - np.asarray(expected, dtype=int))
    assert difference.mean() < 2


def by_xmp(turn: int) -> bytes:
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="{turn}"/></x:xmpmeta>'
    return encoded(noise(7), "JPEG", quality=95, xmp=packet.encode())


def by_exif(turn: int, **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turn, "Maker"
    return encoded(noise(7), "JPEG", quality=95, exif=exif, **options)


@pytest.mark.parametrize(("jpeg", "is_kept"), [
    (by_exif(1), True), (by_exif(8), False), (by_exif(3, progressive=True), False), (by_xmp(6), False),
    (encoded(noise(7), "JPEG", xmp=b"<x:xmpmeta/>", comment=b"c", icc_profile=b"i" * 200), True),
    (encoded(noise(7), "JPEG", progressive=True), True), (encoded(noise(7).convert("L"), "JPEG"), False),
    (encoded(noise(7), "MPO", save_all=True, append_images=[noise(8)]), False),
])
def test_a_jpeg_is_kept_only_if_it_is_upright_and_rgb(jpeg: bytes, is_kept: bool) -> None:
    assert (upright_rgb_jpeg(jpeg) == jpeg) is is_kept


@pytest.mark.parametrize("size", [0, 511, 123_456_789])
def test_tar_headers_are_those_of_tarfile(size: int) -> None:
    expected = tarfile.TarInfo("0123456789abcdef.json")
    expected.size = size
    assert tar_header(expected.name, size) == expected.tobuf(tarfile.USTAR_FORMAT)


def test_webdataset_text_is_the_caption_else_the_title_else_the_labels(lake: Lake) -> None:
    rows = [
        sample(lake, noise_jpeg(1), caption="Ähtäri\n1916", title="t"),
        sample(lake, noise_jpeg(2), title="Straße"),
        sample(lake, noise_jpeg(3), labels=["ship", "tram"]),
        sample(lake, noise_jpeg(4), labels=[], label=None),
    ]
    stock(lake, rows)
    found = members(export(lake, "webdataset", "set"))
    texts = [found[f"train/{row['sample_id']}.txt"].decode() for row in rows]
    assert texts == ["Ähtäri\n1916", "Straße", "ship, tram", ""]


def test_webdataset_json_holds_every_column_of_the_sample(shared: Lake, webdataset: Path) -> None:
    rows = {row["sample_id"]: row for row in pd.read_parquet(shared.mart("samples")).to_dict("records")}
    for name, text in members(webdataset).items():
        if name.endswith(".json"):
            found = json.loads(text)
            expected = rows[found["sample_id"]]
            assert found.keys() == expected.keys()
            assert (found["title"], found["year"]) == (TITLE, expected["year"])
            assert found["labels"] == list(expected["labels"])
            assert found["attribution"] is None


def test_the_webdataset_library_reads_what_open_clip_trains_on(shared: Lake, webdataset: Path) -> None:
    import webdataset as wds

    pipeline = wds.DataPipeline(
        wds.SimpleShardList(str(webdataset / "train/{00000..00001}.tar")), wds.tarfile_to_samples(),
        wds.decode("pilrgb"), wds.rename(image="jpg;png;jpeg;webp", text="txt"),
        wds.to_tuple("image", "text", "json"),
    )
    found = list(pipeline)
    assert len(found) == 3
    for image, text, row in found:
        with Image.open(shared.root / row["path"]) as original:
            assert np.array_equal(np.asarray(image), np.asarray(original))
        assert text == row["caption"] == f"{TITLE} {row['year'] - 1900}"


# ── csv ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_csv_has_the_files_historyclip_users_know(table: Path) -> None:
    variants = ["", "_raw", "_test_id", "_test_ood", "_train", "_val"]
    tables = [f"metadata_{kind}_label{variant}.csv" for kind in ("multi", "single") for variant in variants]
    others = [
        "ATTRIBUTION", "README.md", "croissant.json", "images", "img_rgb_mean.json", "img_rgb_std.json",
        "manifest.json", "outputs", "samples.parquet",
    ]
    assert sorted(path.name for path in table.iterdir()) == sorted(tables + others)
    sizes = {variant: len(read_csv(table / f"metadata_multi_label{variant}.csv")) for variant in variants}
    assert sizes == {"": 7, "_raw": 7, "_test_id": 1, "_test_ood": 1, "_train": 3, "_val": 2}


def test_csv_keeps_every_character_and_a_first_row_of_nulls(lake: Lake) -> None:
    titles = [None, TITLE, "a,b", '"', "=1+1", "@home", "NA", "None", " in ", "1916", "a\r\nb", "日", "a\tb"]
    found = [sample(lake, noise_jpeg(i), year=1943 if i else None, label="NA") for i in range(len(titles))]
    in_order = zip(sorted(found, key=lambda row: str(row["sample_id"])), titles, strict=True)
    stock(lake, [row | {"title": title, "caption": title} for row, title in in_order], records=[])
    table = read_csv(export(lake, "csv", "set") / "metadata_multi_label.csv")
    assert [None if pd.isna(title) else title for title in table["title"]] == titles
    assert list(table["label"]) == ["NA"] * 13
    assert table["doc_year"].isna().sum() == 1
    assert table["doc_id"].isna().all()


def test_csv_lists_are_json_and_only_in_the_multi_label_file(table: Path) -> None:
    multi, single = (read_csv(table / f"metadata_{kind}_label.csv") for kind in ("multi", "single"))
    assert set(multi["multi_labels"]) == {'["tram"]', '["ship", "tram"]', '["ship"]'}
    assert set(multi["user_query"].map(json.loads).map(tuple)) == {("rail", "tram")}
    assert set(multi.columns) - set(single.columns) == {"user_query", "multi_labels"}


def test_csv_raw_has_a_row_for_each_record_of_a_picture(lake: Lake) -> None:
    row = sample(lake, noise_jpeg(1), record_ids=["a:1", "b:2"], archives=["a", "b"], title="Two")
    stock(lake, [row], [
        {"record_id": "a:1", "archive": "a", "title": "One", "date_raw": "1916"},
        {"record_id": "b:2", "archive": "b", "title": "Two", "date_raw": "1917", "queries": ["q"]},
    ])
    folder = export(lake, "csv", "set")
    multi, raw = (read_csv(folder / f"metadata_multi_label{variant}.csv") for variant in ("", "_raw"))
    assert raw[["id", "doc_id", "title", "dataset", "user_query"]].values.tolist() == [
        [row["sample_id"], "a:1", "One", "a", "[]"], [row["sample_id"], "b:2", "Two", "b", '["q"]'],
    ]
    leading = multi[["doc_id", "raw_doc_date", "record_ids"]].values.tolist()
    assert leading == [["b:2", 1917, '["a:1", "b:2"]']]


SERVED = [(noise_jpeg(1), "jpg"), (turned_jpeg(2), "JPG"), (encoded(noise(3), "PNG"), "png")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """An export of SERVED, with the facts that fetch took of each, and their ids; the last has no label."""
    lake = Lake(tmp_path_factory.mktemp("served") / "lake").open()
    rows = [sample(lake, *picture) for picture in SERVED]
    stock(lake, [*rows[:2], rows[2] | {"labels": [], "label": None}])
    facts = [np.asarray(noise(seed), dtype=float) / 255 for seed in (1, 2, 3)]
    write_raw(lake, RAW_IMAGES, [
        {
            "image_url": f"https://x.invalid/{i}{twin}", "status": "ok", "sha256": rows[i]["sha256"],
            "rgb_mean": facts[i].mean(axis=(0, 1)).tolist(), "rgb_std": facts[i].std(axis=(0, 1)).tolist(),
            "fetched_at": NOON,
        }
        for i in range(3) for twin in ("", "?copy")
    ])
    return export(lake, "csv", "set"), [row["sample_id"] for row in rows]


def test_csv_pictures_are_the_bytes_served_at_relative_paths(served: tuple[Path, list[str]]) -> None:
    folder, ids = served
    paths = read_csv(folder / "metadata_multi_label.csv").set_index("id")["img_path"].to_dict()
    assert [(folder / str(paths[i])).read_bytes() for i in ids] == [picture for picture, _ in SERVED]
    assert sorted(str(path).rsplit(".")[1] for path in paths.values()) == ["jpg", "jpg", "png"]


def test_a_picture_without_a_label_is_only_in_the_multi_label_file(served: tuple[Path, list[str]]) -> None:
    folder, ids = served
    assert set(read_csv(folder / "metadata_multi_label.csv")["id"]) == set(ids)
    assert set(read_csv(folder / "metadata_single_label.csv")["id"]) == set(ids[:2])


def test_csv_mean_colour_is_that_of_the_exported_pixels(served: tuple[Path, list[str]]) -> None:
    every = np.concatenate([np.asarray(noise(seed), dtype=float).reshape(-1, 3) / 255 for seed in (1, 2, 3)])
    mean, std = (json.loads((served[0] / f"img_rgb_{what}.json").read_text()) for what in ("mean", "std"))
    assert mean == pytest.approx(every.mean(axis=0), abs=1e-5)
    assert std == pytest.approx(every.std(axis=0), abs=1e-5)
