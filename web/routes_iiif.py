"""IIIF: manifests of pictures and of lists, and the pictures in the sizes they name."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from web.asked import read_asked
from web.card import KEPT_IN_ADDRESSES, Card
from web.finder import Finder
from web.iiif import (
    PRESENTATION,
    Addresses,
    image_information,
    list_collection,
    list_manifest,
    manifest,
    side_of_size,
)
from web.json_answer import JsonAnswer
from web.listed import listed
from web.problems import PROBLEMS
from web.routes_data import DOCUMENTED_LIST
from web.routes_pictures import send_small
from web.sent import SharedFinder
from web.words import apart

router = APIRouter(prefix="/iiif", responses=PROBLEMS)

_MANIFEST_TYPE = f'application/ld+json;profile="{PRESENTATION}"'
_MANIFEST: dict[int | str, dict[str, Any]] = {200: {"content": {"application/ld+json": {}}}}
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("/samples/{sample_id}/manifest.json", response_class=Response, responses=_MANIFEST)
def send_manifest(sample_id: str, request: Request, finder: SharedFinder) -> JsonAnswer:
    """The manifest of one picture."""
    return _as_manifest(manifest(_card(finder, sample_id), _addresses(request)))


@router.get("/search/manifest.json", openapi_extra=DOCUMENTED_LIST, response_class=Response,
            responses=_MANIFEST)
def send_list_manifest(request: Request, finder: SharedFinder) -> JsonAnswer:
    """One manifest of the pictures chosen by `id`, or of the first of those that a search finds."""
    cards = [result.card for result in listed(finder, request.query_params)]
    return _as_manifest(list_manifest(cards, _name(request), _own_address(request), _addresses(request)))


@router.get("/search/collection.json", openapi_extra=DOCUMENTED_LIST, response_class=Response,
            responses=_MANIFEST)
def send_list_collection(request: Request, finder: SharedFinder) -> JsonAnswer:
    """The same list as a collection of manifests."""
    cards = [result.card for result in listed(finder, request.query_params)]
    return _as_manifest(list_collection(cards, _name(request), _own_address(request), _addresses(request)))


@router.get("/images/{sample_id}", response_class=Response,
            responses={303: {"description": "to the description"}})
def lead_to_information(sample_id: str, request: Request, finder: SharedFinder) -> Response:
    """From an image service's address to its description."""
    card = _card(finder, sample_id)
    return RedirectResponse(f"{_addresses(request).image(card.sample_id)}/info.json", 303)


@router.get("/images/{sample_id}/info.json")
def send_information(sample_id: str, request: Request, finder: SharedFinder) -> JsonAnswer:
    """What sizes a picture is served in."""
    return JsonAnswer(image_information(_card(finder, sample_id), _addresses(request)))


@router.get("/images/{sample_id}/full/{size}/0/default.jpg", response_class=Response, responses=_JPEG)
def send_image(sample_id: str, size: str, request: Request, finder: SharedFinder) -> Response:
    """The whole picture in one of the sizes its description names, or `max`."""
    card, path = _card(finder, sample_id), finder.collection.picture_path(sample_id)
    if path is None:
        raise HTTPException(404, "the lake no longer has the file of this picture")
    side = side_of_size(card, size)
    if side is None:
        raise HTTPException(404, f"this picture is not served in the size “{size[:40]}”; see its info.json")
    return send_small(request, path, side)


def _card(finder: Finder, sample_id: str) -> Card:
    cards = finder.collection.cards([sample_id])
    if not cards:
        raise HTTPException(404, f"there is no sample “{sample_id[:40]}”")
    return cards[0]


def _addresses(request: Request) -> Addresses:
    return Addresses(str(request.base_url))


def _own_address(request: Request) -> str:
    """As it was asked for; what a program sent raw is encoded, since an id must be an address."""
    query: bytes = request.scope["query_string"]
    return str(request.url.replace(query=quote(query, safe=KEPT_IN_ADDRESSES)))


def _name(request: Request) -> str:
    if request.query_params.getlist("id"):
        return "A selection of pictures"
    asked = read_asked(request.query_params)
    if asked.words:
        return f"Pictures found for “{apart(asked.words)}”"
    return "Pictures that look alike" if asked.is_search else "Pictures of the collection"


def _as_manifest(content: dict[str, object]) -> JsonAnswer:
    return JsonAnswer(content, media_type=_MANIFEST_TYPE, headers={"Cache-Control": "no-store"})
