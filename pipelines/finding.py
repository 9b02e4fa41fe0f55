"""From a search as it is typed to rows: pictures are opened or fetched, the encoder is the vectors' own."""

import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lake import Lake
from lake.errors import UsageError
from lake.search import SearchRequest, search
from models.encoder import open_encoder
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
    if not (asked.texts or asked.images):
        raise UsageError("nothing to search for; give some words, or a picture with --image")
    like = tuple(image for image in asked.images if _is_sample_id(image))
    pictures = tuple(_opened(image) for image in asked.images if image not in like)
    request = SearchRequest(
        texts=tuple(asked.texts), images=pictures, like=like, negative=tuple(asked.negative),
        where=asked.where, limit=asked.limit, offset=asked.offset, text_weight=asked.weight,
        exact=asked.exact, hybrid=asked.hybrid, collapse=asked.collapse, diversity=asked.diversity,
        templates=tuple(asked.templates),
    )
    found = search(lake, request, open_encoder(lake, asked.model_id))
    if not found:
        log.info("nothing found; widen --where, or begin with --offset 0")
    return [{"rank": rank, **asdict(result)} for rank, result in enumerate(found, asked.offset + 1)]


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


def _is_sample_id(text: str) -> bool:
    is_hex = len(text) == _SAMPLE_ID_DIGITS and all(digit in "0123456789abcdef" for digit in text)
    return is_hex and not Path(text).exists()


def _opened(image: str) -> Any:
    if image.lower().startswith(("http://", "https://")):
        from pipelines.http_client import Manners, PoliteClient

        with PoliteClient(Manners(attempts=2)) as client:
            return open_picture(io.BytesIO(client.get(image, max_bytes=64 * 2**20).content))
    if not Path(image).is_file():
        raise UsageError(f"--image {image!r} is no file, no http address and no sample id (16 hex digits)")
    return open_picture(Path(image))
