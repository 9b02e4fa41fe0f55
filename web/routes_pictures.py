"""The pictures themselves: as the lake keeps them, small ones for the grid, and visitors' own."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from lake.errors import UsageError
from web.pictures import FULL_SIDE, GRID_SIDE, SmallPictures, as_jpeg, shown_type
from web.problems import PROBLEMS
from web.sent import SharedFinder

router = APIRouter(responses=PROBLEMS)

_KEPT_A_DAY = {"Cache-Control": "private, max-age=86400"}
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("/pictures/{sample_id}", response_class=Response, responses=_JPEG)
def send_picture(
    sample_id: str, request: Request, finder: SharedFinder,
    size: str = Query("", description="grid: a small one"),
) -> Response:
    """A sample's picture as the lake keeps it; with `?size=grid`, small enough for a page."""
    path = finder.collection.picture_path(sample_id)
    if path is None:
        raise HTTPException(404, f"there is no picture of a sample “{sample_id[:40]}”")
    if size != "grid" and (as_it_is := shown_type(path)) is not None:
        headers = {**_KEPT_A_DAY, "ETag": f'"{path.stem[:32]}"'}
        if _is_held(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return FileResponse(path, media_type=as_it_is, headers=headers)
    side = GRID_SIDE if size == "grid" else FULL_SIDE
    return send_small(request, path, side)


@router.get("/uploads/{token}", include_in_schema=False)
def send_upload(token: str, finder: SharedFinder) -> Response:
    """A visitor's own picture, small, for the page that searches with it."""
    picture = finder.uploads.get(token)
    if picture is None:
        raise HTTPException(404, "your picture is no longer kept here; choose it again")
    return Response(as_jpeg(picture), media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def send_small(request: Request, path: Path, side: int) -> Response:
    """A stored picture as JPEG with no side longer than `side`; nothing where the browser has it already."""
    tag = f'"{path.stem[:32]}-{side}"'
    headers = {**_KEPT_A_DAY, "ETag": tag}
    if _is_held(request, tag):
        return Response(status_code=304, headers=headers)
    pictures: SmallPictures = request.app.state.small_pictures
    try:
        small = pictures.jpeg(path, side)
    except UsageError as e:    # what is wrong lies in the lake, not in what was asked
        raise HTTPException(404, "the file of this picture cannot be read") from e
    return Response(small, media_type="image/jpeg", headers=headers)


def _is_held(request: Request, tag: str) -> bool:
    """Whether who asks has what bears this tag."""
    return tag in request.headers.get("if-none-match", "")
