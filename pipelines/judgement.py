"""What is asked of a picture, and what is said of it: plain values that cost nothing to import."""

from dataclasses import dataclass

EXTENSIONS = {
    "JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "TIFF": "tif", "BMP": "bmp", "JPEG2000": "jp2",
    "AVIF": "avif", "PPM": "ppm",
}
"""The formats kept, by Pillow's name; its other decoders (EPS starts a program) are never tried."""


@dataclass(frozen=True)
class Limits:
    """What is still decoded, and what is worth keeping."""

    max_pixels: int = 100_000_000    # 0.4 GB as Pillow holds it, twice that while it is turned or blended
    min_side: int = 64
    min_bytes: int = 2560
    blank_std: float = 0.06          # of every channel, 0..1; a picture with more is never blank
    blank_tones: int = 6             # of 255; how far apart a blank's tones are, its grain averaged out


@dataclass(frozen=True)
class ImageFacts:
    """What is known of one picture; `width` and `height` of the upright picture, `mode` as it was stored."""

    format: str
    mode: str
    width: int
    height: int
    phash: str                # 16 hex digits, the bits imagehash.phash gives
    phash_orientations: tuple[str, ...]    # of the picture turned as EXIF's orientations 1 to 8 say
    thumbnail: tuple[float, ...]    # 16 × 16 grey tones, 0..255, row by row
    phash_inside: tuple[str, ...] | None    # as `phash_orientations`, of what is inside a plain border
    thumbnail_inside: tuple[float, ...] | None
    phash_crops: tuple[str, ...]    # of the crops of `picture_parts`
    dhash: str                # 28 hex digits, another witness than phash
    dhash_crops: tuple[str, ...]
    pixel_hash: str           # BLAKE3 of size and RGB pixels: equal for a picture stored twice without loss
    entropy: float            # of the grey tones, 0..8 bits
    sharpness: float          # variance of the grey tones' Laplacian, by rows: the less, the more blurred
    rgb_mean: tuple[float, float, float]
    rgb_std: tuple[float, float, float]


@dataclass(frozen=True)
class Judgement:
    """A picture's status (`images.status`), the reason where it is not `ok`, and its facts where it could
    be decoded.

    `derivative` is a smaller JPEG to keep instead, made when the picture is larger than was asked for; the
    facts are the derivative's then, except that `too_small` and `blank` are judged on the picture as it was
    served, whose width and height are `served_size`.
    """

    status: str
    error: str | None = None
    facts: ImageFacts | None = None
    derivative: bytes | None = None
    served_size: tuple[int, int] | None = None
