"""Training straight from the lake: without an archive, back towards the original, and with bad input."""

import hashlib
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from lake import Lake, image_store
from lake.errors import EncoderError, ExportError, GlamlakeError, LakeError, UsageError
from lake.tables import RAW_HITS, SAMPLES
from models.encoder import EncoderSpec, load_encoder
from models.interpolation import interpolate
from models.leave_one_out import leave_one_out
from models.options import Prompts, TrainOptions
from models.shards import read_split
from models.sources import ARCHIVE_SPLIT, ExportSource, LakeSource
from models.train import train
from pipelines.embed import from_options
from pipelines.training import start_of
from tests.lakes import NOON, little_room, write_mart, write_raw
from tests.training_shapes import (
    SHAPES,
    WEIGHTS,
    drawing,
    sample,
    vit_checkpoint,
    write_export,
    write_shard,
)

QUICK = TrainOptions(epochs=1, batch_size=8, learning_rate=1e-3, threads=1)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vit_checkpoint(tmp_path_factory.mktemp("models") / "start", seed=3)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("exports") / "shapes", 16, 8)


def fill(lake: Lake, n: int = 24) -> None:
    """Drawings of two archives; every eighth is in both, and number 2 is nearly number 3 of the other one."""
    write_raw(lake, RAW_HITS, [{"hit_id": "1", "fetched_at": NOON}])
    rows = []
    for i in range(n):
        shape = SHAPES[i % len(SHAPES)]
        stored = image_store.put(lake, drawing(shape, i), "jpg")
        archives = ["east", "west"] if i % 8 == 0 else ["east" if i % 2 else "west"]
        rows.append({
            "sample_id": f"{i:016x}", "sha256": stored.sha256, "path": stored.path, "archives": archives,
            "labels": [shape], "caption": f"drawing {i} of a {shape}" if i % 3 else None, "title": None,
            "cluster_id": "near" if i in (2, 3) else f"{i}", "split": "val" if i % 3 == 1 else "train",
        })
    write_mart(lake, SAMPLES, rows)


def ids(source: LakeSource, split: str) -> set[int]:
    return {int(example.sample_id, 16) for example in source.examples(split)}


def test_an_archive_left_out_takes_along_what_is_nearly_its_own(lake: Lake) -> None:
    fill(lake)
    source = LakeSource(lake, without="east")
    its_own = {i for i in range(24) if i % 2 or i % 8 == 0}
    assert ids(source, ARCHIVE_SPLIT) == its_own
    learned = ids(source, "train") | ids(source, "val")
    assert learned == set(range(24)) - its_own - {2}
    assert ids(LakeSource(lake), "train") | ids(LakeSource(lake), "val") == set(range(24))


def test_a_picture_without_a_caption_is_called_by_its_labels(lake: Lake) -> None:
    fill(lake)
    found = {int(e.sample_id, 16): e.caption for e in LakeSource(lake).examples("train")}
    assert found[3] == "stripes"
    assert found[2] == "drawing 2 of a cross"


def test_the_version_follows_what_is_learned_from(lake: Lake) -> None:
    fill(lake)
    versions = [LakeSource(lake).facts()["version"], LakeSource(lake, "east").facts()["version"]]
    fill(lake, 20)
    assert len({*versions, LakeSource(lake).facts()["version"]}) == 3


def test_each_archive_is_left_out_in_turn_and_a_second_run_trains_nothing(lake: Lake, start: Path) -> None:
    fill(lake)
    options = replace(QUICK, start=EncoderSpec(checkpoint=start))
    rows = leave_one_out(lake, "shapes", options)
    assert [(row["archive"], row["n_test"]) for row in rows] == [("east", 15), ("west", 12)]
    assert all(0 <= row["text_to_image R@1"] <= row["text_to_image R@5"] <= 1 for row in rows)
    written = (lake.models / "shapes-without-east" / WEIGHTS).stat().st_mtime_ns
    assert leave_one_out(lake, "shapes", options) == rows
    assert (lake.models / "shapes-without-east" / WEIGHTS).stat().st_mtime_ns == written


