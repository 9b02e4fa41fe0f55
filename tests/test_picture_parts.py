"""What a copy may have kept of a picture: hashes of its crops, and what is inside its border."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from pipelines import picture_parts
from pipelines.demo.pictures import print_of
from pipelines.demo.scenes import choose_scenes
from pipelines.picture_parts import CROPS


def _bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def part_hashes(grey: Image.Image) -> picture_parts.PartHashes:
    return picture_parts.part_hashes(grey, np.array(grey))


def inside_border(grey: Image.Image) -> np.ndarray | None:
    return picture_parts.inside_border(grey, np.asarray(grey))


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    """A drawn print in grey."""
    (drawn,) = choose_scenes("ship", 1, 42)
    return print_of(drawn).convert("L")


def _painted(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 200, (9, 12), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def test_the_hashes_of_the_crops_are_those_of_the_cropped_pictures(scene: Image.Image) -> None:
    hashes = part_hashes(scene)
    width, height = scene.size
    for crop, phash, dhash in zip(CROPS, hashes.phash_crops, hashes.dhash_crops, strict=True):
        left, top, right, below = crop
        box = (left * width, top * height, (1 - right) * width, (1 - below) * height)
        cut = part_hashes(scene.resize(scene.size, Image.Resampling.BICUBIC, box=box))
        assert _bits_apart(dhash, cut.dhash) <= 8, crop
        whole = part_hashes(scene.resize((320, 240), Image.Resampling.BICUBIC, box=box))
        assert _bits_apart(dhash, whole.dhash) <= 8, crop
        assert len(phash) == 16


def test_the_hashes_of_a_fixed_picture_are_the_same_for_ever() -> None:
    tones = np.add.outer(np.arange(300) ** 2 // 7, np.arange(280) * 3) % 251
    hashes = part_hashes(Image.fromarray(tones.astype(np.uint8)))
    assert (hashes.phash_crops[0], hashes.phash_crops[-1]) == ("d55551f1d1f151a1", "de765454565c54d4")
    assert (hashes.dhash, hashes.dhash_crops[4]) == (
        "a52abb594d2539a9b5b56a946a95", "a55b5a5b4d12b1a529b54ab5291a",
    )


@pytest.mark.parametrize("size", [
    (1000, 800), (801, 1153), (256, 5000), (5003, 257), (1279, 1280), (390, 767), (768, 385), (3001, 2999),
])
def test_a_picture_is_made_smaller_as_pillow_does_it(size: tuple[int, int]) -> None:
    tones = np.random.default_rng(size).integers(0, 256, size[::-1], dtype=np.uint8)
    picture = Image.fromarray(tones)
    expected = picture.resize((128, 128), Image.Resampling.BOX, reducing_gap=3.0)
    assert picture_parts._middle(picture, tones).tobytes() == expected.tobytes()


def test_a_flat_picture_has_no_differences() -> None:
    hashes = part_hashes(Image.new("L", (500, 300), 77))
    assert {hashes.dhash, *hashes.dhash_crops} == {"0" * 28}


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (64, 64), (255, 4000)])
def test_odd_sizes_have_all_hashes(size: tuple[int, int]) -> None:
    picture = Image.new("L", size, 128)
    assert len(part_hashes(picture).phash_crops) == len(CROPS)
    assert inside_border(picture) is None


@pytest.mark.parametrize("tone", [255, 0, 128])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.15])
def test_what_is_inside_a_border_is_the_picture(tone: int, share: float) -> None:
    picture = _painted(400, 300)
    inside = inside_border(ImageOps.expand(picture, round(share * 300), tone))
    assert inside is not None
    plain = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(inside.astype(int) - plain).max() <= 3


def test_two_frames_one_within_the_other_are_both_taken_off() -> None:
    picture = _painted(400, 300)
    twice = ImageOps.expand(ImageOps.expand(picture, 12, 246), 15, 255)
    inside = inside_border(twice)
    assert inside is not None
    plain = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(inside.astype(int) - plain).mean() <= 2


def test_specks_on_a_border_do_not_keep_it() -> None:
    framed = ImageOps.expand(_painted(400, 300), 20, 250)
    ImageDraw.Draw(framed).line((5, 100, 8, 100), fill=0)
    assert inside_border(framed) is not None


def test_a_picture_without_a_border_has_no_inside() -> None:
    assert inside_border(_painted(400, 300)) is None
