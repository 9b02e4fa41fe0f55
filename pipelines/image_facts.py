"""Bytes of a picture → what it is: format, size, hashes, statistics, or the reason why it is of no use.

One full decode a picture. Everything derived is taken from the upright RGB picture: EXIF orientation
applied, the first frame of an animation, alpha blended on white, 16-bit grey scaled to 8. Colour profiles
are not applied: CMYK becomes RGB the way Pillow does it. Nothing here reads a file, the network or the
clock.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lake.errors import FetchError
from models.pictures import DECODER_ERRORS, in_rgb, is_preview_of_raw, orientation, turned
from pipelines.file_types import RAW, begins_like_a_picture, is_canon_raw, what_it_is
from pipelines.judgement import EXTENSIONS, ImageFacts, Judgement, Limits
from pipelines.lanczos import thirty_two
from pipelines.phashes import phash_orientations
from pipelines.picture_parts import inside_border, part_hashes
from pipelines.pixel_facts import pixel_facts, stripes

_APPETITE = {"JPEG2000": 2, "WEBP": 2}    # decoders that need that much more memory than Pillow's own
_FILLER = hashlib.sha512(b"").digest().replace(b"\xff", b"\xfe") * 64    # any bits will do


@dataclass(frozen=True)
class Decoded:
    picture: Image.Image      # upright, RGB
    format: str
    mode: str


def judge(
    content: bytes, limits: Limits | None = None, max_side: int | None = None, larger_than: int = 0,
) -> Judgement:
    """Decode a picture once and say everything about it; never raises for what the bytes hold.

    With `max_side`, a picture with a longer side and more than `larger_than` bytes gets a derivative (JPEG,
    quality 90).
    """
    limits = limits or Limits()
    try:
        decoded = decode(content, limits)
    except FetchError as e:
        return Judgement(e.status, str(e))
    facts = facts_of(decoded.picture, decoded.format, decoded.mode)
    size = decoded.picture.size
    status, error = _worth(decoded.picture, facts, len(content), limits)
    if status == "too_small" or max_side is None or max(size) <= max_side or len(content) <= larger_than:
        return Judgement(status, error, facts, served_size=size)
    derivative = _shrunk(decoded.picture, max_side)
    small = decode(derivative, limits)
    return Judgement(status, error, facts_of(small.picture, small.format, small.mode), derivative, size)


def warm_up() -> None:
    """Load now what the first picture would wait for: every decoder, and what hashing needs."""
    judge(b"")
    noise = hashlib.shake_128(b"").digest(800 * 800 * 3)
    facts_of(Image.frombytes("RGB", (800, 800), noise), "PNG", "RGB")


def decode(content: bytes, limits: Limits) -> Decoded:
    """The upright RGB picture; raises FetchError `not_an_image`, `corrupt` or `too_large`."""
    with _pillow_limit(None):
        image = _opened(content)
    _refuse_bomb(image, limits)
    with _pillow_limit(limits.max_pixels):
        try:
            image.load()
            mode, how = image.mode, orientation(image)
            picture = in_rgb(image)
            is_cut = image.format in ("JPEG", "MPO") and _ends_too_soon(content, picture)
            upright = turned(picture, how)
        except Image.DecompressionBombError as e:
            raise FetchError("too_large", f"a frame {_reason(e)}") from e
        except MemoryError as e:
            raise FetchError("too_large", f"{_size(image.size)} do not fit into the memory given") from e
        except DECODER_ERRORS as e:
            raise FetchError("corrupt", f"{image.format} cannot be decoded: {_reason(e)}") from e
    if is_cut:
        raise FetchError("corrupt", "JPEG cannot be decoded: it has fewer pixels than its header says")
    return Decoded(upright, "JPEG" if image.format == "MPO" else str(image.format), mode)


def _ends_too_soon(content: bytes, picture: Image.Image) -> bool:
    """Whether the decoder of a JPEG ran out of data, and said nothing: what it lacks becomes middle grey.

    A picture may end in that grey by itself, so it is decoded once more with something to read before its
    end: only a decoder that lacked data reads on.
    """
    end = content.rfind(b"\xff\xd9")
    if end < 0 or picture.getpixel((picture.width - 1, picture.height - 1)) != (128, 128, 128):
        return False
    longer = content[:end] + _FILLER + content[end:]
    again = in_rgb(Image.open(io.BytesIO(longer), formats=("JPEG", "MPO")))
    pairs = zip(stripes(picture), stripes(again), strict=True)
    return any(one.tobytes() != other.tobytes() for one, other in pairs)


def facts_of(picture: Image.Image, source_format: str, mode: str) -> ImageFacts:
    """The facts of an upright RGB picture."""
    all_over = pixel_facts(picture)
    tones = all_over.tones
    grey = Image.fromarray(tones)
    small, transposed = thirty_two(tones)
    hashes = phash_orientations(small, transposed)
    inside, parts = inside_border(grey, tones), part_hashes(grey, tones)
    return ImageFacts(
        format=source_format, mode=mode, width=picture.width, height=picture.height,
        phash=hashes[0], phash_orientations=hashes, thumbnail=_thumbnail(small),
        phash_inside=None if inside is None else phash_orientations(inside, inside.T),
        thumbnail_inside=None if inside is None else _thumbnail(inside),
        phash_crops=parts.phash_crops, dhash=parts.dhash, dhash_crops=parts.dhash_crops,
        pixel_hash=all_over.pixel_hash, entropy=all_over.entropy, sharpness=all_over.sharpness,
        rgb_mean=all_over.rgb_mean, rgb_std=all_over.rgb_std,
    )


def _thumbnail(small: NDArray[np.uint8]) -> tuple[float, ...]:
    means = small.reshape(16, 2, 16, 2).mean(axis=(1, 3))
    return tuple(np.rint(means).ravel().tolist())


def _opened(content: bytes) -> Image.Image:
    if is_canon_raw(content):
        raise FetchError("not_an_image", RAW)
    try:
        image = Image.open(io.BytesIO(content), formats=tuple(EXTENSIONS))
        is_raw = is_preview_of_raw(image)
    except UnidentifiedImageError as e:
        if begins_like_a_picture(content):
            raise FetchError("corrupt", "begins like a picture, but no decoder can read its header") from e
        raise FetchError("not_an_image", what_it_is(content)) from e
    except DECODER_ERRORS as e:
        raise FetchError("corrupt", f"the header cannot be read: {_reason(e)}") from e
    if is_raw:
        raise FetchError("not_an_image", RAW)
    return image


def _refuse_bomb(image: Image.Image, limits: Limits) -> None:
    most = limits.max_pixels // _APPETITE.get(str(image.format), 1)
    if image.width * image.height > most:
        raise FetchError("too_large", f"{_size(image.size)}, at most {most / 1e6:g} million are decoded")
    if min(image.size) < 1:
        raise FetchError("corrupt", f"{_size(image.size)}: nothing to see")


@contextmanager
def _pillow_limit(max_pixels: int | None) -> Iterator[None]:
    """Pillow raises over twice its own limit, also where a frame's size shows only while it is decoded."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None if max_pixels is None else max_pixels // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _worth(picture: Image.Image, facts: ImageFacts, n_bytes: int, limits: Limits) -> tuple[str, str | None]:
    if min(picture.size) < limits.min_side:
        return "too_small", f"{_size(picture.size)}, a side needs {limits.min_side}"
    if n_bytes < limits.min_bytes:
        return "too_small", f"{n_bytes} bytes, a picture needs {limits.min_bytes}"
    if _is_blank(picture, facts, limits):
        return "blank", f"an empty frame: its tones are within {limits.blank_tones} of 255"
    return "ok", None


def _is_blank(picture: Image.Image, facts: ImageFacts, limits: Limits) -> bool:
    """Whether nothing is left to see once grain is averaged out; strong noise all over is no blank."""
    if max(facts.rgb_std) > limits.blank_std:
        return False
    averaged = picture.resize((32, 32), Image.Resampling.BOX)
    tones = np.asarray(averaged, dtype=np.int16)
    return int((tones.max(axis=(0, 1)) - tones.min(axis=(0, 1))).max()) <= limits.blank_tones


def _shrunk(picture: Image.Image, max_side: int) -> bytes:
    small = picture.copy()
    small.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=90)
    return out.getvalue()


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]} pixels"


def _reason(e: BaseException) -> str:
    return " ".join(str(e).split())[:200] or type(e).__name__
