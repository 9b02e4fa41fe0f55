"""What bytes are, by how they begin: for reasons that help where a picture was expected."""

_PICTURES = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51",
    b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
    *(b"P%d%c" % (kind, space) for kind in range(1, 7) for space in b" \n"),
)
RAW = "a camera's raw file, which cannot be decoded here"
_BRANDS = {
    b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"mif1": "HEIF", b"msf1": "HEIF",
    b"heim": "HEIF", b"heis": "HEIF", b"hevc": "HEIF", b"hevx": "HEIF", b"crx ": RAW,
    b"mp42": "an MP4 video", b"isom": "an MP4 video", b"qt  ": "a QuickTime video",
}
_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"), (b"\x1f\x8b", "gzip"), (b"8BPS", "a Photoshop file"),
    (b"\xff\x0a", "JPEG XL, which cannot be decoded here"),
    (b"\0\0\0\x0cJXL", "JPEG XL, which cannot be decoded here"),
    *((start, RAW) for start in (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")),
    (b"icns", "an icon file"), (b"\0\0\x01\0", "an icon file"), (b"DDS ", "a DDS texture"),
    (b"\xd0\xcf\x11\xe0", "an OLE file"), (b"\x89HDF", "an HDF5 file"),
)


def begins_like_a_picture(content: bytes) -> bool:
    """Whether the first bytes are those of a format that is kept."""
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    return webp or content.startswith(_PICTURES) or _brand(content) == "AVIF"


def is_canon_raw(content: bytes) -> bool:
    """Whether it is a raw file that a decoder of TIFF would take for its preview."""
    return content[:4] == b"II*\0" and content[8:10] == b"CR"


def what_it_is(content: bytes) -> str:
    """What the bytes look like, given that they are no picture of a format that is kept."""
    start = content[:400].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content:
        return "an empty answer (0 bytes)"
    if not content[:4096].strip(b"\0"):
        return f"nothing but zeros ({len(content)} bytes)"
    if b"<html" in start or start.startswith(b"<!doctype html"):
        return f"an HTML page ({len(content)} bytes)"
    if b"<svg" in start or (start.startswith(b"<") and b"<svg" in content[:4096].lower()):
        return "an SVG drawing, which is not made of pixels"
    return _by_signature(content) or f"no picture of a format kept here; it begins with {content[:16]!r}"


def _by_signature(content: bytes) -> str | None:
    if (brand := _brand(content)) is not None:
        return "HEIF, which cannot be decoded here" if brand == "HEIF" else brand
    return next((what for signature, what in _OTHERS if content.startswith(signature)), None)


def _brand(content: bytes) -> str | None:
    return _BRANDS.get(content[8:12]) if content[4:8] == b"ftyp" else None
