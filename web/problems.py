"""Troubles as data: problem details for HTTP APIs (RFC 9457)."""

from dataclasses import asdict
from typing import Any

from fastapi.responses import JSONResponse

from web.words import Trouble

_SCHEMA = {
    "type": "object", "required": ["type", "status", "title", "detail"],
    "properties": {
        "type": {"type": "string"}, "status": {"type": "integer"}, "title": {"type": "string"},
        "detail": {"type": "string"},
    },
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {"application/problem+json": {"schema": _SCHEMA}}}
    for status, what in {
        400: "what was asked cannot be done as asked", 404: "there is no such thing",
        422: "a parameter is missing",
        503: "the lake has nothing to search yet, or its model is not to be had",
    }.items()
}


def problem(trouble: Trouble) -> JSONResponse:
    """The answer that tells a program what went wrong."""
    content = {"type": "about:blank"} | asdict(trouble)
    return JSONResponse(content, trouble.status, media_type="application/problem+json")
