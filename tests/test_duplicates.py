"""Duplicates: every near pair is found, a second witness is heard, and nothing becomes slow."""

import csv
import io
import itertools
import os
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import imagehash
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipelines.image_facts import ImageFacts
from tests.picture_copies import (
    COPIES,
    as_jpeg,
    cluster,
    compare,
    compare_rows,
    drawn_pictures,
    facts_of_file,
)
from tests.sql_models import build_model

TURNS = (
    None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
SCENE = list(range(256))


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image.Image]:
    """Sixteen drawn prints by name."""
    return drawn_pictures(2)


@pytest.fixture(scope="module")
def facts(pictures: dict[str, Image.Image]) -> dict[str, ImageFacts]:
    """The facts of their files."""
    return {name: facts_of_file(as_jpeg(picture, 90)) for name, picture in pictures.items()}


def _row(name: str, bits: int, thumbnail: list[int] = SCENE, entropy: float = 6.0) -> dict[str, Any]:
    return {"sha256": name, "pixel_hash": name, "hash_bits": bits, "turned_bits": [bits],
            "thumbnail": thumbnail, "entropy": entropy}


def _same(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["sha256_a"], row["sha256_b"]) for row in rows if row["is_same"]}


def test_the_eight_hashes_are_those_of_the_turned_pictures(pictures: dict[str, Image.Image]) -> None:
    for name, picture in itertools.islice(pictures.items(), 4):
        content = as_jpeg(picture)
        upright = Image.open(io.BytesIO(content)).convert("RGB")
        turned = [upright if turn is None else upright.transpose(turn) for turn in TURNS]
        theirs = tuple(str(imagehash.phash(picture)) for picture in turned)
        assert facts_of_file(content).phash_orientations == theirs, name


def test_hashes_and_thumbnail_of_a_fixed_picture_are_the_same_for_ever() -> None:
    tones = np.add.outer(np.arange(96) * 2, np.arange(80)) % 251
    fixed = facts_of_file(_png(Image.fromarray(tones.astype(np.uint8))))
    assert fixed.phash_orientations == (
        "942b552b54ab56ad", "c17f007e01fe03fc", "d7870787070f0f0f", "94d555d554565656",
        "852a55aa55ab5675", "d07f00ff00ff0770", "d080008007ffffff", "85d55555555556ca",
    )
    assert fixed.thumbnail[:16] == (7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57, 62, 67, 72, 77, 82)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("copy", [name for name in COPIES if not name.startswith("cropped")])
def test_a_faithful_copy_is_found_whichever_way_it_is_turned(
    copy: str, pictures: dict[str, Image.Image], facts: dict[str, ImageFacts],
) -> None:
    copies = {f"{name} copy": facts_of_file(COPIES[copy](picture)) for name, picture in pictures.items()}
    assert _same(compare(facts | copies)) == {(name, f"{name} copy") for name in pictures}


def test_a_copy_that_lost_a_strip_is_found_as_a_crop(
    pictures: dict[str, Image.Image], facts: dict[str, ImageFacts],
) -> None:
    crops = [copy for copy in COPIES if copy.startswith("cropped")]
    for crop in crops:
        copies = {f"{name} copy": facts_of_file(COPIES[crop](picture)) for name, picture in pictures.items()}
        found = _same(compare(facts | copies))
        wanted = {(name, f"{name} copy") for name in pictures}
        assert not found - wanted, crop
        assert len(found & wanted) >= (len(wanted) if crop != "cropped off centre" else len(wanted) - 1), crop


def test_a_crop_whose_difference_hash_contradicts_is_no_pair() -> None:
    rng = np.random.default_rng(4)
    crop = int(rng.integers(0, 2**63))
    whole = _row("a", 7) | {"crop_bits": [crop], "difference_bits": [1, 1, 0, 0]}
    for n_differences, is_same in ((20, True), (21, False)):
        other = {"difference_bits": [(1 << n_differences) - 1, 0]}
        found = compare_rows([whole, _row("b", crop ^ 1, [tone * 37 % 256 for tone in SCENE]) | other])
        assert _same(found) == ({("a", "b")} if is_same else set())
        assert [(row["evidence"], row["distance"], row["n_differences"]) for row in found] == (
            [("crop", 1, 20)] if is_same else []
        )


def test_a_crop_that_agrees_better_uncropped_shares_a_card_and_is_no_pair() -> None:
    for n_cropped, is_same in ((8, True), (9, False)):
        whole = _row("a", 7) | {"crop_bits": [2**40 - 1], "difference_bits": [127, 0, 2**n_cropped - 1, 0]}
        other = _row("b", 2**40 - 1, [tone * 37 % 256 for tone in SCENE]) | {"difference_bits": [0, 0]}
        (row,) = compare_rows([whole, other])    # on record in any case: one side of the split
        assert (row["n_differences"], row["is_same"]) == (n_cropped, is_same)


