"""Loops over all pixels of a picture, compiled to machine code: the one door to Numba.

All sums are of whole numbers, so they are exact whatever their order. What was compiled is kept in the user's
cache folder (`GLAMLAKE_CACHE` names another); `NUMBA_CACHE_DIR` goes before it. Nothing here checks bounds:
`image_facts` and `lanczos` hand in arrays that fit.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import int32, uint8, uint32
from numpy.typing import NDArray

from pipelines.cache_folder import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_AT_ONCE = 4096          # pixels: few enough to stay near the processor, and for sums of 32 bits
PRECISION_BITS = 22      # of the whole numbers that Pillow multiplies tones with when it resizes
_HALF = 1 << (PRECISION_BITS - 1)
LANES = 64               # tones that the loop over a row's factors takes at once


def _compiled(function: F) -> F:
    if "NUMBA_CACHE_DIR" not in os.environ:
        numba.config.CACHE_DIR = str(cache_folder() / "numba")
    try:
        return cast(F, numba.njit(cache=True)(function))
    except RuntimeError:      # no folder that can be written: compiled again by each process
        return cast(F, numba.njit(function))


@_compiled
def scan(
    pixels: NDArray[np.uint32], rgb: NDArray[np.uint8], tones: NDArray[np.uint8], sums: NDArray[np.int64]
) -> None:
    """Fill `rgb` (all red, then all green, then all blue) and `tones` (grey as Pillow makes it) from pixels
    of four bytes; add up red, green, blue and their squares in the six `sums`."""
    n = len(pixels)
    for first in range(0, n, _AT_ONCE):
        some, grey = pixels[first:first + _AT_ONCE], tones[first:first + _AT_ONCE]
        red = rgb[first:first + len(some)]
        green = rgb[n + first:n + first + len(some)]
        blue = rgb[2 * n + first:2 * n + first + len(some)]
        r1 = g1 = b1 = r2 = g2 = b2 = uint32(0)
        for i in range(len(some)):
            r = uint32(some[i] & uint32(255))
            g = uint32((some[i] >> uint32(8)) & uint32(255))
            b = uint32((some[i] >> uint32(16)) & uint32(255))
            weighed = uint32(19595) * r + uint32(38470) * g + uint32(7471) * b
            grey[i] = uint8((weighed + uint32(0x8000)) >> uint32(16))
            red[i], green[i], blue[i] = uint8(r), uint8(g), uint8(b)
            r1, g1, b1 = uint32(r1 + r), uint32(g1 + g), uint32(b1 + b)
            r2, g2, b2 = uint32(r2 + r * r), uint32(g2 + g * g), uint32(b2 + b * b)
        sums[0] += r1
        sums[1] += g1
        sums[2] += b1
        sums[3] += r2
        sums[4] += g2
        sums[5] += b2


@_compiled
def tone_counts(tones: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """How many tones there are of each of 256. Two are counted at a time: equal ones often lie side by side,
    and to count one more the last must be done."""
    pairs, counts = np.zeros(65536, np.uint32), np.zeros(256, np.uint32)
    for pair in tones[:len(tones) // 2 * 2].view(np.uint16):
        pairs[pair] += uint32(1)
    for first in range(256):
        some, n = pairs[256 * first:256 * (first + 1)], uint32(0)
        for second in range(256):
            n = uint32(n + some[second])
            counts[second] += some[second]
        counts[first] += n
    if len(tones) % 2:
        counts[tones[-1]] += uint32(1)
    return counts


@_compiled
def bend_sums(tones: NDArray[np.uint8], step: int) -> tuple[int, int, int]:
    """Of the Laplacian (four neighbours) in every step-th row: how many values, their sum, that of their
    squares."""
    height, width = tones.shape
    n = total = squares = 0
    for y in range(1, height - 1, step):
        above, middle, below = tones[y - 1], tones[y], tones[y + 1]
        left, right = middle[:width - 2], middle[2:]
        for first in range(0, width - 2, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            over, under = above[1:width - 1][some], below[1:width - 1][some]
            here, before, after = middle[1:width - 1][some], left[some], right[some]
            part, part_squares = int32(0), uint32(0)
            for x in range(len(here)):
                around = int32(over[x]) + int32(under[x]) + int32(before[x]) + int32(after[x])
                bend = int32(around - int32(4) * int32(here[x]))
                part = int32(part + bend)
                part_squares = uint32(part_squares + uint32(bend * bend))
            total += part
            squares += part_squares
            n += len(here)
    return n, total, squares


@_compiled
def shrink_along(
    tones: NDArray[np.uint8], starts: NDArray[np.int64], factors: NDArray[np.int32]
) -> NDArray[np.uint8]:
    """Each row made as long as there are lines of factors: (rows, n). The i-th tone is made of the tones from
    `starts[i]` on; zeros fill each line of factors up to a multiple of LANES."""
    height, width = tones.shape
    longest = factors.shape[1]
    small = np.empty((height, len(starts)), np.uint8)
    line = np.zeros(width + longest, np.int32)
    for y in range(height):
        row = tones[y]
        for x in range(width):
            line[x] = row[x]
        for i in range(len(starts)):
            some, weights = line[starts[i]:starts[i] + longest], factors[i]
            total = int32(_HALF)
            for k in range(longest):
                total = int32(total + int32(some[k] * weights[k]))
            small[y, i] = uint8(min(255, max(0, total >> PRECISION_BITS)))
    return small


@_compiled
def shrink_down(
    tones: NDArray[np.uint8], starts: NDArray[np.int64], counts: NDArray[np.int64],
    factors: NDArray[np.int32],
) -> NDArray[np.uint8]:
    """As `shrink_along`, of columns: (n, columns); only the first `counts[i]` factors of a line are used."""
    width = tones.shape[1]
    small = np.empty((len(starts), width), np.uint8)
    totals = np.empty(width, np.int32)
    for i in range(len(starts)):
        totals[:] = _HALF
        for k in range(counts[i]):
            row, weight = tones[starts[i] + k], factors[i, k]
            for x in range(width):
                totals[x] = int32(totals[x] + int32(weight * int32(row[x])))
        for x in range(width):
            small[i, x] = uint8(min(255, max(0, totals[x] >> PRECISION_BITS)))
    return small


@_compiled
def averages(tones: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    """The averages of fields so many tones wide and high, rounded as Image.reduce does it; the last ones of a
    line and the last line may have less."""
    height, width = tones.shape
    small = np.empty(((height + down - 1) // down, (width + across - 1) // across), np.uint8)
    line = np.empty(width, np.uint32)
    for y in range(len(small)):
        rows = tones[y * down:(y + 1) * down]
        line[:] = 0
        for k in range(len(rows)):
            row = rows[k]
            for x in range(width):
                line[x] = uint32(line[x] + row[x])
        n = across * len(rows)
        half, factor = uint32(n // 2), uint32(np.float32(2.0**32) / np.float32(256 * n))
        whole = width // across
        if across == 2:
            for x in range(whole):
                total = uint32(line[2 * x] + line[2 * x + 1] + half)
                small[y, x] = uint8(uint32(total * factor) >> uint32(24))
        else:
            for x in range(whole):
                total = half
                for k in range(across):
                    total = uint32(total + line[x * across + k])
                small[y, x] = uint8(uint32(total * factor) >> uint32(24))
        if whole < small.shape[1]:
            n = (width - whole * across) * len(rows)
            half, factor = uint32(n // 2), uint32(np.float32(2.0**32) / np.float32(256 * n))
            total = half
            for x in range(whole * across, width):
                total = uint32(total + line[x])
            small[y, whole] = uint8(uint32(total * factor) >> uint32(24))
    return small
