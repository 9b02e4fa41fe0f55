"""The small pictures that hashes are made of are Pillow's, bit for bit."""

import numpy as np
import pytest
from PIL import Image

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
        small, transposed = thirty_two(np.array(picture))
        assert (small == _by_pillow(picture)).all()
        assert (transposed == _by_pillow(picture.transpose(Image.Transpose.TRANSPOSE))).all()
