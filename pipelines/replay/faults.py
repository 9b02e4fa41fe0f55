"""What can go wrong with a service, on demand and in order."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pipelines.replay.answers import Answer, AnswerLike
from pipelines.replay.envelope import with_count, without_items

Kind = Literal[
    "stall",              # headers and half the body, then nothing for stall_s, then the rest
    "http_429",           # too many requests, with Retry-After where given
    "http_500",           # the server's error page
    "http_503",           # out of service, with Retry-After where given
    "truncate",           # Content-Length of the whole body, half of it sent, connection closed
    "truncated_json",     # half the body with a Content-Length that fits it
    "lie_count",          # announces count * factor + offset; with `after`, a count that changes half-way
    "html",               # a challenge page with status 200
    "repeat_page",        # the page served before this one, once more; waits for a second page
    "hole",               # an empty page where items should be, all else as it was
    "drop_connection",    # closed without a word
]

_CHALLENGE = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
    b"<body>Checking your browser before you go on.</body></html>"
)
_TOO_MANY = b'{"success": false, "error": "Too many requests"}'
_HTML = "text/html;charset=utf-8"


@dataclass(frozen=True)
class Fault:
    """One way to misbehave towards requests whose path begins with `path`.

    The first `after` of them are served well, the next `times` are not. `retry_after` is the header's text,
    seconds or an HTTP date.
    """

    kind: Kind
    path: str = ""
    times: int = 1
    after: int = 0
    retry_after: str | None = None
    stall_s: float = 30.0
    factor: float = 2.0
    offset: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault of kind {self.kind!r}; there are: {', '.join(get_args(Kind))}")


class Faults:
    """Faults in waiting; says which one strikes a request, the earliest added first. Thread-safe."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._lock = threading.Lock()
        self._armed = [_Armed(fault) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Arm one more; it counts requests from now on."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def strike(self, path: str, has_previous_page: bool) -> Fault | None:
        """Count a request; the fault to answer it with, or None to answer it well."""
        with self._lock:
            ready = [armed for armed in self._armed if armed.is_ready(path, has_previous_page)]
            if not ready:
                return None
            ready[0].left -= 1
            return ready[0].fault


class _Armed:
    """A fault and what it still has to let through and to do."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.to_skip = fault.after
        self.left = fault.times

    def is_ready(self, path: str, has_previous_page: bool) -> bool:
        if not path.startswith(self.fault.path):
            return False
        if self.to_skip:
            self.to_skip -= 1
            return False
        return self.left > 0 and (has_previous_page or self.fault.kind != "repeat_page")


def refusal(fault: Fault) -> Answer | None:
    """The whole answer of a fault that needs no other; None for a fault of another sort."""
    wait = (("Retry-After", fault.retry_after),) if fault.retry_after is not None else ()
    return {
        "http_429": Answer(429, "application/json", _TOO_MANY, wait),
        "http_500": Answer(500, _HTML, b"<html><body><h1>Internal Server Error</h1></body></html>", wait),
        "http_503": Answer(503, _HTML, b"<html><body><h1>Service Unavailable</h1></body></html>", wait),
        "html": Answer(200, _HTML, _CHALLENGE),
    }.get(fault.kind)


def damaged(fault: Fault, answer: AnswerLike) -> AnswerLike:
    """The answer as the fault leaves it; counts and items are changed in JSON only."""
    if fault.kind == "truncated_json":
        return Answer(answer.status, answer.content_type, answer.body[:len(answer.body) // 2])
    if fault.kind not in ("lie_count", "hole") or "json" not in answer.content_type:
        return answer
    text = answer.body.decode("utf-8", "surrogatepass")
    if fault.kind == "hole":
        text = without_items(text)
    else:
        text = with_count(text, lambda count: max(0, int(count * fault.factor) + fault.offset))
    return Answer(answer.status, answer.content_type, text.encode("utf-8", "surrogatepass"))
