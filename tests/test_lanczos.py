"""The small pictures that hashes are made of are Pillow's, bit for bit."""

import numpy as np
import pytest
from PIL import Image

from pipelines import lanczos
from pipelines.lanczos import thirty_two


def _by_pillow(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("size", [
    (64, 64), (65, 97), (100, 80), (333, 640), (640, 333), (800, 1000), (1000, 800), (1999, 1017), (63, 80),
    (32, 32), (5, 700), (97, 64), (70, 140), (1280, 655),
])
def test_a_picture_and_its_transpose_are_made_small_as_pillow_does_it(size):
    rng = np.random.default_rng(size)
    shape = (size[1], size[0])
    hard = (rng.random(shape) < 0.5) * 255       # overshoots black and white
    for tones in (rng.integers(0, 256, shape), hard, np.full(shape, 255)):
        picture = Image.fromarray(tones.astype(np.uint8))
        small, transposed = thirty_two(picture, np.asarray(picture))
        assert (small == _by_pillow(picture)).all()
        assert (transposed == _by_pillow(picture.transpose(Image.Transpose.TRANSPOSE))).all()


@pytest.mark.parametrize("n", [64, 999, 5000, 9000])
def test_no_sum_is_too_large_to_be_exact(n):
    blocks = lanczos._blocks(n)
    assert blocks is not None
    assert all(255 * np.abs(block.factors).sum(axis=0).max() < 2**24 for block in blocks)


def test_a_line_too_long_to_be_exact_is_left_to_pillow():
    assert lanczos._blocks(100_000) is None
