"""IIIF Presentation 3 manifests and Image 3 descriptions of pictures; specifications read at iiif.io/api.

A picture is one canvas with one image, served in a few fixed sizes (compliance level 0). A list of results is
one manifest with a canvas for each, so that a viewer leafs through it, and also a collection of manifests.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from web.card import Card
from web.pictures import FULL_SIDE, shrunk
from web.words import RIGHTS_WORDS

PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
IMAGE = "http://iiif.io/api/image/3/context.json"
SIDES = (320, 640, 1200)    # besides the largest
_THUMBNAIL_SIDE = 320
_KNOWN_RIGHTS = re.compile(r"https?://(creativecommons\.org|rightsstatements\.org)/(.+)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")    # as BCP 47 writes them

Json = dict[str, Any]


@dataclass(frozen=True)
class Sized:
    """A picture's width and height in pixels."""

    width: int
    height: int

    def within(self, side: int) -> "Sized":
        """Shrunk, where it is larger, until no side is longer."""
        return Sized(*shrunk(self.width, self.height, side))


class Addresses:
    """Addresses below one base, which ends with a slash: manifests must name things absolutely."""

    def __init__(self, base: str) -> None:
        self.base = base

    def manifest(self, sample_id: str) -> str:
        """Of one picture."""
        return f"{self.base}iiif/samples/{quote(sample_id, safe='')}/manifest.json"

    def image(self, sample_id: str) -> str:
        """Of its image service."""
        return f"{self.base}iiif/images/{quote(sample_id, safe='')}"

    def data(self, sample_id: str) -> str:
        """Of the same as plain data."""
        return f"{self.base}api/samples/{quote(sample_id, safe='')}"


def manifest(card: Card, at: Addresses) -> Json:
    """The manifest of one picture."""
    address = at.manifest(card.sample_id)
    items = [_canvas(card, at, address.removesuffix("manifest.json"))]
    return {"@context": PRESENTATION, "id": address, "type": "Manifest", **_described(card, at),
            "items": items}


def list_manifest(cards: Sequence[Card], name: str, address: str, at: Addresses) -> Json:
    """One manifest of many pictures; `address` is its own."""
    items = []
    for card in cards:
        place = at.manifest(card.sample_id).removesuffix("manifest.json")
        items.append(_canvas(card, at, place) | _described(card, at))
    return {"@context": PRESENTATION, "id": address, "type": "Manifest", "label": _text(name), "items": items}


def list_collection(cards: Iterable[Card], name: str, address: str, at: Addresses) -> Json:
    """A collection that names the manifest of every picture."""
    items = [{"id": at.manifest(card.sample_id), "type": "Manifest", "label": _text(card.name, card.language),
              "thumbnail": [_thumbnail(card, at)]} for card in cards]
    return {"@context": PRESENTATION, "id": address, "type": "Collection", "label": _text(name),
            "items": items}


def image_information(card: Card, at: Addresses) -> Json:
    """What `info.json` says of a picture: the sizes it is served in."""
    largest = largest_size(card)
    return {
        "@context": IMAGE, "id": at.image(card.sample_id), "type": "ImageService3",
        "protocol": "http://iiif.io/api/image", "profile": "level0", "width": largest.width,
        "height": largest.height, "sizes": [vars(size) for size in sizes(card)],
    }


def largest_size(card: Card) -> Sized:
    """The largest that is served of a picture."""
    return Sized(card.width, card.height).within(FULL_SIDE)


def sizes(card: Card) -> list[Sized]:
    """All sizes that are served, the smallest first."""
    whole = Sized(card.width, card.height)
    smaller = [whole.within(side) for side in SIDES if side < max(card.width, card.height)]
    return [*smaller, largest_size(card)]


def side_of_size(card: Card, size: str) -> int | None:
    """The longest side that an Image API size (`max`, `640,480`, `640,`) asks for; None: not served."""
    if size == "max":
        return FULL_SIDE
    for served in sizes(card):
        if size in (f"{served.width},{served.height}", f"{served.width},"):
            return max(served.width, served.height)
    return None


def _canvas(card: Card, at: Addresses, place: str) -> Json:
    size = largest_size(card)
    canvas = f"{place}canvas"
    body = _image(card, at, "max", size)
    painting = {"id": f"{place}painting", "type": "Annotation", "motivation": "painting", "body": body,
                "target": canvas}
    return {"id": canvas, "type": "Canvas", "label": _text(card.name, card.language), **vars(size),
            "items": [{"id": f"{place}page", "type": "AnnotationPage", "items": [painting]}]}


def _described(card: Card, at: Addresses) -> Json:
    """What a manifest or a canvas may say of its picture; nothing that is not known."""
    stated = card.attribution or ", ".join(card.providers)
    attribution = {"label": _text("Attribution", "en"), "value": _text(stated)} if stated else None
    facts: Json = {
        "label": _text(card.name, card.language),
        "summary": _text(card.description, card.language) if card.description else None,
        "metadata": [{"label": _text(label, "en"), "value": value} for label, value in _metadata(card)],
        "requiredStatement": attribution, "rights": known_rights(card.rights_uri),
        "navDate": f"{card.year:04d}-01-01T00:00:00Z" if card.year and 1 <= card.year <= 9999 else None,
        "thumbnail": [_thumbnail(card, at)],
        "homepage": [{"id": source.landing_url, "type": "Text", "format": "text/html",
                      "label": _text(f"See it at {source.archive}", "en")} for source in card.links],
        "seeAlso": [{"id": at.data(card.sample_id), "type": "Dataset", "format": "application/json",
                     "label": _text("All that is known of it", "en")}],
    }
    return {name: value for name, value in facts.items() if value}


def _metadata(card: Card) -> Iterable[tuple[str, Json]]:
    if card.date:
        yield "Date", _text(card.date)
    for label, values in (("Holder", card.providers), ("Archive", card.archives), ("Labels", card.labels),
                          ("Record", tuple(source.record_id for source in card.sources))):
        if values:
            yield label, {"none": [_plain(value) for value in values]}
    yield "Rights", _text(RIGHTS_WORDS[card.rights_class][0], "en")


def _thumbnail(card: Card, at: Addresses) -> Json:
    size = Sized(card.width, card.height).within(_THUMBNAIL_SIDE)
    return _image(card, at, f"{size.width},{size.height}", size)


def _image(card: Card, at: Addresses, asked: str, size: Sized) -> Json:
    service = {"id": at.image(card.sample_id), "type": "ImageService3", "profile": "level0"}
    address = f"{service['id']}/full/{asked}/0/default.jpg"
    return {"id": address, "type": "Image", "format": "image/jpeg", **vars(size), "service": [service]}


def known_rights(uri: str | None) -> str | None:
    """The rights as a manifest may name them: Creative Commons or RightsStatements.org, with http."""
    known = _KNOWN_RIGHTS.fullmatch(uri or "")
    return f"http://{known[1]}/{known[2]}" if known else None


def _text(text: str, language: str | None = None) -> Json:
    known = language if language and _LANGUAGE.fullmatch(language) else "none"
    return {known: [_plain(text)]}


def _plain(text: str) -> str:
    """The text; one that looks like markup gets a space, by which the specification tells it is none."""
    return f"{text} " if text.startswith("<") and text.endswith(">") else text
