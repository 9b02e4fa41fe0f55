"""The perceptual hash of a picture in each of its eight orientations: the bits of imagehash.phash.

Nothing here reads a file, the network or the clock.
"""

import numpy as np
from numpy.typing import NDArray

_SIDE, _LOWEST = 32, 8
_CLOSE = 1e-5            # far more than rounding, far less than what tells waves of a picture apart


def phash_orientations(small: NDArray[np.uint8], transposed: NDArray[np.uint8]) -> tuple[str, ...]:
    """The hashes in the order of EXIF's orientations, from the 32 × 32 tones of the picture and of its
    transpose.

    A mirrored picture shrinks to the mirrored small one, but a transposed one only nearly so: Pillow rounds
    between its passes along rows and along columns, and which comes first depends on the picture's shape.
    """
    waves = np.concatenate([_mirrored(_COSINES @ one @ _COSINES.T) for one in (small, transposed)])
    waves = waves.reshape(8, -1)
    if np.abs(waves - medians(waves)).min() < _CLOSE:
        waves = _as_imagehash_does(small, transposed)
    return tuple(row.tobytes().hex() for row in np.packbits(waves > medians(waves), axis=1))


def medians(waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each row, an even number of values: (rows, 1). A tenth of np.median's time."""
    half = waves.shape[1] // 2
    middle = np.sort(waves, axis=1)[:, half - 1:half + 1]
    both: NDArray[np.float64] = (middle[:, :1] + middle[:, 1:]) / 2
    return both


def _mirrored(waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The waves of a picture as it is, mirrored, upside down in both ways: odd ones change their sign."""
    mirrored: NDArray[np.float64] = waves * _SIGNS
    return mirrored


def _as_imagehash_does(small: NDArray[np.uint8], transposed: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The waves rounded as imagehash's are, for even pictures where bits hang on rounding: (8, 64)."""
    import scipy.fft  # takes as long to load as a hundred pictures to judge, and few need it

    turned = np.stack([
        turn for one in (small, transposed) for turn in (one, one[:, ::-1], one[::-1, ::-1], one[::-1])
    ])
    waves = scipy.fft.dct(scipy.fft.dct(turned.astype(np.float64), axis=1), axis=2)
    lowest: NDArray[np.float64] = waves[:, :_LOWEST, :_LOWEST].reshape(8, -1)
    return lowest


def cosines(n: int) -> NDArray[np.float64]:
    """What to multiply n values with for their n lowest waves (a discrete cosine transform): (n, n)."""
    angles = np.outer(np.arange(n), 2 * np.arange(n) + 1) * (np.pi / (2 * n))
    waves: NDArray[np.float64] = 2 * np.cos(angles)
    return waves


_COSINES = cosines(_SIDE)[:_LOWEST]
_ODD = (-1.0) ** np.arange(_LOWEST)
_SIGNS = np.stack([
    np.ones((_LOWEST, _LOWEST)), np.tile(_ODD, (_LOWEST, 1)), np.outer(_ODD, _ODD),
    np.tile(_ODD[:, None], (1, _LOWEST)),
])
