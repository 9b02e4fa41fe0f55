"""The search page as an application: the page, its form, the pictures, and the same answers as data.

Every address on a page is relative, so it makes no difference under which host, port or path people reach it.
"""

import logging
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from lake import Lake
from lake.errors import EmptyLake, GlamlakeError
from lake.search import QueryEncoder
from lake.vectors import VectorStore
from web.asked import PARAMETERS, Asked, read_asked
from web.encoder import EncoderLoader, LakeEncoder
from web.finder import Finder
from web.headers import SECURITY_HEADERS, SecurityHeaders
from web.page import Found
from web.pictures import FULL_SIDE, GRID_SIDE, ByteCache, as_jpeg, decode_upload, shown_type, smaller_jpeg
from web.rendering import render
from web.uploads import Uploads, read_form
from web.words import Trouble, trouble_of, trouble_of_status

log = logging.getLogger(__name__)

_KEPT_AN_HOUR = {"Cache-Control": "private, max-age=3600"}
_SMALL_PICTURES_BYTES = 96 * 1024 * 1024
_DOCUMENTED = {"parameters": [
    {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
    for name, text in PARAMETERS.items()
]}
router = APIRouter()


def create_app(lake: Lake, encoder: QueryEncoder | EncoderLoader | None = None) -> FastAPI:
    """The application over one lake; `encoder` is one, or loads one, or is None: the lake's newest model."""
    app = FastAPI(
        title="glamlake", version=_version(), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
    )
    app.state.finder = Finder(lake, LakeEncoder(lake, encoder), Uploads())
    app.state.small_pictures = ByteCache(_SMALL_PICTURES_BYTES)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(GlamlakeError, _answer_our_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_surprise)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.include_router(router)
    return app


def _finder(request: Request) -> Finder:
    finder: Finder = request.app.state.finder
    return finder


_Finder = Annotated[Finder, Depends(_finder)]


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
def show_page(request: Request, finder: _Finder) -> Response:
    """The search page for what its address asks."""
    return render(finder.page(read_asked(request.query_params)))


@router.post("/search", include_in_schema=False)
async def send_form(request: Request, finder: _Finder) -> Response:
    """From the form to the address of its page, so that going back works and addresses can be shared."""
    asked = await _read_request(request, finder)
    return RedirectResponse(asked.address(), 303)


@router.get("/search", include_in_schema=False)
def leave_form() -> Response:
    """Where one lands who reloads the form's own address."""
    return RedirectResponse("./", 303)


@router.get("/api/search", openapi_extra=_DOCUMENTED)
def search_as_data(request: Request, finder: _Finder) -> JSONResponse:
    """The samples that fit best, one page of them."""
    return _as_data(finder, read_asked(request.query_params))


@router.post("/api/search")
async def search_by_picture_as_data(request: Request, finder: _Finder) -> JSONResponse:
    """The same, with the parameters as a form and a picture in it as the file `upload`."""
    asked = await _read_request(request, finder)
    return await run_in_threadpool(_as_data, finder, asked)


@router.get("/api/health")
def report_health(request: Request, finder: _Finder) -> dict[str, Any]:
    """Whether there is something to search, and with which models."""
    try:
        n_samples, detail = finder.collection.facets().n_samples, None
    except EmptyLake as e:
        n_samples, detail = 0, str(e)
    models = [info.model_id for info in VectorStore(finder.lake).models()]
    facts = {"n_samples": n_samples, "models": models, "detail": detail}
    return {"status": "ok", "version": request.app.version} | facts


@router.get("/pictures/{sample_id}")
def send_picture(sample_id: str, request: Request, finder: _Finder) -> Response:
    """A sample's picture as the lake keeps it; with `?size=grid`, small enough for a page."""
    path = finder.collection.picture_path(sample_id)
    if path is None:
        raise HTTPException(404, f"there is no picture of a sample “{sample_id}”")
    is_small = request.query_params.get("size") == "grid"
    as_it_is = None if is_small else shown_type(path)
    if as_it_is is not None:
        return FileResponse(path, media_type=as_it_is, headers=_KEPT_AN_HOUR)
    side = GRID_SIDE if is_small else FULL_SIDE
    kept: ByteCache = request.app.state.small_pictures
    content = kept.get(f"{path.stem} {side}", lambda: smaller_jpeg(path, side))
    return Response(content, media_type="image/jpeg", headers=_KEPT_AN_HOUR)


@router.get("/uploads/{token}", include_in_schema=False)
def send_upload(token: str, finder: _Finder) -> Response:
    """A visitor's own picture, small, for the page that searches with it."""
    picture = finder.uploads.get(token)
    if picture is None:
        raise HTTPException(404, "your picture is no longer kept here; choose it again")
    return Response(as_jpeg(picture), media_type="image/jpeg", headers={"Cache-Control": "no-store"})


async def _read_request(request: Request, finder: Finder) -> Asked:
    """What a form asks; a picture in it is decoded and kept, in the place of one sent before."""
    form, content = await read_form(request)
    asked = read_asked(form)
    if content is None:
        return asked
    picture = await run_in_threadpool(decode_upload, content)
    return replace(asked, picture=finder.uploads.keep(picture), like="")


def _as_data(finder: Finder, asked: Asked) -> JSONResponse:
    found = finder.find(asked)
    number = asked.page_number
    more = asked.address(page=str(number + 1)).replace("./?", "search?") if found.has_more else None
    facts = {"asked": asked.as_json(), "page": number, "total": found.total, "next": more}
    return JSONResponse(facts | {"results": _results(found)})


def _results(found: Found) -> list[dict[str, Any]]:
    return [asdict(card) | {"archives": card.archives, "providers": card.providers,
                            "picture_url": f"../pictures/{card.sample_id}"} for card in found.cards]


def _answer_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GlamlakeError)
    return _answer_trouble(request, trouble_of(error))


def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer_trouble(request, trouble_of_status(error.status_code, error.detail))


def _answer_surprise(request: Request, error: Exception) -> Response:
    """A fault of ours: the log has the details, the visitor is not shown any."""
    log.error("failed path=%s error=%r", request.url.path, error)
    trouble = Trouble(500, "Something went wrong here", "It is not your fault; the server's log says more.")
    response = _problem(trouble)
    response.headers.update(SECURITY_HEADERS)    # this answer is made outside of the middleware
    return response


def _answer_trouble(request: Request, trouble: Trouble) -> Response:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if path.count("/") > 1:    # not a page: only at the top would its relative links lead anywhere
        return _problem(trouble)
    return render(_finder(request).troubled(Asked(), trouble))


def _problem(trouble: Trouble) -> JSONResponse:
    content = {"type": "about:blank"} | asdict(trouble)
    return JSONResponse(content, trouble.status, media_type="application/problem+json")


def _version() -> str:
    try:
        return version("glamlake")
    except PackageNotFoundError:    # a checkout that nobody installed
        return "0"