@pytest.mark.parametrize("distance", [0, 2, 3, 4, 6])
def test_no_pair_within_the_distance_is_missed(distance: int) -> None:
    rng = np.random.default_rng(distance)
    turned = rng.integers(0, 2**64, (400, 8), dtype=np.uint64)
    for place in range(200, 400):
        bits = sum(1 << int(bit) for bit in rng.choice(64, rng.integers(1, 8), replace=False))
        turned[place, 0] = turned[rng.integers(0, 200), rng.integers(0, 8)] ^ np.uint64(bits)
    rows = [_row(f"{n:03d}", int(line[0])) | {"turned_bits": line.tolist()} for n, line in enumerate(turned)]
    apart = np.bitwise_count(turned[:, None, :] ^ turned[None, :, :1]).min(axis=2)
    near = {(f"{min(a, b):03d}", f"{max(a, b):03d}") for a, b in np.argwhere(apart <= distance) if a != b}
    found = compare_rows(rows, near_distance=distance)
    assert {(row["sha256_a"], row["sha256_b"]) for row in found} == near
    assert len(near) > (50 if distance else -1)


def test_equal_hashes_of_unlike_pictures_make_no_pair_but_are_on_record() -> None:
    other = [tone * 37 % 256 for tone in range(256)]
    (row,) = compare_rows([_row("a", 12345), _row("b", 12345, other)])
    assert (row["is_same"], row["distance"]) == (False, 0)


def test_pictures_that_share_a_mount_and_little_else_make_no_pair() -> None:
    mount = np.where(np.add.outer(np.arange(16), np.arange(16)) % 16 < 8, 20, 230)
    mounted = mount.copy()
    mounted[4:8, 8:12] = np.arange(16).reshape(4, 4) * 37 % 256
    tones = {"a": mount, "b": mounted, "c": mount // 2 + 9}    # the last is only printed darker
    assert np.corrcoef(mount.ravel(), mounted.ravel())[0, 1] > 0.94
    found = compare_rows([_row(name, 12345, array.ravel().tolist()) for name, array in tones.items()])
    assert _same(found) == {("a", "c")}
    assert len(found) == 3    # all are near: they stay on one side of the split


def test_plain_pictures_make_no_pair() -> None:
    assert compare_rows([_row("a", 1 << 63, entropy=0.3), _row("b", 1 << 63, entropy=0.3)]) == []


def test_five_thousand_files_of_one_hash_are_not_compared_each_with_each() -> None:
    found = compare_rows([_row(f"{n:04d}", 12345) for n in range(5_000)])
    assert len(found) < 17 * 5_000
    assert len({name for pair in _same(found) for name in pair}) == 5_000


def test_copies_are_found_among_many_unlike_pictures_of_one_hash() -> None:
    scenes = np.random.default_rng(1).integers(0, 255, (48, 256)).tolist()
    rows = [_row(f"{copy}{n:02d}", 777, scene) for copy in "ab" for n, scene in enumerate(scenes)]
    assert _same(compare_rows(rows)) == {(f"a{n:02d}", f"b{n:02d}") for n in range(48)}


def test_a_chain_of_five_thousand_is_one_cluster() -> None:
    names = [f"{n * 7919 % 5000:016x}" for n in range(5000)]
    with duckdb.connect() as con:
        con.execute("create table int_images__distinct as select format('{:016x}', i) as sha256, 1 as width, "
                    "1 as height, 1 as bytes from range(5001) as numbers(i)")
        con.execute("create table int_images__paired (sha256_a varchar, sha256_b varchar)")
        con.register("chain", pa.table({"sha256_a": names[:-1], "sha256_b": names[1:]}))
        con.execute("insert into int_images__paired select * from chain")
        build_model(con, "int_images__clustered")
        counted = "select cluster_id, count(*) from int_images__clustered group by all order by all"
        found = con.execute(counted).fetchall()
    assert found == [(names[0], 5000), (f"{5000:016x}", 1)]


def test_published_copies_are_found_and_published_strangers_are_not() -> None:
    images = os.environ.get("GLAMLAKE_IMAGES")
    if not images:
        pytest.skip("GLAMLAKE_IMAGES names no folder of test images")
    with (Path(images) / "duplicates.csv").open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    names = {row[side] for row in pairs for side in ("file_a", "file_b")}
    facts = {name: facts_of_file((Path(images) / "duplicates" / name).read_bytes()) for name in names}
    first = cluster(facts)
    together = {(row["file_a"], row["file_b"]): first[row["file_a"]] == first[row["file_b"]] for row in pairs}
    found = Counter(row["relation"] for row in pairs if together[row["file_a"], row["file_b"]])
    assert found == {"exact": 4, "recompressed": 16, "rotated": 10, "resized": 45, "edited": 6}