def test_halfway_back_the_weights_are_the_mean(export: Path, start: Path, tmp_path: Path) -> None:
    train(export, tmp_path / "tuned", replace(QUICK, start=EncoderSpec(checkpoint=start)))
    outside = tmp_path / "outside"
    for i, shape in enumerate(SHAPES * 3):
        (outside / shape).mkdir(parents=True, exist_ok=True)
        (outside / shape / f"{i}.jpg").write_bytes(drawing(shape, 500 + i))
    held_out = list(read_split(export, "val"))
    card = interpolate(tmp_path / "tuned", tmp_path / "mix", 0.5, outside=outside, inside=held_out)
    old, new, mix = (load_file(folder / WEIGHTS) for folder in (start, tmp_path / "tuned", tmp_path / "mix"))
    for name in mix:
        assert torch.allclose(mix[name], (old[name] + new[name]) / 2, atol=1e-7), name
    shares = {row["share"]: row for row in card["forgetting"]}
    assert sorted(shares) == [0.0, 0.25, 0.5, 0.75, 1.0]
    first, last = (load_encoder(EncoderSpec(checkpoint=path)) for path in (start, tmp_path / "tuned"))
    assert (shares[0.0]["model_id"], shares[1.0]["model_id"]) == (first.model_id, last.model_id)
    assert all(0 <= row["outside_interval"][0] <= row["outside Acc@1"] <= 1 for row in shares.values())
    assert card["model_id"] == load_encoder(EncoderSpec(checkpoint=tmp_path / "mix")).model_id


def test_there_is_no_way_back_to_random_weights_or_another_architecture(
    export: Path, start: Path, tmp_path: Path,
) -> None:
    train(export, tmp_path / "scratch", replace(QUICK, learning_rate=None))
    with pytest.raises(UsageError, match="--original"):
        interpolate(tmp_path / "scratch", tmp_path / "mix", 0.5)
    with pytest.raises(UsageError, match="different architectures"):
        interpolate(tmp_path / "scratch", tmp_path / "mix", 0.5, EncoderSpec(checkpoint=start))
    assert not (tmp_path / "mix").exists()


def spoiled(export: Path, folder: Path) -> Path:
    shutil.copytree(export, folder)
    return folder


def cut(export: Path) -> None:
    shard = export / "train" / "00000.tar"
    shard.write_bytes(shard.read_bytes()[:8200])


def scribbled(export: Path) -> None:
    shard = export / "train" / "00001.tar"
    content = bytearray(shard.read_bytes())
    at = content.index(b"\xff\xd8\xff")      # where the first JPEG begins
    content[at:at + 88] = bytes(88)
    shard.write_bytes(content)


def no_tar(export: Path) -> None:
    (export / "val" / "00000.tar").write_bytes(b"<html>503</html>")


def no_picture(export: Path) -> None:
    write_shard(export / "train" / "00002.tar", [{"__key__": "x", "txt": "lonely"}])


def bad_json(export: Path) -> None:
    write_shard(export / "train" / "00002.tar", [sample(1, "train") | {"json": b"{torn"}])


def empty_val(export: Path) -> None:
    write_shard(export / "val" / "00000.tar", [])


def one_class(export: Path) -> None:
    rows = [sample(4 * i, "train") | {"txt": f"circle {i}"} for i in range(8)]
    shutil.rmtree(export / "train")
    write_shard(export / "train" / "00000.tar", rows)


def no_labels_no_captions(export: Path) -> None:
    shutil.rmtree(export / "train")
    rows = [sample(i, "train") | {"txt": "", "json": b"{}"} for i in range(8)]
    write_shard(export / "train" / "00000.tar", rows)


def no_train(export: Path) -> None:
    shutil.rmtree(export / "train")


def of_another_kind(export: Path) -> None:
    shutil.rmtree(export / "train")
    (export / "samples.csv").write_text("sample_id,caption\n1,a ship\n")


def empty_picture(export: Path) -> None:
    write_shard(export / "train" / "00002.tar", [sample(1, "train") | {"jpg": b""}])


def listed_otherwise(export: Path) -> None:
    manifest = json.loads((export / "manifest.json").read_text())
    (export / "manifest.json").write_text(json.dumps(manifest | {"files": {"train/00000.tar": "0" * 64}}))


@pytest.mark.parametrize(("spoil", "kind", "said"), [
    (cut, ExportError, "export it anew"),
    (scribbled, ExportError, "cannot be read; export it anew"),
    (no_tar, ExportError, "export it anew"),
    (no_picture, ExportError, "has no .jpg"),
    (bad_json, ExportError, "is not JSON"),
    (empty_val, UsageError, "no val"),
    (one_class, UsageError, "has the label 'circle'"),
    (listed_otherwise, ExportError, "checksum"),
    (no_labels_no_captions, UsageError, "has not two different captions"),
    (no_train, UsageError, "no train shards in .*export webdataset"),
    (of_another_kind, UsageError, "no train shards in .*export webdataset"),
    (empty_picture, ExportError, "cannot be read; export it anew"),
])
def test_bad_data_is_one_clear_line_and_nothing_is_written(
    export: Path, start: Path, tmp_path: Path, spoil: Any, kind: type[GlamlakeError], said: str,
) -> None:
    broken = spoiled(export, tmp_path / "data")
    spoil(broken)
    with pytest.raises(kind, match=said) as caught:
        train(broken, tmp_path / "models" / "out", replace(QUICK, start=EncoderSpec(checkpoint=start)))
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "models").glob("*"))


