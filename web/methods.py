"""Two methods that no route needs to know of: HEAD, and the OPTIONS that browsers send before some others.

And which methods an address takes, for who came with another.
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.headers import is_shared

_WHAT_IS_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


class OtherMethods:
    """ASGI middleware: HEAD is answered as GET is, without the body, and so is what pages of other sites ask
    before they read what is shared; whether they may, the headers of `SecurityHeaders` say.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        elif method == "OPTIONS" and _is_asked_beforehand(scope):
            await Response(status_code=204, headers=_WHAT_IS_ALLOWED)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def allowed_methods(scope: Scope, routes: Iterable[BaseRoute]) -> str:
    """The methods that an address takes, as the header Allow says them; GET is taken everywhere."""
    posted, own = {**scope, "method": "POST"}, (route for route in routes if not isinstance(route, Mount))
    takes_forms = any(route.matches(posted)[0] is Match.FULL for route in own)
    return "GET, HEAD, POST" if takes_forms else "GET, HEAD"


def _is_asked_beforehand(scope: Scope) -> bool:
    return is_shared(scope) and "access-control-request-method" in Headers(scope=scope)


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        is_body = message["type"] == "http.response.body"
        await send({**message, "body": b""} if is_body else message)

    return send_head
