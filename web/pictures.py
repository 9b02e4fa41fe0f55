"""Pictures in and out: a visitor's upload decoded within bounds, a stored picture made small for a grid.

A picture is only what the decoders named here make of its bytes, whatever it calls itself, and a visitor's
never has more pixels than the cap.
"""

import io
import logging
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from PIL import Image

from lake.drafts import whole_file
from lake.errors import UsageError
from models.pictures import orientation, upright_rgb

log = logging.getLogger(__name__)

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
_MOST_STORED_PIXELS = 178_000_000    # what Pillow opens at all; `fetch` has judged what is stored
GRID_SIDE = 640
FULL_SIDE = 2400
_UPLOAD_SIDE = 512
_DECODERS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "MPO")
_SHOWN_AS_THEY_ARE = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif",
                      ".webp": "image/webp", ".avif": "image/avif"}
_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, OverflowError, EOFError, IndexError, KeyError, TypeError,
    ZeroDivisionError, Image.DecompressionBombError,
)    # what Pillow's decoders raise on bytes made to hurt them
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))    # bounds memory


def decode_upload(content: bytes) -> Image.Image:
    """A visitor's picture, upright, in RGB, no larger than a search needs; raises UsageError."""
    if not content:
        raise UsageError("the file is empty; choose a JPEG, PNG, WebP, AVIF, GIF or TIFF picture")
    return _decode(content, _UPLOAD_SIDE, MOST_PIXELS)


def as_jpeg(image: Image.Image) -> bytes:
    """The bytes of an RGB picture as JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=84, optimize=True)
    return out.getvalue()


def shown_type(path: Path) -> str | None:
    """The media type of a stored picture that browsers show as it is; None where it must be converted."""
    return _SHOWN_AS_THEY_ARE.get(path.suffix.lower())


def smaller_jpeg(path: Path, side: int) -> bytes:
    """A stored picture as JPEG with no side longer than `side`; raises UsageError where it is none."""
    return as_jpeg(_decode(path.read_bytes(), side, _MOST_STORED_PIXELS))


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a stored picture when it stands upright; None where it cannot be read."""
    try:
        with Image.open(path, formats=_DECODERS) as image:
            return _upright_size(image)
    except _DECODE_ERRORS:
        return None


def shrunk(width: int, height: int, side: int) -> tuple[int, int]:
    """The size that fits into a square of `side`; a picture is never made larger."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def _decode(content: bytes, side: int, most_pixels: int) -> Image.Image:
    with _decoding:
        try:
            return _upright_rgb(content, side, most_pixels)
        except Image.DecompressionBombError as e:    # Pillow's own limit is met before ours can be
            raise UsageError(f"the picture has too many pixels; make it smaller: {_said(most_pixels)}") from e
        except _DECODE_ERRORS as e:
            raise UsageError(
                "this file cannot be read as a picture; choose a JPEG, PNG, WebP, AVIF, GIF or TIFF picture"
            ) from e


def _upright_rgb(content: bytes, side: int, most_pixels: int) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=_DECODERS) as image:
        width, height = image.size
        if width * height > most_pixels:    # asked first: for the orientation of a PNG Pillow decodes it all
            raise UsageError(
                f"the picture has {width} × {height} pixels; make it smaller: {_said(most_pixels)}"
            )
        width, height = _upright_size(image)
        image.draft("RGB", (side, side))    # a JPEG is decoded at a fraction of its size
        upright, size = upright_rgb(image), shrunk(width, height, side)
        return upright if upright.size == size else upright.resize(size, reducing_gap=2.0)


def _said(most_pixels: int) -> str:
    return f"{most_pixels // 1_000_000} megapixels is the most that is read"


def _upright_size(image: Image.Image) -> tuple[int, int]:
    return (image.height, image.width) if orientation(image) in (5, 6, 7, 8) else image.size


class SmallPictures:
    """Small copies of stored pictures, in memory the newest of them; thread-safe.

    They are kept in a folder too, so that nothing is decoded twice; it may be deleted. There may be
    `most_bytes` in memory and `most_kept_bytes` in the folder: past them those written longest ago go.
    """

    def __init__(
        self, folder: Path, most_bytes: int = 96 * 1024**2, most_kept_bytes: int = 4 * 1024**3,
    ) -> None:
        self._folder = folder
        self._most_bytes, self._most_kept_bytes = most_bytes, most_kept_bytes
        self._in_memory = 0
        self._in_folder: int | None = None    # bytes, once they were counted
        self._held: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock, self._keeping = threading.Lock(), threading.Lock()

    def jpeg(self, path: Path, side: int) -> bytes:
        """A stored picture (its name tells its bytes) as JPEG with no side longer than `side`."""
        key = (path.stem, side)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        kept = self._folder / path.stem[:2] / f"{path.stem}-{side}.jpg"
        if (made := _bytes_of(kept)) is None:
            made = smaller_jpeg(path, side)
            self._keep(kept, made)
        with self._lock:
            self._in_memory += len(made) - len(self._held.pop(key, b""))
            self._held[key] = made
            while self._in_memory > self._most_bytes:
                self._in_memory -= len(self._held.popitem(last=False)[1])
        return made

    def _keep(self, kept: Path, made: bytes) -> None:
        """Write it, whole or not at all; a page goes on without where nothing can be written."""
        with self._keeping:
            try:
                with whole_file(kept) as draft:
                    draft.write_bytes(made)
            except OSError as e:
                log.warning("small pictures are not kept in %s: %s", self._folder, e.strerror)
                return
            known = self._in_folder
            self._in_folder = sum(_sizes(self._folder).values()) if known is None else known + len(made)
            if self._in_folder > self._most_kept_bytes:
                self._in_folder = _cut_down(self._folder, self._most_kept_bytes * 4 // 5)


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _sizes(folder: Path) -> dict[Path, int]:
    """The bytes of each file, those written longest ago first; another process may be removing some."""
    told: list[tuple[int, int, Path]] = []
    for path in folder.glob("*/*.jpg"):
        with suppress(FileNotFoundError):
            stat = path.stat()
            told.append((stat.st_mtime_ns, stat.st_size, path))
    return {path: size for _, size, path in sorted(told)}


def _cut_down(folder: Path, most_bytes: int) -> int:
    """Remove those written longest ago; gives the bytes that are left."""
    sizes = _sizes(folder)
    left = sum(sizes.values())
    for path, size in sizes.items():
        if left <= most_bytes:
            break
        path.unlink(missing_ok=True)
        left -= size
    return left
