"""A picture of the size wanted from a IIIF image service, by what its info.json says it can do.

Image API 2 (https://iiif.io/api/image/2.1/) and 3 (https://iiif.io/api/image/3.0/), read 2026-01. Level 2
fits a picture into a square, level 1 makes it as wide as asked, level 0 has the sizes it lists and no other.
Nothing that info.json says is believed without a look, and none of the addresses in it is ever asked.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_MOST_PIXELS_A_SIDE = 10_000_000
_MOST_SIZES = 1000
LARGEST_INFO = 2**20


@dataclass(frozen=True)
class ImageService:
    """What an info.json says: the API's version, the picture's size, the level, what else can be asked."""

    version: int
    width: int
    height: int
    level: int
    features: frozenset[str] = frozenset()
    sizes: Sequence[tuple[int, int]] = field(default_factory=tuple)
    max_width: int | None = None
    max_height: int | None = None
    max_area: int | None = None


def read_info(content: bytes) -> ImageService | None:
    """The service described; None where the document cannot be made sense of."""
    try:
        info = json.loads(content)
    except (ValueError, RecursionError):     # UnicodeDecodeError is a ValueError
        return None
    if not isinstance(info, dict):
        return None
    width, height = _pixels(info.get("width")), _pixels(info.get("height"))
    version = _version(info)
    if not width or not height or version is None:
        return None
    described = [info, *_profile_parts(info)]
    limits = [_least(part.get(name) for part in described) for name in ("maxWidth", "maxHeight", "maxArea")]
    return ImageService(
        version, width, height, _level(info), frozenset(_features(described)), _sizes(info), *limits,
    )


def sized_path(service: ImageService, max_side: int) -> str:
    """What to append to the service's address for a picture of at most `max_side` pixels a side.

    A service that has no such size gives the next larger one it has, or its largest.
    """
    width, height = _fitting(service, max_side)
    if (width, height) == (service.width, service.height):
        return _path(_full(service))
    if service.level >= 2 or "sizeByConfinedWh" in service.features:
        side = max(width, height)
        return _path(f"!{side},{side}")
    if service.level == 1 or "sizeByW" in service.features:
        return _path(f"{width},")
    return _path(f"{width},{height}" if "sizeByWh" in service.features else _listed(service, max_side))


def _path(size: str) -> str:
    return f"/full/{size}/0/default.jpg"


def _full(service: ImageService) -> str:
    return "max" if service.version == 3 or service.max_width or service.max_area else "full"


def _fitting(service: ImageService, max_side: int) -> tuple[int, int]:
    """The size to ask for: no side over `max_side`, nothing over the service's own limits, never larger."""
    width, height = service.width, service.height
    most_wide = service.max_width or width
    most_high = service.max_height or service.max_width or height
    scale = min(1.0, max_side / max(width, height), most_wide / width, most_high / height)
    if service.max_area:
        scale = min(scale, math.sqrt(service.max_area / (width * height)))
    if scale == 1.0:
        return width, height
    return max(1, int(width * scale + 1e-9)), max(1, int(height * scale + 1e-9))


def _listed(service: ImageService, max_side: int) -> str:
    """The smallest listed size that is large enough; the whole picture where there is none."""
    enough = [size for size in service.sizes if max(size) >= max_side]
    if not enough:
        return _full(service)
    width, height = min(enough, key=lambda size: (max(size), size))
    if (width, height) == (service.width, service.height):
        return _full(service)
    return f"{width},{height}" if service.version == 3 else f"{width},"


def _version(info: dict[str, Any]) -> int | None:
    said = " ".join(_texts([info.get("@context"), info.get("type"), info.get("profile")]))
    if "iiif.io/api/image/3" in said or "ImageService3" in said:
        return 3
    return 2 if "iiif.io/api/image/2" in said or "ImageService2" in said else None


def _level(info: dict[str, Any]) -> int:
    """0, 1 or 2; what says nothing is taken for the least."""
    found = (re.search(r"(?:^|[/#])level([012])(?:\.json)?$", text) for text in _texts([info.get("profile")]))
    return next((int(level[1]) for level in found if level), 0)


def _profile_parts(info: dict[str, Any]) -> list[dict[str, Any]]:
    """In version 2 what goes beyond the level stands in dictionaries beside its name."""
    profile = info.get("profile")
    parts = profile[:_MOST_SIZES] if isinstance(profile, list) else []
    return [part for part in parts if isinstance(part, dict)]


def _features(described: Sequence[dict[str, Any]]) -> Iterator[str]:
    for part in described:
        for name in ("supports", "extraFeatures"):
            yield from _texts([part.get(name)])


def _sizes(info: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    listed = info.get("sizes")
    if not isinstance(listed, list):
        return ()
    found = [
        (_pixels(size.get("width")), _pixels(size.get("height")))
        for size in listed[:_MOST_SIZES] if isinstance(size, dict)
    ]
    return tuple((width, height) for width, height in found if width and height)


def _texts(values: Sequence[object]) -> Iterator[str]:
    """The texts among values and their lists."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (part for part in value[:_MOST_SIZES] if isinstance(part, str))


def _least(values: Iterator[object]) -> int | None:
    return min(filter(None, map(_pixels, values)), default=None)


def _pixels(value: object) -> int | None:
    """A whole positive number of a sane size; services write 640.0 and "640" too."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 1 <= value <= _MOST_PIXELS_A_SIDE or value != int(value):      # NaN is in no range
        return None
    return int(value)
