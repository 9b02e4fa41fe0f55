"""Answers as JSON, of what orjson takes besides: data classes as objects, tuples as lists."""

from typing import Any

import orjson
from fastapi.responses import JSONResponse


class JsonAnswer(JSONResponse):
    """`JSONResponse` in a tenth of its time; lists of results are long."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return orjson.dumps(content)
