"""What a copy may have kept of a picture: its crops, and what is inside its border.

A hash of the whole cannot tell that a copy lost a strip at its edge or gained a frame; hashes of its parts
can. All is taken from the upright picture in grey. Nothing here reads a file, the network or the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.phashes import cosines, medians
from pipelines.pixel_loops import averages

CROPS = (
    # a twentieth of width and height gone, from any side or from both
    *((left, top, 0.05 - left, 0.05 - top) for top in (0.0, 0.025, 0.05) for left in (0.0, 0.025, 0.05)),
    # a strip of one side gone, and a twentieth of every side
    (0.05, 0.0, 0.0, 0.0), (0.0, 0.05, 0.0, 0.0), (0.0, 0.0, 0.05, 0.0), (0.0, 0.0, 0.0, 0.05),
    (0.05, 0.05, 0.05, 0.05),
)
"""What is cut off left, top, right and below, as shares of width and height; the order is kept for ever."""

_MIDDLE = 128            # crops are taken from a picture of this size: the whole one is shrunk only once
_GAP = 3.0
_WIDEST_BORDER = 0.2     # of a side; what is wider belongs to the picture
_BORDER_TONES = 16       # of 255: how far a line's tones may be from its median
_BORDER_SHARE = 0.985    # of a line's pixels must have them
_THINNEST_BORDER = 0.004
_NOTHING = 1e-6          # between equal fields, the sums of which are rounded


@dataclass(frozen=True)
class PartHashes:
    """Perceptual hashes (16 hex digits) of the crops in their order, and difference hashes (28 digits: rows,
    then columns) of the whole picture and of the crops."""

    phash_crops: tuple[str, ...]
    dhash: str
    dhash_crops: tuple[str, ...]


def part_hashes(grey: Image.Image, tones: NDArray[np.uint8]) -> PartHashes:
    """The hashes of a picture's crops, and the difference hashes that bear witness for them; `tones` are the
    picture's."""
    middle = np.asarray(_middle(grey, tones), dtype=np.float64)
    waves = _on_all(_WAVES, middle).reshape(-1, 64)[1:]
    differences = _difference_hashes(_on_all(_FIELDS, middle))
    crops = _hex(waves > medians(waves))
    return PartHashes(crops, differences[0], differences[1:])


def _middle(grey: Image.Image, tones: NDArray[np.uint8]) -> Image.Image:
    """The picture in the size that crops are taken from, as resize with a reducing_gap of 3 makes it."""
    size = (_MIDDLE, _MIDDLE)
    if min(grey.size) < 2 * _MIDDLE:
        return grey.resize(size, Image.Resampling.LANCZOS, reducing_gap=_GAP)
    across, down = (max(1, int(side / _MIDDLE / _GAP)) for side in grey.size)
    if across * down == 1:
        return grey.resize(size, Image.Resampling.BOX)
    box = (0, 0, grey.width / across, grey.height / down)
    return Image.fromarray(averages(tones, across, down)).resize(size, Image.Resampling.BOX, box)


def _difference_hashes(fields: NDArray[np.float64]) -> tuple[str, ...]:
    """Whether it gets lighter from each of 8 × 8 fields to the next to the right, and to the next below."""
    right = np.diff(fields, axis=2).reshape(-1, 56)
    below = np.diff(fields, axis=1).reshape(-1, 56)
    return _hex(np.concatenate([right, below], axis=1) > _NOTHING)


def _averaging(n: int, before: float, after: float) -> NDArray[np.float64]:
    """A matrix that makes n averages of a line, without the shares cut off before and after."""
    borders = np.linspace(before, 1 - after, n + 1)[:, None] * _MIDDLE
    cells = np.arange(_MIDDLE)
    covered = np.minimum(borders[1:], cells + 1) - np.maximum(borders[:-1], cells)
    shares: NDArray[np.float64] = np.maximum(covered, 0) / (borders[1:] - borders[:-1])
    return shares


@dataclass(frozen=True)
class _Products:
    """What to multiply a picture with for its crops: from the left once for all with the same rows cut off,
    then from the right."""

    lefts: NDArray[np.float64]      # (of different ones, n, _MIDDLE)
    which: NDArray[np.int64]        # of them: for the whole picture, then for each crop
    rights: NDArray[np.float64]     # (1 + crops, _MIDDLE, n)


def _products(lines: Callable[[float, float], NDArray[np.float64]]) -> _Products:
    cuts = ((0.0, 0.0, 0.0, 0.0), *CROPS)
    rows = sorted({(top, below) for _, top, _, below in cuts})
    return _Products(
        np.stack([lines(*cut) for cut in rows]),
        np.array([rows.index((top, below)) for _, top, _, below in cuts]),
        np.stack([lines(left, right).T for left, _, right, _ in cuts]),
    )


def _on_all(products: _Products, middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """The products of the whole picture and of each crop: (1 + crops, n, n)."""
    found: NDArray[np.float64] = (products.lefts @ middle)[products.which] @ products.rights
    return found


# the lowest waves of 32 × 32 averages, as phash has them, and 8 × 8 averages
_COSINES = cosines(32)[:8]
_WAVES = _products(lambda before, after: _COSINES @ _averaging(32, before, after))
_FIELDS = _products(lambda before, after: _averaging(8, before, after))


def _hex(bits: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(row.tobytes().hex() for row in np.packbits(bits, axis=1))


def inside_border(grey: Image.Image, tones: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """32 × 32 tones of what is inside the plain strips around a picture with these tones; None where there
    are none."""
    height, width = tones.shape
    top, below = _border(tones), _border(tones[::-1])
    left, right = _border(tones.T), _border(tones.T[::-1])
    if max(top, below) < _THINNEST_BORDER * height and max(left, right) < _THINNEST_BORDER * width:
        return None
    # cut out first: resize(box=…) looks a little beyond the box
    inside = grey.crop((left, top, width - right, height - below))
    return np.asarray(inside.resize((32, 32), Image.Resampling.LANCZOS, reducing_gap=2.0))


def _border(lines: NDArray[np.uint8]) -> int:
    """How many of the first lines are plain: nearly all of a line has the tone of its middle, a few specks
    aside; 0 if that goes on beyond what a border may be wide."""
    outer = lines[: int(len(lines) * _WIDEST_BORDER), :: max(1, lines.shape[1] // 256)]
    if not len(outer) or not _are_plain(outer[:1]).all():
        return 0
    is_plain = _are_plain(outer)
    return 0 if is_plain.all() else int(is_plain.argmin())


def _are_plain(lines: NDArray[np.uint8]) -> NDArray[np.bool_]:
    tones = lines.astype(np.int16)
    some = np.sort(tones[:, ::4], axis=1)
    near = np.abs(tones - some[:, some.shape[1] // 2, None]) <= _BORDER_TONES
    plain: NDArray[np.bool_] = near.mean(axis=1) >= _BORDER_SHARE
    return plain
