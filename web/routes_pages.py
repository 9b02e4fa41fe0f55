"""The pages: search, one picture, the map."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from lake.errors import GlamlakeError, LakeError, UsageError
from web.asked import Asked, read_asked
from web.details import said_of
from web.finder import Finder
from web.map import MAKE_IT
from web.page import Result
from web.rendering import render
from web.sent import SharedFinder, read_fields, with_picture
from web.words import trouble_of

router = APIRouter(include_in_schema=False)

_N_LIKE_IT = 12


@router.get("/")
def show_page(request: Request, finder: SharedFinder) -> Response:
    """The search page for what its address asks."""
    page = finder.page(read_asked(request.query_params))
    return render("search.html", request, page.trouble.status if page.trouble else 200, page=page)


@router.post("/search")
async def send_form(request: Request, finder: SharedFinder) -> Response:
    """From the form to the address of its page, so that going back works and addresses can be shared."""
    asked, form, content = await read_fields(request)
    try:
        asked = await with_picture(asked, form, content, finder)
    except GlamlakeError as e:    # what was typed beside it stays in the form
        trouble = trouble_of(e, finder.lake.root)
        page = await run_in_threadpool(finder.troubled, asked, trouble)
        return render("search.html", request, trouble.status, page=page)
    return RedirectResponse(replace(asked, page="").address(), 303)


@router.get("/search")
def leave_form(request: Request) -> Response:
    """Where one lands who reloads the form's own address, or asks at it."""
    return RedirectResponse(read_asked(request.query_params).address(), 303)


@router.get("/samples/{sample_id}")
def show_sample(sample_id: str, request: Request, finder: SharedFinder) -> Response:
    """One picture with all that is known of it, and others like it."""
    whole = finder.collection.whole(sample_id)
    if whole is None:
        raise HTTPException(404, f"there is no picture “{sample_id[:40]}” here")
    return render("sample.html", request, whole=whole, said=said_of(whole), alike=_alike(finder, sample_id))


@router.get("/map")
def show_map(request: Request, finder: SharedFinder) -> Response:
    """The collection as a map to wander in."""
    return render("map.html", request, map=finder.maps.page(), missing=MAKE_IT)


def _alike(finder: Finder, sample_id: str) -> Sequence[Result]:
    """Pictures like it; none where it has no vector that can be read."""
    asked = Asked(likes=(sample_id,))
    try:
        return finder.results(asked, _N_LIKE_IT)
    except (LakeError, UsageError):
        return ()
