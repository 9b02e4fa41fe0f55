"""Answers come unpacked, a little at a time: nothing packed and no redirect brings more than is allowed."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import pytest

from pipelines.http_bodies import AT_ONCE, unpacked
from tests.test_http_client import failure_of, fetch, reply, served

TEXT = b"A steam train at the station. " * 40_000
BOMB = gzip.compress(bytes(2**28), 9)    # 260 kB of a quarter of a gigabyte


def bare(content: bytes) -> bytes:
    """Deflated without a head."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush()


@pytest.mark.parametrize(("coding", "body"), [
    ("gzip", gzip.compress(TEXT)), ("GZIP", gzip.compress(TEXT)), ("x-gzip", gzip.compress(TEXT)),
    ("deflate", zlib.compress(TEXT)), ("deflate", bare(TEXT)), ("identity", TEXT), ("", TEXT), ("odd", TEXT),
    (" identity, gzip", gzip.compress(TEXT)),
], ids=["gzip", "GZIP", "x-gzip", "deflate", "bare", "identity", "none", "unknown", "listed"])
def test_what_is_packed_comes_unpacked(coding: str, body: bytes) -> None:
    with served(lambda handler, _: reply(handler, 200, body, Content_Encoding=coding)) as url:
        assert fetch(url) == TEXT


def test_a_bomb_is_unpacked_piece_by_piece() -> None:
    lengths = [len(piece) for piece in unpacked("gzip", iter([BOMB]))]
    assert sum(lengths) == 2**28
    assert max(lengths) <= AT_ONCE


def test_a_bomb_is_too_large() -> None:
    with served(lambda handler, _: reply(handler, 200, BOMB, Content_Encoding="gzip")) as url:
        assert failure_of(url, max_bytes=10**7).status == "too_large"


@pytest.mark.parametrize("codings", ["gzip, gzip", "gzip,identity, deflate", ", ".join(["gzip"] * 1000)])
def test_what_is_packed_more_than_once_is_not_unpacked(codings: str) -> None:
    with served(lambda handler, _: reply(handler, 200, b"", Content_Encoding=codings)) as url:
        failure = failure_of(url)
    assert failure.status == "blocked"
    assert "packed" in str(failure)


def test_what_only_says_that_it_is_packed_is_a_failure() -> None:
    with served(lambda handler, _: reply(handler, 200, b"plain text", Content_Encoding="gzip")) as url:
        assert "cannot be unpacked" in str(failure_of(url))


def test_what_comes_with_a_redirect_is_not_waited_for() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > 1:
            reply(handler, 200, b"here")
            return
        handler.send_response(302)
        handler.send_header("Location", "/there")
        handler.end_headers()
        with suppress(OSError):    # until the client has enough of it
            for piece in endless():
                handler.wfile.write(piece)

    with served(answer) as url:
        assert fetch(url) == b"here"


def endless() -> Iterator[bytes]:
    while True:
        yield bytes(2**16)
