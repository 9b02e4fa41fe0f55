"""Pictures, what becomes of copies of them, and the pairs that the SQL models find among their facts."""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa
from PIL import Image, ImageOps

from pipelines.demo.pictures import print_of
from pipelines.demo.scenes import choose_scenes
from pipelines.image_facts import ImageFacts, Limits, decode, facts_of
from tests.sql_models import build_model

SUBJECTS = ("ship", "train", "house", "bridge", "portrait", "church", "mountain", "aeroplane")


def as_jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """The picture's file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _cropped(picture: Image.Image) -> Image.Image:
    left, top = round(picture.width * 0.025), round(picture.height * 0.025)
    return picture.crop((left, top, picture.width - left, picture.height - top))


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "resized": lambda p: as_jpeg(p.resize((p.width // 2, p.height // 2), Image.Resampling.BICUBIC)),
    "recompressed": lambda p: as_jpeg(p, 40),
    "cropped 5 %": lambda p: as_jpeg(_cropped(p)),
    "mirrored": lambda p: as_jpeg(ImageOps.mirror(p)),
    "upside down": lambda p: as_jpeg(p.transpose(Image.Transpose.ROTATE_180)),
    "quarter turn": lambda p: as_jpeg(p.transpose(Image.Transpose.ROTATE_90)),
    "quarter turn back": lambda p: as_jpeg(p.transpose(Image.Transpose.ROTATE_270)),
    "grey": lambda p: as_jpeg(p.convert("L")),
    "bordered": lambda p: as_jpeg(ImageOps.expand(p, min(p.size) // 25, "white")),
}


def drawn_pictures(n_each: int) -> dict[str, Image.Image]:
    """Prints of drawn scenes by name, `n_each` of every subject."""
    scenes = [scene for subject in SUBJECTS for scene in choose_scenes(subject, n_each, 42)]
    return {scene.name: print_of(scene).convert("RGB") for scene in scenes}


def facts_of_file(content: bytes) -> ImageFacts:
    """What fetching the file would say of it."""
    decoded = decode(content, Limits())
    return facts_of(decoded.picture, decoded.format, decoded.mode)


def compare(facts: Mapping[str, ImageFacts], **variables: Any) -> list[dict[str, Any]]:
    """Rows of int_images__compared, `sha256_a` and `sha256_b` being the facts' names."""
    rows = [{
        "sha256": name, "pixel_sha256": fact.pixel_sha256, "hash_bits": int(fact.phash, 16),
        "turned_bits": [int(digits, 16) for digits in fact.phash_orientations],
        "thumbnail": fact.thumbnail, "entropy": fact.entropy,
    } for name, fact in facts.items()]
    return compare_rows(rows, **variables)


def cluster(facts: Mapping[str, ImageFacts]) -> dict[str, str]:
    """Of each name the first name of its cluster."""
    first = {name: name for name in facts}
    pairs = [(row["sha256_a"], row["sha256_b"]) for row in compare(facts) if row["is_same"]]
    for _ in pairs:
        apart = [sorted((first[a], first[b])) for a, b in pairs if first[a] != first[b]]
        moved = {later: earlier for earlier, later in sorted(apart, reverse=True)}
        if not moved:
            break
        first = {name: moved.get(begin, begin) for name, begin in first.items()}
    return first


def compare_rows(rows: Iterable[Mapping[str, Any]], **variables: Any) -> list[dict[str, Any]]:
    """As `compare`, of rows of int_images__distinct."""
    types = {"sha256": pa.string(), "pixel_sha256": pa.string(), "hash_bits": pa.uint64(),
             "turned_bits": pa.list_(pa.uint64()), "thumbnail": pa.list_(pa.uint8()), "entropy": pa.float64()}
    with duckdb.connect() as con:
        con.register("given", pa.Table.from_pylist(list(rows), schema=pa.schema(list(types.items()))))
        con.execute("create table int_images__distinct as select * from given")
        build_model(con, "int_images__compared", **variables)
        compared = con.sql("select * from int_images__compared").to_arrow_table()
        found: list[dict[str, Any]] = compared.to_pylist()
        return found