@pytest.mark.parametrize("balance", [0.0, 1.0])
@pytest.mark.parametrize("loss", ["clip", "siglip", "same-text"])
def test_pictures_of_one_class_are_told_apart_by_their_captions(
    export: Path, start: Path, tmp_path: Path, loss: str, balance: float,
) -> None:
    one_class(broken := spoiled(export, tmp_path / "data"))
    options = replace(QUICK, start=EncoderSpec(checkpoint=start), loss=loss, balance=balance)
    assert math.isfinite(train(broken, tmp_path / "out", options).kept.loss)
    with pytest.raises(UsageError, match="--caption-share above 0"):
        train(broken, tmp_path / "out", replace(options, prompts=Prompts(caption=0)))


def test_a_picture_of_the_lake_that_cannot_be_read_is_one_clear_line(lake: Lake, start: Path) -> None:
    fill(lake)
    [broken] = lake.images.rglob(f"{image_sha(3)}.jpg")
    broken.write_bytes(b"<html>")
    with pytest.raises(ExportError, match=f"{image_sha(3)}.* be read; see `glamlake verify`") as caught:
        train(LakeSource(lake), lake.models / "out", replace(QUICK, start=EncoderSpec(checkpoint=start)))
    assert "\n" not in str(caught.value)
    assert not lake.models.exists() or not list(lake.models.iterdir())


def image_sha(i: int) -> str:
    return hashlib.sha256(drawing(SHAPES[i % len(SHAPES)], i)).hexdigest()


def test_a_checkpoint_of_another_architecture_is_one_clear_line(
    export: Path, start: Path, tmp_path: Path,
) -> None:
    (tmp_path / "weights.safetensors").write_bytes((start / WEIGHTS).read_bytes())
    other = EncoderSpec("RN50", None, tmp_path / "weights.safetensors")
    with pytest.raises(EncoderError, match="does not fit RN50"):
        train(export, tmp_path / "out", replace(QUICK, start=other))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_a_name_beside_a_checkpoint_that_says_what_it_is_has_to_be_its_own(start: Path) -> None:
    assert start_of({"model": "tiny-vit", "checkpoint": start}) == EncoderSpec("tiny-vit", None, start)
    for said in ({"model": "RN50"}, {"pretrained": "openai"}, {"model": "tiny-vit", "pretrained": "openai"}):
        with pytest.raises(UsageError, match=r"open_clip_config.json says what model this is; leave out --"):
            start_of({**said, "checkpoint": start})
        with pytest.raises(UsageError, match=r"leave out --"):
            from_options({**said, "checkpoint": start / WEIGHTS})


@pytest.mark.parametrize(("save_seconds", "room"), [
    (0.0, 3_000_000), (1e9, 3_000_000), (1e9, 20_000), (1e9, 100),
], ids=["state", "weights", "plot", "curves"])
def test_no_room_left_is_one_clear_line_and_the_older_model_stays(
    export: Path, start: Path, tmp_path: Path, save_seconds: float, room: int,
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "older").write_text("kept")
    options = replace(QUICK, start=EncoderSpec(checkpoint=start), save_seconds=save_seconds)
    with little_room(room), pytest.raises(LakeError, match="make room") as caught:
        train(export, tmp_path / "mine", options)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["older"]


def test_pictures_beyond_memory_are_read_again_each_time(export: Path) -> None:
    from models.bank import PictureBank

    wanted = load_preprocessing()
    stored = [example.stored for example in ExportSource(export).examples("train")]
    kept, read_again = PictureBank(stored, wanted), PictureBank(stored, wanted, room_bytes=0)
    assert torch.equal(kept.take([3, 1]), read_again.take([3, 1]))


def load_preprocessing() -> Any:
    from models.tiny import tiny_encoder

    return tiny_encoder(0).preprocessing


def test_a_picture_turned_by_its_header_enters_upright(tmp_path: Path) -> None:
    from models.shards import StoredPicture

    picture, exif = Image.new("RGB", (20, 10), "red"), Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert StoredPicture(tmp_path / "a.jpg").open().size == (10, 20)
