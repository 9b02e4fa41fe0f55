"""A picture host on this machine: pages by path, each with what a service may say about it."""

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

from lake import Lake, catalog
from lake.tables import RAW_HITS, RECORDS
from pipelines.fetch import FetchOptions, fetch
from pipelines.http_client import Manners, PoliteClient
from tests.lakes import write_mart, write_raw


@dataclass(frozen=True)
class Page:
    """What is sent; with an `ETag` or `Last-Modified` header, whoever knows it gets a 304."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "image/jpeg"})


@dataclass(frozen=True)
class Heard:
    """One request."""

    path: str
    headers: Mapping[str, str]


class PictureHost:
    """`pages` may be changed at any time; a page may also be a function that writes to the handler."""

    def __init__(self) -> None:
        self.pages: dict[str, Page | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.heard: list[Heard] = []
        self.url = ""

    def paths(self) -> list[str]:
        return [one.path for one in self.heard]


@contextmanager
def picture_host() -> Iterator[PictureHost]:
    """Serve from now on; the url has no slash at its end."""
    host = PictureHost()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            host.heard.append(Heard(self.path, {name.lower(): text for name, text in self.headers.items()}))
            page = host.pages.get(self.path, Page(b"nothing here", 404, {}))
            if isinstance(page, Page):
                _send(self, page)
            else:
                page(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            pass                     # clients that hang up are what is tested

    server = Server(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, page: Page) -> None:
    asked = {name.lower(): text for name, text in handler.headers.items()}
    names = (("ETag", "if-none-match"), ("Last-Modified", "if-modified-since"))
    known = any(page.headers.get(name, "?") == asked.get(condition) for name, condition in names)
    body, status = (b"", 304) if known else (page.body, page.status)
    handler.send_response(status)
    for name, text in ({"Content-Length": str(len(body))} | dict(page.headers)).items():
        handler.send_header(name, text)
    handler.end_headers()
    handler.wfile.write(body)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Announce a megabyte and send it byte after byte."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    drip_bytes(handler)


def drip_header(handler: BaseHTTPRequestHandler) -> None:
    """Never come to the end of the header."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    drip_bytes(handler)


def drip_bytes(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ten minutes: longer than anybody waits."""
    for _ in range(12_000):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def blank_jpeg() -> bytes:
    """An empty frame."""
    out = io.BytesIO()
    Image.new("RGB", (900, 900), (230, 220, 190)).save(out, "JPEG")
    return out.getvalue()


def records_of(lake: Lake, urls: list[str], **columns: list[str]) -> None:
    """A lake that was harvested and normalised, with one record for each image URL."""
    write_raw(lake, RAW_HITS, [{"hit_id": "0", "native_id": "0"}])
    write_mart(lake, RECORDS, [
        {"record_id": f"demo:{i}", "archive": "demo", "image_url": url}
        | {name: values[i] for name, values in columns.items()}
        for i, url in enumerate(urls)
    ])


def quick_fetch(lake: Lake, host: PictureHost, **options: object) -> dict[str, int]:
    """Fetch with little patience."""
    manners = Manners(allowed_hosts=frozenset({host.url[7:]}), attempts=2, backoff_s=0.01)
    with PoliteClient(manners) as client:
        return fetch(lake, FetchOptions(**options), client)     # type: ignore[arg-type]


def rows_by_path(lake: Lake, host: PictureHost) -> dict[str, dict[str, object]]:
    """The rows of `images` by the path of their URL."""
    return {str(row["image_url"]).removeprefix(host.url): row for row in catalog.rows(lake, "from images")}
