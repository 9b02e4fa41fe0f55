"""A picture made 32 × 32 with Pillow's Lanczos filter, bit for bit, in a fifth of Pillow's time.

Pillow adds up tones times whole numbers, first along rows and then along columns, and rounds to 8 bits after
each. Sums of whole numbers do not depend on their order while every one of them is exact, so a product of
matrices gives the same bits: the numbers are split into two parts so small that 32-bit floats hold all sums.
Nothing here reads a file, the network or the clock.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Tones = NDArray[np.uint8]

SIDE = 32
_SUPPORT = 3.0            # of Lanczos, in pixels of the small picture
_PRECISION_BITS = 22      # of Pillow's whole numbers
_LOW_BITS = 7
_EXACT = 2**24            # 32-bit floats hold every whole number up to here
_BLOCK = 8                # small pixels made by one product: the fewer, the fewer zeros in it
_LARGEST = 2**24          # pixels of which a copy in 32-bit floats is made


@dataclass(frozen=True)
class _Block:
    """Where in a line the tones of some small pixels come from, and what they are multiplied with."""

    start: int
    stop: int
    factors: NDArray[np.float32]      # (stop - start, 2 × _BLOCK): high parts, then low parts


def thirty_two(grey: Image.Image, tones: Tones) -> tuple[Tones, Tones]:
    """The picture and its transpose (rows as columns), each resized to 32 × 32 by Image.Resampling.LANCZOS.

    `tones` are the picture's. The second is not the first one transposed: Pillow rounds between rows and
    columns.
    """
    along, down = _blocks(grey.width), _blocks(grey.height)
    if along is None or down is None or not _rows_come_first(grey.width, grey.height):
        return _by_pillow(grey), _by_pillow(grey.transpose(Image.Transpose.TRANSPOSE))
    exact = tones.astype(np.float32)
    rows = [exact[:, block.start:block.stop] @ block.factors for block in along]
    columns = [(block.factors.T @ exact[block.start:block.stop]).T for block in down]
    return _across(_joined(rows), grey.height), _across(_joined(columns), grey.width)


def _rows_come_first(width: int, height: int) -> bool:
    """Whether Pillow shrinks along rows first, both the picture and its transpose; long ones are left to it,
    and those of which a copy in floats would take much memory."""
    return max(width, height) <= 2 * min(width, height) - SIDE and width * height <= _LARGEST


def _by_pillow(grey: Image.Image) -> Tones:
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _joined(sums: list[NDArray[np.float32]]) -> Tones:
    """High and low parts put together again, rounded as Pillow does it: (lines, 32)."""
    parts = np.stack(sums, axis=1).astype(np.int32)      # (lines, blocks, 2 × _BLOCK)
    whole = (parts[:, :, :_BLOCK] << _LOW_BITS) + parts[:, :, _BLOCK:]
    return _rounded(whole.reshape(len(whole), SIDE))


def _across(lines: Tones, n: int) -> Tones:
    """The second pass, over few numbers: (n, 32) becomes (32, 32)."""
    return _rounded((_dense(n).T @ lines.astype(np.float64)).astype(np.int32))


def _rounded(sums: NDArray[np.int32]) -> Tones:
    tones: Tones = ((sums + (1 << (_PRECISION_BITS - 1))) >> _PRECISION_BITS).clip(0, 255).astype(np.uint8)
    return tones


@lru_cache(maxsize=64)
def _blocks(n: int) -> tuple[_Block, ...] | None:
    """The factors for a line of n tones; None where a sum could be too large to be exact, or n is small."""
    if n < 2 * SIDE:
        return None
    factors = _dense(n)
    high = np.floor(factors / (1 << _LOW_BITS) + 0.5)
    low = factors - high * (1 << _LOW_BITS)
    if max(np.abs(high).sum(axis=0).max(), np.abs(low).sum(axis=0).max()) * 255 >= _EXACT:
        return None
    found = []
    for first in range(0, SIDE, _BLOCK):
        some = slice(first, first + _BLOCK)
        used = np.flatnonzero(factors[:, some].any(axis=1))
        start, stop = int(used[0]), int(used[-1]) + 1
        both = np.concatenate([high[start:stop, some], low[start:stop, some]], axis=1)
        found.append(_Block(start, stop, both.astype(np.float32)))
    return tuple(found)


@lru_cache(maxsize=64)
def _dense(n: int) -> NDArray[np.float64]:
    """Pillow's whole numbers: what each of n tones adds to each of 32, as floats: (n, 32)."""
    scale = n / SIDE
    centres = ((np.arange(SIDE) + 0.5) * scale)[:, None]
    starts = np.maximum((centres - _SUPPORT * scale + 0.5).astype(np.int64), 0)
    stops = np.minimum((centres + _SUPPORT * scale + 0.5).astype(np.int64), n)
    places = starts + np.arange(int((stops - starts).max()))
    far = (places - centres + 0.5) / scale
    is_used = (places < stops) & (far >= -_SUPPORT) & (far < _SUPPORT)
    weights = np.where(is_used, np.sinc(far) * np.sinc(far / _SUPPORT), 0.0)
    whole = weights / weights.sum(axis=1, keepdims=True) * (1 << _PRECISION_BITS)
    dense = np.zeros((n, SIDE))
    small = np.broadcast_to(np.arange(SIDE)[:, None], places.shape)
    dense[places[is_used], small[is_used]] = np.trunc(whole + np.copysign(0.5, whole))[is_used]
    return dense
