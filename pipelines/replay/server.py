"""The HTTP server: hears requests, asks the service they are for, and sends its answer or a fault.

GET and HEAD over HTTP/1.1 with connections kept open, a thread for each, on this machine only.
"""

import logging
import re
import socket
import socketserver
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pipelines.replay.answers import Answer, AnswerLike, Params, PictureSource, Service, json_answer
from pipelines.replay.faults import Fault, Faults, damaged, refusal

log = logging.getLogger(__name__)

_PAGE_PARAMS = frozenset({"page", "start", "cursor", "sp", "searchAfter"})
_PAGE_IN_PATH = re.compile(r"/page/\d+$")
_SEARCHES_REMEMBERED = 16
_PATIENCE_S = 5.0    # for requests under way when the server closes


@dataclass(frozen=True)
class Request:
    """One request as it came; the path is percent-decoded, header names are lower case."""

    method: str
    path: str
    params: Params
    headers: Mapping[str, str]


class ReplayServer(AbstractContextManager["ReplayServer"]):
    """Plays services and pictures on 127.0.0.1, from `start` (or `with`) until `close`.

    The port is bound at once, so `url` can be told before the start. Services are asked in order, then the
    pictures; what nobody knows is a 404 in JSON.
    """

    def __init__(
        self, services: Sequence[Service], pictures: PictureSource | None = None,
        faults: Sequence[Fault] = (), port: int = 0,
    ) -> None:
        self._services = services
        self._pictures = pictures
        self._faults = Faults(faults)
        self._pages = _Pages()
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self.stopping = threading.Event()
        self._http = _HttpServer(self, port)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port served."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The root, without a slash at its end: what `--base-url` takes."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order they came."""
        with self._lock:
            return list(self._requests)

    def add_fault(self, fault: Fault) -> None:
        """Misbehave from now on; earlier requests do not count towards its `after`."""
        self._faults.add(fault)

    def start(self) -> None:
        """Begin to serve, in a thread of its own."""
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name="replay", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving, wake what stalls, close every connection; may be called twice."""
        self.stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.hang_up()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def respond(self, request: Request) -> tuple[AnswerLike | None, Fault | None]:
        """What to send, and the fault to send it with; no answer means to say nothing at all."""
        with self._lock:
            self._requests.append(request)
        previous = self._pages.before(request)
        fault = self._faults.strike(request.path, previous is not None)
        if fault is None:
            return self._answer(request), None
        log.debug("fault %s for %s", fault.kind, request.path)
        if fault.kind == "drop_connection":
            return None, fault
        if fault.kind == "repeat_page":
            return previous, fault
        return refusal(fault) or damaged(fault, self._answer(request)), fault

    def _answer(self, request: Request) -> AnswerLike:
        for service in self._services:
            if service.matches(request.path):
                answer = service.answer(request.path, request.params, request.headers)
                self._pages.remember(request, answer)
                return answer
        picture = self._pictures.picture(request.path, request.params) if self._pictures else None
        return picture or json_answer(404, {"error": f"nothing at {request.path}"})


class _Pages:
    """The last two good pages of the latest searches, so that the one before a page can be served again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: dict[tuple[object, ...], list[tuple[Params, Answer]]] = {}

    def remember(self, request: Request, answer: Answer) -> None:
        search, page = _search_and_page(request)
        with self._lock:
            others = [entry for entry in self._served.pop(search, []) if entry[0] != page]
            self._served[search] = [*others[-1:], (page, answer)] if answer.status == 200 else others
            if len(self._served) > _SEARCHES_REMEMBERED:
                del self._served[next(iter(self._served))]

    def before(self, request: Request) -> Answer | None:
        """The last page served of the same search, other than the one asked for now."""
        search, page = _search_and_page(request)
        with self._lock:
            others = [answer for served, answer in self._served.get(search, []) if served != page]
        return others[-1] if others else None


def _search_and_page(request: Request) -> tuple[tuple[object, ...], Params]:
    page = [entry for entry in request.params if entry[0] in _PAGE_PARAMS]
    in_path = _PAGE_IN_PATH.search(request.path)
    if in_path:
        page.append(("page", in_path[0]))
    path = _PAGE_IN_PATH.sub("", request.path)
    return (path, *(entry for entry in request.params if entry[0] not in _PAGE_PARAMS)), page


class _HttpServer(ThreadingHTTPServer):
    """A threading server that knows its open connections and can hang up on them."""

    request_queue_size = 128    # many clients connect at the same moment

    def __init__(self, replay: ReplayServer, port: int) -> None:
        self.replay = replay
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for the host's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self) -> None:
        """End every connection, and wait a little for the requests under way."""
        with self._changed:
            for connection in self._open:
                _end(connection)
            self._changed.wait_for(lambda: not self._open, timeout=_PATIENCE_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exception(), ConnectionError | TimeoutError):
            log.debug("a client went away: %s", sys.exception())
        else:
            log.error("the replay server failed on a request", exc_info=True)


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as e:
        log.debug("the client had gone already: %s", e)


class _Handler(BaseHTTPRequestHandler):
    """Reads one request after another from a connection and sends what the replay server says."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "glamlake-replay", ""
    disable_nagle_algorithm = True
    wbufsize = -1    # buffered: headers and body leave together
    server: _HttpServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        params = parse_qsl(parts.query, keep_blank_values=True, errors="replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(parts.path), params, headers)
        answer, fault = self.server.replay.respond(request)
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer, fault)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)

    def _send(self, answer: AnswerLike, fault: Fault | None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers if isinstance(answer, Answer) else ():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(answer.body, fault)

    def _send_body(self, body: bytes, fault: Fault | None) -> None:
        half = len(body) // 2
        if fault is not None and fault.kind == "truncate":
            self.wfile.write(body[:half])
            self.close_connection = True
        elif fault is not None and fault.kind == "stall":
            self.wfile.write(body[:half])
            self.wfile.flush()
            if self.server.replay.stopping.wait(fault.stall_s):
                self.close_connection = True
            else:
                self.wfile.write(body[half:])
        else:
            self.wfile.write(body)
