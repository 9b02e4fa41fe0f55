"""What the server, its services and its pictures say to each other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Params = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `headers` are sent beside Content-Type and Content-Length."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class AnswerLike(Protocol):
    """The three things a picture source must say of a picture; an Answer is one."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def content_type(self) -> str:
        """The Content-Type header."""

    @property
    def body(self) -> bytes:
        """The bytes to send."""


class Service(Protocol):
    """One archive's service. `headers` have lower-case names. Called from many threads at once."""

    def matches(self, path: str) -> bool:
        """True where the path is this service's."""

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """What the service says to a request of a path that matches."""


class PictureSource(Protocol):
    """Where pictures come from. Called from many threads at once."""

    def picture(self, path: str, params: Params) -> AnswerLike | None:
        """The picture at a path, or None where there is none."""


def json_answer(status: int, value: Any) -> Answer:
    """An answer whose body is the value as JSON."""
    return text_answer(status, json.dumps(value, ensure_ascii=False))


def text_answer(status: int, text: str) -> Answer:
    """An answer whose body is JSON text; lone surrogates are sent as the three bytes each would be."""
    return Answer(status, "application/json;charset=utf-8", text.encode("utf-8", "surrogatepass"))


def param(params: Params, name: str) -> str | None:
    """The first value of a parameter; None where it was not sent."""
    return next((value for key, value in params if key == name), None)


def list_param(params: Params, name: str) -> list[str]:
    """Every value of a parameter written as PHP wants lists: `name[]` or `name[3]`."""
    return [value for key, value in params if key.startswith(f"{name}[") and key.endswith("]")]


def whole_number(text: str | None, default: int, least: int, most: int | None = None) -> int | None:
    """The number a parameter holds, `default` where it was not sent, None where it is no number in range."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    number = int(text)
    return number if number >= least and (most is None or number <= most) else None
