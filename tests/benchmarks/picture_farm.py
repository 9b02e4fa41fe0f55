"""A quick picture host in a process of its own: `python -m tests.benchmarks.picture_farm N [--faults]`.

`/<i>.jpg` are N pictures of 1000 × 800, no two with the same bytes. With `--faults` every fifth of them comes
to harm in one of KINDS, always in the same way. The port is printed first.
"""

import argparse
import io
import socket
import socketserver
import threading
import time
from collections import Counter

import numpy as np
from PIL import Image

_N_DRAWN = 40
_STALL_S = 60.0

KINDS = {
    "missing": "http_error", "broken": "http_error", "busy_once": "ok", "page": "not_an_image",
    "cut": "corrupt", "dropped": "connection_error", "short": "connection_error", "icon": "too_small",
    "empty": "not_an_image", "stalled": "timeout",
}
_RARE = "stalled"      # each holds a worker for as long as the client has patience


def kind_of(i: int, has_faults: bool) -> str:
    """What becomes of the i-th picture."""
    if not has_faults or i % 5:
        return "good"
    kind = list(KINDS)[i // 5 % len(KINDS)]
    return "missing" if kind == _RARE and i % 500 != 45 else kind


def drawn(i: int) -> bytes:
    """A picture with as much in it as a photograph."""
    rng = np.random.default_rng(i)
    coarse = Image.fromarray(rng.integers(0, 255, (50, 62, 3), dtype=np.uint8))
    out = io.BytesIO()
    coarse.resize((1000, 800), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


class Farm:
    """The pictures, and who has asked for what."""

    def __init__(self, has_faults: bool) -> None:
        self._has_faults = has_faults
        self._drawn = [drawn(i) for i in range(_N_DRAWN)]
        self._asked: Counter[int] = Counter()
        self._lock = threading.Lock()

    def answer(self, i: int) -> bytes | None:
        """The whole answer; None to hang up without a word."""
        with self._lock:
            self._asked[i] += 1
            is_first = self._asked[i] == 1
        picture = self._drawn[i % _N_DRAWN] + b"%d" % i
        match kind_of(i, self._has_faults):
            case "missing":
                return _answer(b"no such picture", "404 Not Found")
            case "broken":
                return _answer(b"oh", "500 Internal Server Error")
            case "busy_once" if is_first:
                return _answer(b"later", "503 Service Unavailable")
            case "page":
                return _answer(b"<!DOCTYPE html><html><body>Please log in</body></html>")
            case "cut":
                return _answer(picture[:len(picture) // 2])
            case "dropped":
                return None
            case "short":
                return _answer(picture)[:-5000]
            case "icon":
                return _answer(_icon(i))
            case "empty":
                return _answer(b"")
            case "stalled":
                time.sleep(_STALL_S)
                return None
        return _answer(picture)


def _icon(i: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), (i % 256, 90, 90)).save(out, "JPEG")
    return out.getvalue()


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(socketserver.BaseRequestHandler):
    """Request after request, as long as the client likes."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                piece = self.request.recv(65536)
                if not piece:
                    return
                waiting += piece
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            answer = self.server.farm.answer(int(head.split()[1].strip(b"/").split(b".")[0]))
            if answer is None:
                return
            self.request.sendall(answer)
            if b"connection: close" in head.lower() or b"503 " in answer[:20] or _is_short(answer):
                return


def _is_short(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return len(body) != int(head.rsplit(b" ", 1)[1])


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, *_: object) -> None:
        pass         # clients come and go


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("--faults", action="store_true")
    asked = parser.parse_args()
    with _Server(Farm(asked.faults)) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
