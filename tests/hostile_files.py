"""Answers made to hurt whoever opens them, each with the status it must end with."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.lakes import noise_jpeg

GOOD = noise_jpeg(7, (300, 200), quality=95)


def png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8, colour: int = 2) -> bytes:
    """A PNG of these chunks, between its header and its end."""
    header = struct.pack(">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _zeros(n: int) -> bytes:
    """So many zeros, packed; made in pieces."""
    packer = zlib.compressobj(9)
    pieces = [packer.compress(b"\0" * 2**20) for _ in range(n // 2**20)]
    return b"".join([*pieces, packer.flush()])


def _saved(image: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def _with_length(jpeg: bytes, length: int) -> bytes:
    """The JPEG with another length written into its first quantisation table."""
    at = jpeg.index(b"\xff\xdb") + 2
    return jpeg[:at] + struct.pack(">H", length) + jpeg[at + 2:]


def _with_size(jpeg: bytes, width: int, height: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4:]


def _endless_tiff() -> bytes:
    """A directory whose next directory is itself."""
    tiff = bytearray(_saved(Image.fromarray(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)), "TIFF"))
    (start,) = struct.unpack("<I", tiff[4:8])
    (n,) = struct.unpack("<H", tiff[start:start + 2])
    tiff[start + 2 + 12 * n:start + 6 + 12 * n] = struct.pack("<I", start)
    return bytes(tiff)


def _many_frames() -> bytes:
    frames = [Image.new("L", (300, 300), tone % 256) for tone in range(400)]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _zip_of_text() -> Iterator[tuple[bytes, bytes]]:
    """A text chunk that unpacks to 64 MB."""
    yield b"zTXt", b"Comment\0\0" + _zeros(2**26)
    yield b"IDAT", zlib.compress(b"\0" * (300 * 901))


HOSTILE: dict[str, tuple[str, bytes]] = {
    "html.jpg": ("not_an_image", b"\n\n <!DOCTYPE HTML><html><body>Not found</body></html>" + b" " * 5000),
    "drawing.jpg": ("not_an_image", b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "a"><!ENTITY b "&a;&a;">'
                                    b'<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&b;&x;</svg>'),
    "nothing.jpg": ("not_an_image", b""),
    "one-byte.jpg": ("not_an_image", b"\xff"),
    "zeros.jpg": ("not_an_image", bytes(3 * 2**20)),
    "vast.png": ("too_large", png(30_000, 30_000, (b"IDAT", _zeros(2**24)))),
    "negative.png": ("too_large", png(-5, -5, (b"IDAT", b""))),
    "no-width.png": ("corrupt", png(0, 500, (b"IDAT", zlib.compress(b"\0" * 500)))),
    "bomb.png": ("blank", png(300, 300, (b"IDAT", _zeros(2**27)[:-9]))),
    "text-bomb.png": ("corrupt", png(300, 300, *_zip_of_text())),
    "chunk.png": ("corrupt", png(300, 300) .replace(b"\0\0\0\0IEND", b"\xff\xff\xff\xf0IEND")),
    "lying-length.jpg": ("corrupt", _with_length(GOOD, 65_000)),
    "no-length.jpg": ("corrupt", _with_length(GOOD, 0)),
    "vast.jpg": ("too_large", _with_size(GOOD, 65_000, 65_000)),
    "tall.jpg": ("corrupt", _with_size(GOOD, 300, 9_000)),
    "wide.jpg": ("corrupt", _with_size(GOOD, 340, 200)),
    "half.jpg": ("corrupt", GOOD[:len(GOOD) // 2]),
    "headers-only.jpg": ("corrupt", GOOD[:GOOD.index(b"\xff\xda")]),
    "endless.tif": ("ok", _endless_tiff()),
    "half.tif": ("corrupt", _saved(Image.open(io.BytesIO(GOOD)), "TIFF", compression="tiff_lzw")[:9000]),
    "frames.gif": ("blank", _many_frames()),
    "program.jpg": ("not_an_image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(x) run\n" * 50),
    "pickle.jpg": ("not_an_image", b"\x80\x04\x95\x1f\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93."),
    "zip.jpg": ("not_an_image", b"PK\x03\x04" + bytes(4000)),
    "video.jpg": ("not_an_image", b"\0\0\0\x18ftypmp42" + bytes(4000)),
    "cookie.jpg": ("corrupt", b"\xff\xd8\xff" + bytes(4000)),
    "trailing.jpg": ("ok", GOOD + b"<script>alert(1)</script>" * 100),
}
