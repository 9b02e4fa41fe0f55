"""The bytes of an answer, unpacked as they come, a little at a time.

What is packed may be a thousand times as large, and packed twice a million times: nothing here makes more
bytes at once than somebody looks at before the next.
"""

import zlib
from collections.abc import Iterator

from lake.errors import FetchError

ACCEPTED = "gzip, deflate"
AT_ONCE = 2**18
_GZIP_OR_ZLIB, _BARE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS


def unpacked(content_encoding: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The content of an answer, AT_ONCE bytes at most at a time where it came packed.

    In a coding that nobody asked for it stays as it is. Raises FetchError: `blocked` for what is packed more
    than once, `connection_error` for what cannot be unpacked.
    """
    codings = [name.strip().lower() for name in content_encoding.split(",")]
    codings = [name for name in codings if name not in ("", "identity")]
    if len(codings) > 1:
        said = ", ".join(codings)[:80]
        raise FetchError("blocked", f"packed {len(codings)} times over, as bombs are: {said}")
    if not codings or codings[0] not in ("gzip", "x-gzip", "deflate"):
        yield from pieces
        return
    try:
        yield from _inflated(pieces)
    except zlib.error as e:
        raise FetchError("connection_error", f"came packed and cannot be unpacked: {e}") from e


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacking, is_first = zlib.decompressobj(_GZIP_OR_ZLIB), True
    for piece in pieces:
        rest = piece
        while rest and not unpacking.eof:
            try:
                found = unpacking.decompress(rest, AT_ONCE)
            except zlib.error:
                if not is_first:
                    raise
                unpacking = zlib.decompressobj(_BARE)    # some send `deflate` without a head
                found = unpacking.decompress(rest, AT_ONCE)
            is_first = False
            rest = unpacking.unconsumed_tail
            yield found
    yield unpacking.flush()
