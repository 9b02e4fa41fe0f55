"""The same answers as data: search, samples, facets, the map, CSV, health, version."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from lake.errors import LakeError
from lake.vectors import VectorStore
from web.asked import PARAMETERS, SEVERAL, Asked, read_asked
from web.csv_file import csv_of
from web.details import whole_as_json
from web.finder import Finder
from web.json_answer import JsonAnswer
from web.listed import listed
from web.problems import FORM_PROBLEMS, PROBLEMS
from web.sent import SharedFinder, read_sent
from web.words import trouble_of

router = APIRouter(prefix="/api", responses=PROBLEMS)

_TEXT = {"type": "string"}
_DOCUMENTED = {"parameters": [
    {"name": name, "in": "query", "description": text,
     "schema": {"type": "array", "items": _TEXT} if name in SEVERAL else _TEXT}
    for name, text in PARAMETERS.items()
]}
_CHOSEN = {
    "name": "id", "in": "query", "description": "sample_id of a picture chosen; may be given more than once",
    "schema": {"type": "array", "items": _TEXT},
}
DOCUMENTED_LIST = {"parameters": [*_DOCUMENTED["parameters"], _CHOSEN]}
_FORM = {"requestBody": {"content": {"multipart/form-data": {"schema": {
    "type": "object",
    "properties": dict.fromkeys(PARAMETERS, _TEXT) | {
        "upload": {"type": "string", "format": "binary"},
        "picture_url": {"type": "string", "description": "where on the web to fetch the picture"},
    },
}}}}}


@router.get("/search", openapi_extra=_DOCUMENTED)
def search_as_data(request: Request, finder: SharedFinder) -> JsonAnswer:
    """The samples that fit best, one page of them."""
    return _as_data(finder, read_asked(request.query_params))


@router.post("/search", openapi_extra=_FORM, responses=FORM_PROBLEMS)
async def search_by_picture_as_data(request: Request, finder: SharedFinder) -> JsonAnswer:
    """The same, with the parameters as a form and a picture in it as the file `upload`."""
    asked = await read_sent(request, finder)
    return await run_in_threadpool(_as_data, finder, asked)


@router.get("/search.csv", openapi_extra=DOCUMENTED_LIST, response_class=Response,
            responses={200: {"content": {"text/csv": {}}}})
def download_csv(request: Request, finder: SharedFinder) -> Response:
    """The pictures chosen by `id`, or the first of those that a search finds, as CSV."""
    content = csv_of(listed(finder, request.query_params))
    headers = {"Content-Disposition": 'attachment; filename="glamlake.csv"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/samples/{sample_id}")
def sample_as_data(sample_id: str, finder: SharedFinder) -> JsonAnswer:
    """All that is known of one picture: records, labels with their sources, the file, its copies."""
    whole = finder.collection.whole(sample_id)
    if whole is None:
        raise HTTPException(404, f"there is no sample “{sample_id[:40]}”")
    return JsonAnswer(whole_as_json(whole))


@router.get("/facets", openapi_extra=_DOCUMENTED)
def facets_as_data(request: Request, finder: SharedFinder) -> JsonAnswer:
    """What one can filter by, counted under the filters that are on; a facet's own filter does not count."""
    asked = read_asked(request.query_params)
    facets = finder.collection.facets(asked.narrowing)
    return JsonAnswer({"asked": asked.as_json()} | vars(facets))


@router.get("/map")
def map_data(finder: SharedFinder) -> Response:
    """Every point of the map: sample, place (0 to 1), label and year."""
    return Response(finder.maps.points(), media_type="application/json")


@router.get("/health")
def report_health(request: Request, finder: SharedFinder) -> dict[str, Any]:
    """Whether there is something to search, and with which models."""
    try:
        n_samples, detail = finder.collection.facets().n_samples, None
    except LakeError as e:
        n_samples, detail = 0, trouble_of(e, finder.lake.root).detail
    facts = {"n_samples": n_samples, "models": _models(finder), "detail": detail}
    return {"status": "ok", "version": request.app.version} | facts


@router.get("/version")
def report_version(request: Request, finder: SharedFinder) -> dict[str, Any]:
    """Which glamlake answers, and the model it searches with."""
    return {"name": "glamlake", "version": request.app.version, "model": next(iter(_models(finder)), None)}


@router.get("", include_in_schema=False)
def lead_to_description() -> Response:
    """The description of all these."""
    return RedirectResponse("./api/openapi.json", 307)


def _models(finder: Finder) -> Sequence[str]:
    return [info.model_id for info in VectorStore(finder.lake).models()]


def _as_data(finder: Finder, asked: Asked) -> JsonAnswer:
    found = finder.find(asked)
    number = asked.page_number
    is_there = found.has_more and not asked.is_last_page
    more = f"search?{replace(asked, page=str(number + 1)).query}" if is_there else None
    facts = {"asked": asked.as_json(), "page": number, "total": found.total, "next": more}
    return JsonAnswer(facts | {"results": [result.as_json() for result in found.results]})


