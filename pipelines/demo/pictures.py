"""The files the demo's archives serve: prints of scenes, copies of prints, and what goes wrong with files.

A file is described, not held: its bytes are made each time somebody asks, and are the same each time.
"""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.demo.darkroom import choose_print, content_type, develop, encode, mirrored, reduced, retoned
from pipelines.demo.scenes import draw
from pipelines.demo.scenes_model import Scene


@dataclass(frozen=True)
class PictureAnswer:
    """What a server says when asked for a picture."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class File:
    """One file of one archive. `treatment` is what became of the scene's print, a key of _TREATMENTS."""

    scene: Scene
    extension: str = "jpg"
    treatment: str = "print"


def answer(file: File) -> PictureAnswer:
    """Status, media type and bytes of a file."""
    return _TREATMENTS[file.treatment](file)


def print_of(scene: Scene) -> Image.Image:
    """The finished print of a scene."""
    rng = random.Random(f"print/{scene.name}")
    return develop(draw(scene), scene.size, choose_print(rng, scene.subject), rng)


def _ok(body: bytes, extension: str = "jpg") -> PictureAnswer:
    return PictureAnswer(200, content_type(extension), body)


def _print(file: File) -> PictureAnswer:
    return _ok(encode(print_of(file.scene), file.extension), file.extension)


def _as_served(scene: Scene) -> Image.Image:
    """A print as it comes back from the archive's JPEG, which is what copies are made of."""
    return Image.open(io.BytesIO(encode(print_of(scene), "jpg"))).convert("RGB")


def _reduced(file: File) -> PictureAnswer:
    share = random.Random(f"reduced/{file.scene.name}").uniform(0.42, 0.75)
    return _ok(encode(reduced(_as_served(file.scene), share), "jpg", 80))


def _recompressed(file: File) -> PictureAnswer:
    return _ok(encode(_as_served(file.scene), "jpg",
                      random.Random(f"again/{file.scene.name}").randint(38, 60)))


def _mirrored(file: File) -> PictureAnswer:
    return _ok(encode(mirrored(_as_served(file.scene)), "jpg"))


def _retoned(file: File) -> PictureAnswer:
    return _ok(encode(retoned(_as_served(file.scene), "warm"), "jpg"))


def _blank(file: File) -> PictureAnswer:
    """An unexposed frame: one tone, with the faint grain of a scanner."""
    rng = random.Random(f"blank/{file.scene.name}")
    grain = np.random.default_rng(rng.getrandbits(48)).standard_normal((480, 640)) * 1.5
    values = np.clip(rng.choice((6, 20, 128, 236, 250)) + grain, 0, 255).astype(np.uint8)
    return _ok(encode(Image.fromarray(values).convert("RGB"), "jpg", 92))


def _truncated(file: File) -> PictureAnswer:
    body = encode(print_of(file.scene), "jpg")
    return _ok(body[: len(body) * 6 // 10])


def _page(file: File) -> PictureAnswer:
    """A page of HTML under the name and the media type of a picture."""
    title = "<!doctype html>\n<html><head><title>Moved</title></head><body>"
    text = f"{title}<p>This {file.scene.subject} has moved to the new site.</p>"
    filler = "<p>Please sign in to see our pictures in full size.</p>\n" * 60
    return PictureAnswer(200, "image/jpeg", f"{text}{filler}</body></html>".encode())


def _missing(_file: File) -> PictureAnswer:
    return PictureAnswer(404, "text/plain; charset=utf-8", b"No such picture.")


def _thumbnail(file: File) -> PictureAnswer:
    small = print_of(file.scene)
    small.thumbnail((48, 48), Image.Resampling.LANCZOS)
    return _ok(encode(small, "jpg", 95))


_TREATMENTS: dict[str, Callable[[File], PictureAnswer]] = {
    "print": _print, "reduced": _reduced, "recompressed": _recompressed, "mirrored": _mirrored,
    "retoned": _retoned,
    "blank": _blank, "truncated": _truncated, "html": _page, "missing": _missing, "thumbnail": _thumbnail,
}
