"""Troubles as data: problem details for HTTP APIs (RFC 9457)."""

from dataclasses import asdict
from typing import Any

from web.json_answer import JsonAnswer
from web.words import Trouble

_SCHEMA = {
    "type": "object", "required": ["type", "status", "title", "detail"],
    "properties": {
        "type": {"type": "string"}, "status": {"type": "integer"}, "title": {"type": "string"},
        "detail": {"type": "string"},
    },
}
_Documented = dict[int | str, dict[str, Any]]


def _documented(said: dict[int, str]) -> _Documented:
    content = {"application/problem+json": {"schema": _SCHEMA}}
    return {status: {"description": what, "content": content} for status, what in said.items()}


PROBLEMS = _documented({
    400: "what was asked cannot be done as asked", 404: "there is no such thing",
    422: "a parameter is missing",
    503: "the lake has nothing to search yet, or its model is not to be had",
})
FORM_PROBLEMS = _documented({
    403: "the form was sent by another site", 411: "the length is not announced",
    413: "the picture is too large", 415: "this is no form",
})


def problem(trouble: Trouble) -> JsonAnswer:
    """The answer that tells a program what went wrong."""
    content = {"type": "about:blank"} | asdict(trouble)
    return JsonAnswer(content, trouble.status, media_type="application/problem+json")
