"""From a search as it is typed to rows: pictures are opened or fetched, the encoder is the vectors' own."""

import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lake import Lake
from lake.directions import Vector
from lake.errors import EncoderError, FetchError, UsageError
from lake.search import SearchRequest, search
from models.encoder import embedded_model, open_encoder
from models.pictures import open_picture

log = logging.getLogger(__name__)

_SAMPLE_ID_DIGITS = 16
_BRIEF = ("rank", "score", "sample_id", "title", "year", "label", "archives", "rights_class")


@dataclass(frozen=True)
class Asked:
    """A search as typed; each of `images` is a path, a URL or a sample id."""

    texts: Sequence[str] = ()
    images: Sequence[str] = ()
    negative: Sequence[str] = ()
    where: str | None = None
    weight: float = 0.5
    limit: int = 20
    model_id: str | None = None
    offset: int = 0
    exact: bool = False
    hybrid: bool = False
    collapse: bool = True
    diversity: float = 0.0
    templates: Sequence[str] = ()


def search_rows(lake: Lake, asked: Asked) -> list[dict[str, Any]]:
    """The results, best first, each with its rank; raises what opening, fetching and searching raise."""
    texts, negative = _worded(asked.texts), _worded(asked.negative)
    if not (texts or asked.images):
        raise UsageError("nothing to search for; give some words, or a picture with --image")
    like = tuple(image for image in asked.images if _is_sample_id(image))
    pictures = tuple(_opened(image) for image in asked.images if image not in like)
    request = SearchRequest(
        texts=texts, images=pictures, like=like, negative=negative,
        where=asked.where, limit=asked.limit, offset=asked.offset, text_weight=asked.weight,
        exact=asked.exact, hybrid=asked.hybrid, collapse=asked.collapse, diversity=asked.diversity,
        templates=tuple(asked.templates),
    )
    needs_weights = bool(texts or negative or pictures)
    found = search(lake, request, (open_encoder if needs_weights else _Unneeded.of)(lake, asked.model_id))
    if not found:
        log.info("nothing found; widen --where, or begin with --offset 0")
    return [{"rank": rank, **asdict(result)} for rank, result in enumerate(found, asked.offset + 1)]


@dataclass(frozen=True)
class _Unneeded:
    """In place of an encoder where only samples are asked with: their vectors are there already."""

    model_id: str

    @classmethod
    def of(cls, lake: Lake, model_id: str | None) -> Self:
        return cls(embedded_model(lake, model_id).model_id)

    def encode_texts(self, texts: Sequence[str]) -> Vector:
        raise EncoderError(f"{self.model_id} was not loaded")

    def encode_images(self, images: Sequence[Any]) -> Vector:
        raise EncoderError(f"{self.model_id} was not loaded")


def brief(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of a result that fit on a terminal."""
    why = [f"{reason['kind']} {reason['share']:.0%}" for reason in row["reasons"]]
    return {name: row[name] for name in _BRIEF} | {"near": row["n_near"], "why": ", ".join(why)}


def save_sheet(lake: Lake, asked: Asked, rows: Sequence[dict[str, Any]], target: Path) -> Path:
    """The pictures found as one PNG, each with its rank and title, under what was asked."""
    from pipelines.contact_sheet import save_contact_sheet  # this and the next: a third of a second

    pictures = [(row["path"], f"{row['rank']}  {row['title'] or 'untitled'}") for row in rows]
    title = " · ".join([*asked.texts, *map(str, asked.images), *(f"not {text}" for text in asked.negative)])
    return save_contact_sheet(lake, pictures, target, title=title)


def _worded(texts: Sequence[str]) -> tuple[str, ...]:
    """Those that say anything: to a model an empty one, of a script's unset variable say, means something."""
    return tuple(text for text in texts if text.strip())


def _is_sample_id(text: str) -> bool:
    is_hex = len(text) == _SAMPLE_ID_DIGITS and all(digit in "0123456789abcdef" for digit in text)
    return is_hex and not Path(text).exists()


def _opened(image: str) -> Any:
    if image.lower().startswith(("http://", "https://")):
        from pipelines.http_client import Manners, PoliteClient

        try:
            with PoliteClient(Manners(attempts=2)) as client:
                content = client.get(image, max_bytes=64 * 2**20).content
        except FetchError as e:    # what it names is an option of `fetch`, not of a search
            said = str(e).split("; --")[0]
            raise FetchError(e.status, f"{said}; save the picture and give its file", e.http_status) from e
        return open_picture(io.BytesIO(content))
    if not Path(image).is_file():
        raise UsageError(f"--image {image!r} is no file, no http address and no sample id (16 hex digits)")
    return open_picture(Path(image))
