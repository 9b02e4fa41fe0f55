"""Headers that every answer carries: what a browser may load, frame, guess and pass on."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_SHARED = "/iiif/"    # what viewers on other sites read, where they are allowed to
EVERY_SITE = ("*",)    # as IIIF recommends


def is_shared(scope: Scope) -> bool:
    """Whether what is asked for is meant for viewers on other sites too."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).startswith(_SHARED)


class SecurityHeaders:
    """ASGI middleware that sets `SECURITY_HEADERS` on every answer that does not set them itself.

    Pages of the origins allowed may read what lies under `/iiif/`, and nothing else.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str] = EVERY_SITE) -> None:
        self._app = app
        self._allowed = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if is_shared(scope):
                    self._share(Headers(scope=scope).get("origin", ""), MutableHeaders(scope=message))
                there = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _ENCODED if one[0] not in there)]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _share(self, origin: str, headers: MutableHeaders) -> None:
        if "*" in self._allowed:
            headers["Access-Control-Allow-Origin"] = "*"
        elif origin and origin in self._allowed:
            headers["Access-Control-Allow-Origin"] = origin
            headers.add_vary_header("Origin")
        if self._allowed:
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
