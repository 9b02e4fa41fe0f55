"""The application over one lake: its routes, what they share, the headers of every answer, and its troubles.

Every address on a page is relative, so it makes no difference under which host, port or path people reach it;
manifests name whole ones, of the host they were asked for and under the server's root path.
"""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from lake import Lake
from lake.errors import GlamlakeError
from lake.search import QueryEncoder
from web import routes_data, routes_iiif, routes_pages, routes_pictures
from web.asked import Asked
from web.encoder import EncoderLoader, LakeEncoder
from web.finder import Finder, RemotePictures
from web.headers import EVERY_SITE, SECURITY_HEADERS, SecurityHeaders
from web.methods import OtherMethods, allowed_methods
from web.pictures import SmallPictures
from web.problems import problem
from web.rendering import render
from web.uploads import Uploads
from web.words import Trouble, trouble_of, trouble_of_status

log = logging.getLogger(__name__)

_NOT_PAGES = ("/api", "/iiif", "/pictures", "/uploads", "/static")


def create_app(
    lake: Lake, encoder: QueryEncoder | EncoderLoader | None = None, remote: RemotePictures | None = None,
    allowed_origins: Sequence[str] = EVERY_SITE, uploads: Path | None = None, at_once: int = 2,
) -> FastAPI:
    """The application over one lake; `encoder` is one, or loads one, or is None: the lake's newest model.

    `remote` fetches pictures from the web for visitors; without it their addresses are refused. Pages of
    `allowed_origins` may read manifests and their pictures, as IIIF viewers elsewhere must. `uploads` is the
    folder for visitors' pictures, where processes share one; `at_once` is how many searches run side by side.
    """
    app = FastAPI(
        title="glamlake", version=_version(), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
        redirect_slashes=False,
        description="Search a lake of archives' pictures by words, by pictures and by both.",
    )
    app.state.finder = Finder(lake, LakeEncoder(lake, encoder), remote, Uploads(uploads), at_once)
    app.state.small_pictures = SmallPictures(lake.thumbnails)
    app.add_middleware(OtherMethods)
    app.add_middleware(SecurityHeaders, allowed_origins=tuple(allowed_origins))
    app.add_exception_handler(GlamlakeError, _answer_our_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_unreadable)
    app.add_exception_handler(Exception, _answer_surprise)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for routes in (routes_pages, routes_data, routes_iiif, routes_pictures):
        app.include_router(routes.router)
    return app


def _answer_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GlamlakeError)
    return _answer_trouble(request, trouble_of(error, request.app.state.finder.lake.root))


def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _answer_trouble(request, trouble_of_status(error.status_code, error.detail))
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = allowed_methods(request.scope, request.app.routes)
    return response


def _answer_unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return _answer_trouble(request, trouble_of_status(422, f"{place}: {first['msg']}"))


def _answer_surprise(request: Request, error: Exception) -> Response:
    """A fault of ours: the log has the details, the visitor is not shown any."""
    log.error("failed path=%s error=%r", request.url.path, error)
    trouble = Trouble(500, "Something went wrong here", "It is not your fault; the server's log says more.")
    response = problem(trouble)
    response.headers.update(SECURITY_HEADERS)    # this answer is made outside of the middleware
    return response


def _answer_trouble(request: Request, trouble: Trouble) -> Response:
    scope = request.scope    # of a mounted folder, whose own root_path ends at the folder
    path = scope["path"].removeprefix(scope.get("app_root_path", scope.get("root_path", "")))
    if path.startswith(_NOT_PAGES):
        return problem(trouble)
    finder: Finder = request.app.state.finder
    return render("search.html", request, trouble.status, page=finder.troubled(Asked(), trouble))


def _version() -> str:
    try:
        return version("glamlake")
    except PackageNotFoundError:    # a checkout that nobody installed
        return "0"
