"""The rules of IIIF Presentation 3 and Image 3 that a document of ours can break, each with what breaks it.

Written from the specifications (iiif.io/api/presentation/3.0 and iiif.io/api/image/3.0); what a resource may
carry is the table of its appendix "Summary of Properties".
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

_DESCRIBING = {
    "label", "summary", "metadata", "requiredStatement", "rights", "provider", "thumbnail", "navDate",
    "homepage", "logo", "rendering", "seeAlso", "service", "partOf", "behavior",
}
MAY_CARRY = {
    "Collection": _DESCRIBING | {"items", "viewingDirection", "services", "placeholderCanvas",
                                 "accompanyingCanvas"},
    "Manifest": _DESCRIBING | {"items", "structures", "annotations", "start", "viewingDirection", "services",
                               "placeholderCanvas", "accompanyingCanvas"},
    "Canvas": _DESCRIBING | {"items", "annotations", "height", "width", "duration", "placeholderCanvas",
                             "accompanyingCanvas"},
    "AnnotationPage": _DESCRIBING - {"navDate"} | {"items"},
    "Annotation": _DESCRIBING - {"navDate"} | {"motivation", "body", "target", "timeMode"},
    "Image": {"format", "height", "width", "service", "label", "language"},
    "Text": {"format", "label", "language"},
    "Dataset": {"format", "label", "profile"},
    "ImageService3": {
        "profile", "protocol", "width", "height", "sizes", "tiles", "maxWidth", "maxHeight", "maxArea",
        "rights", "preferredFormats", "extraQualities", "extraFormats", "extraFeatures", "partOf", "seeAlso",
        "service",
    },
}
MUST_CARRY = {
    "Collection": {"label", "items"}, "Manifest": {"label", "items"}, "Canvas": set(),
    "AnnotationPage": {"items"}, "Annotation": {"motivation", "target"}, "Image": set(), "Text": {"label"},
    "Dataset": set(),
    "ImageService3": {"profile"},
}
_CONTEXTS = {"Manifest": "http://iiif.io/api/presentation/3/context.json",
             "Collection": "http://iiif.io/api/presentation/3/context.json",
             "ImageService3": "http://iiif.io/api/image/3/context.json"}
_RIGHTS = re.compile(r"http://(creativecommons\.org/(licenses|publicdomain)/|rightsstatements\.org/(vocab|page)/).+")
_LANGUAGE = re.compile(r"none|[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


def broken_rules(document: Json) -> list[str]:
    """What a Manifest, Collection or info.json breaks; nothing where it is as it should be."""
    wrong = [] if document.get("@context") == _CONTEXTS.get(document.get("type", "")) else ["@context"]
    if next(iter(document)) != "@context":
        wrong.append("@context is not first")
    ids = [found["id"] for found in _resources(document) if found.get("type") in ("Canvas", "Annotation")]
    wrong += [f"{i}: used twice" for i in sorted({i for i in ids if ids.count(i) > 1})]
    return wrong + [f"{found.get('type')} {found.get('id')}: {rule}"
                    for found in _resources(document) for rule in _broken_by(found)]


def _resources(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for part in value.values():
            yield from _resources(part)
    elif isinstance(value, list):
        for part in value:
            yield from _resources(part)


def _broken_by(found: Json) -> Iterator[str]:
    kind = found["type"]
    if kind not in MAY_CARRY:
        yield "no such type"
        return
    is_reference = kind in ("Manifest", "Collection") and "items" not in found
    if not _is_http(found.get("id", "")):
        yield "id is no http(s) address"
    if kind in ("Canvas", "Manifest", "Collection") and "#" in found.get("id", ""):
        yield "id has a fragment"
    known = MAY_CARRY[kind] | {"@context", "id", "type"}
    yield from (f"may not carry {name}" for name in sorted(found.keys() - known))
    must = {"label"} if is_reference else MUST_CARRY[kind]
    yield from (f"lacks {name}" for name in sorted(must - found.keys()))
    yield from _texts(found)
    yield from _shapes(found, is_reference)


def _texts(found: Json) -> Iterator[str]:
    maps = [found[name] for name in ("label", "summary") if name in found]
    stated = [found["requiredStatement"]] if "requiredStatement" in found else []
    pairs = [*found.get("metadata", []), *stated]
    for pair in pairs:
        if pair.keys() != {"label", "value"}:
            yield "a label and value pair has other keys"
        maps += pair.values()
    for languages in maps:
        if not (isinstance(languages, dict) and languages):
            yield "text is no language map"
            continue
        for language, values in languages.items():
            if not _LANGUAGE.fullmatch(language):
                yield f"{language} is no language"
            if not (isinstance(values, list) and values and all(isinstance(v, str) for v in values)):
                yield "a language's text is no list of strings"
            elif any(v.startswith("<") and v.endswith(">") for v in values):
                yield "plain text that a viewer takes for markup"


def _shapes(found: Json, is_reference: bool) -> Iterator[str]:
    for name in ("items", "metadata", "thumbnail", "homepage", "seeAlso", "service", "sizes"):
        if name in found and not (isinstance(found[name], list) and found[name]):
            yield f"{name} is no list with something in it"
    if "rights" in found and not _RIGHTS.fullmatch(found["rights"]):
        yield f"rights {found['rights']} is no known statement"
    if "navDate" in found and not _INSTANT.fullmatch(found["navDate"]):
        yield f"navDate {found['navDate']} is no instant"
    if found["type"] == "Canvas":
        yield from _canvas(found)
    if found["type"] == "Image" and not (found.get("format", "").startswith("image/")):
        yield "an image without its media type"
    if found["type"] == "ImageService3" and "protocol" in found:
        yield from _information(found)
    expected = {"Manifest": "Canvas", "Canvas": "AnnotationPage", "AnnotationPage": "Annotation",
                "Collection": "Manifest"}.get(found["type"])
    if not is_reference and any(item["type"] != expected for item in found.get("items", [])):
        yield f"items that are no {expected}"


def _canvas(found: Json) -> Iterator[str]:
    if not all(isinstance(found.get(side), int) and found[side] > 0 for side in ("width", "height")):
        yield "width and height are no positive whole numbers"
    for page in found.get("items", []):
        for annotation in page["items"]:
            if annotation["target"] != found["id"] or annotation["motivation"] != "painting":
                yield "an annotation that does not paint its own canvas"


def _information(found: Json) -> Iterator[str]:
    levels = ("level0", "level1", "level2")
    if found["protocol"] != "http://iiif.io/api/image" or found["profile"] not in levels:
        yield "protocol or profile"
    if any(size["width"] > found["width"] or size["height"] > found["height"] for size in found["sizes"]):
        yield "a size larger than the image"


def _is_http(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and " " not in address
