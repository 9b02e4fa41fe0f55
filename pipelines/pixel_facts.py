"""What takes a look at every pixel of an upright RGB picture: grey tones, statistics, a hash.

The picture is read where Pillow holds it, without a copy where it lies in one piece, and in stripes where it
does not: a copy of the whole would double the memory.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import blake3
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from pipelines.pixel_loops import bend_sums, scan, tone_counts

Three = tuple[float, float, float]

# both are part of what the pixels' hash is, for ever
_STRIPE_PIXELS = 2**20
_AT_ONCE = 2**17         # pixels that are hashed while they are still near the processor
_SHARPNESS_ROWS = 128


@dataclass(frozen=True)
class PixelFacts:
    """Facts of an RGB picture, and its grey tones (height, width) as Pillow makes them."""

    tones: NDArray[np.uint8]
    rgb_mean: Three
    rgb_std: Three
    sharpness: float
    entropy: float            # of the tones, 0..8 bits
    pixel_hash: str           # BLAKE3 of the size, and of red, green and blue of some pixels after the other


def pixel_facts(picture: Image.Image) -> PixelFacts:
    """Everything that needs all pixels, in one pass over them; the picture's mode is RGB."""
    tones, sums = np.empty(picture.width * picture.height, np.uint8), np.zeros(6, np.int64)
    digest = blake3.blake3(f"{picture.width}x{picture.height} RGB\n".encode())
    done = 0
    rgb = np.empty(3 * _AT_ONCE, np.uint8)
    for pixels in _pixels(picture):
        scan(pixels, rgb, tones[done:done + len(pixels)], sums)
        digest.update(rgb[:3 * len(pixels)].data)
        done += len(pixels)
    mean, std = _moments(done, sums.tolist())
    grey = tones.reshape(picture.height, picture.width)
    return PixelFacts(grey, mean, std, _sharpness(grey), _entropy(tones), digest.hexdigest())


def stripes(picture: Image.Image) -> Iterator[Image.Image]:
    """The picture from top to bottom in parts that each lie in one piece of memory."""
    rows = max(1, _STRIPE_PIXELS // picture.width)
    if rows >= picture.height:
        yield picture
        return
    for top in range(0, picture.height, rows):
        yield picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _pixels(picture: Image.Image) -> Iterator[NDArray[np.uint32]]:
    """The picture's own memory, some pixels after the other: red, green, blue, a byte without a meaning."""
    for stripe in stripes(picture):
        memory = pa.Array._import_from_c_capsule(*stripe.__arrow_c_array__()).buffers()[-1]
        pixels = np.frombuffer(memory, np.uint32)
        for first in range(0, len(pixels), _AT_ONCE):
            yield pixels[first:first + _AT_ONCE]


def _moments(n: int, sums: list[int]) -> tuple[Three, Three]:
    """Mean and standard deviation of each channel, over all pixels, exact until the last step."""
    totals, squares = sums[:3], sums[3:]
    means = [total / (n * 255) for total in totals]
    spreads = [n * square - total * total for total, square in zip(totals, squares, strict=True)]
    stds = [math.sqrt(spread) / (n * 255) for spread in spreads]
    return (means[0], means[1], means[2]), (stds[0], stds[1], stds[2])


def _entropy(tones: NDArray[np.uint8]) -> float:
    counts = tone_counts(tones)
    shares = counts[counts > 0] / len(tones)
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian (four neighbours) over a hundred rows and more, evenly spread; 0 where no
    pixel has four neighbours."""
    if min(grey.shape) < 3:
        return 0.0
    n, total, squares = bend_sums(grey, max(1, (len(grey) - 2) // _SHARPNESS_ROWS))
    return (n * squares - total * total) / (n * n)
