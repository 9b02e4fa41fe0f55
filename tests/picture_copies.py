"""Pictures, what becomes of copies of them, and the pairs that the SQL models find among their facts."""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa
from PIL import Image, ImageOps

from lake.catalog import Connection
from pipelines.demo.pictures import print_of
from pipelines.demo.scenes import choose_scenes
from pipelines.image_facts import ImageFacts, Limits, decode, facts_of
from tests.sql_models import build_model

SUBJECTS = ("ship", "train", "house", "bridge", "portrait", "church", "mountain", "aeroplane")


MODELS = (
    "int_images__faces", "int_images__parts", "int_hashes__near", "int_images__witnessed",
    "int_images__alike", "int_images__compared",
)
KNOWN = {
    "int_images__known": "sha256 varchar, face varchar, facts_key ubigint",
    "int_hashes__known": "asked_bits ubigint, held_bits ubigint, distance utinyint",
    "int_witnesses__known": "sha256_a varchar, sha256_b varchar, part utinyint, face_b varchar, "
                            "facts_key ubigint, correlation double, field_difference double, "
                            "n_differences utinyint, n_uncropped utinyint",
}
_KEPT = {
    "int_images__known": "int_images__faces where place <= 16", "int_hashes__known": "int_hashes__near",
    "int_witnesses__known": "int_images__witnessed",
}
NEAR_VECTORS = "sha256_a varchar, sha256_b varchar, model_id varchar, cosine double"


def as_jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """The picture's file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _cropped(picture: Image.Image, left: float, top: float, right: float, below: float) -> bytes:
    """Without these shares of width and height."""
    across, down = picture.size
    kept = (left * across, top * down, across - right * across, down - below * down)
    left_edge, top_edge, right_edge, below_edge = (round(edge) for edge in kept)
    return as_jpeg(picture.crop((left_edge, top_edge, right_edge, below_edge)))


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "resized": lambda p: as_jpeg(p.resize((p.width // 2, p.height // 2), Image.Resampling.BICUBIC)),
    "recompressed": lambda p: as_jpeg(p, 40),
    "cropped 5 %": lambda p: _cropped(p, 0.025, 0.025, 0.025, 0.025),
    "cropped 5 % a side": lambda p: _cropped(p, 0.05, 0.05, 0.05, 0.05),
    "cropped on the right": lambda p: _cropped(p, 0, 0, 0.05, 0),
    "cropped off centre": lambda p: _cropped(p, 0.04, 0.01, 0.02, 0.03),
    "mirrored": lambda p: as_jpeg(ImageOps.mirror(p)),
    "upside down": lambda p: as_jpeg(p.transpose(Image.Transpose.ROTATE_180)),
    "quarter turn": lambda p: as_jpeg(p.transpose(Image.Transpose.ROTATE_90)),
    "quarter turn back": lambda p: as_jpeg(p.transpose(Image.Transpose.ROTATE_270)),
    "grey": lambda p: as_jpeg(p.convert("L")),
    "bordered": lambda p: as_jpeg(ImageOps.expand(p, min(p.size) // 25, "white")),
    "bordered black": lambda p: as_jpeg(ImageOps.expand(p, min(p.size) // 10, "black")),
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
        "sha256": name, "pixel_hash": fact.pixel_hash, "hash_bits": int(fact.phash, 16),
        "turned_bits": [int(digits, 16) for digits in fact.phash_orientations],
        "thumbnail": fact.thumbnail, "entropy": fact.entropy,
        "inside_bits": [int(digits, 16) for digits in fact.phash_inside or ()] or None,
        "inside_thumbnail": fact.thumbnail_inside,
        "crop_bits": [int(digits, 16) for digits in fact.phash_crops],
        "difference_bits": [
            int(half, 16) for digits in (fact.dhash, *fact.dhash_crops) for half in (digits[:14], digits[14:])
        ],
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


def build_compared(con: Connection, **variables: Any) -> None:
    """All models from int_images__distinct to int_images__compared, beginning from what an earlier run on
    this connection kept, and keeping the same for the next."""
    for known, columns in KNOWN.items():
        con.execute(f"create table if not exists {known} ({columns})")
    con.execute(f"create table if not exists base_near_vectors ({NEAR_VECTORS})")
    for model in MODELS:
        build_model(con, model, "view" if model == "int_images__parts" else "table", **variables)
    for known, columns in KNOWN.items():
        names = ", ".join(column.split()[0] for column in columns.split(", "))
        con.execute(f"create or replace table {known} as select {names} from {_KEPT[known]}")


def distinct_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of int_images__distinct in its types."""
    hashes, tones = pa.list_(pa.uint64()), pa.list_(pa.uint8())
    types = {
        "sha256": pa.string(), "pixel_hash": pa.string(), "hash_bits": pa.uint64(), "turned_bits": hashes,
        "thumbnail": tones, "entropy": pa.float64(), "inside_bits": hashes, "inside_thumbnail": tones,
        "crop_bits": hashes, "difference_bits": hashes,
    }
    return pa.Table.from_pylist(list(rows), schema=pa.schema(list(types.items())))


def compare_rows(
    rows: Iterable[Mapping[str, Any]], near_vectors: pa.Table | None = None, **variables: Any,
) -> list[dict[str, Any]]:
    """As `compare`, of rows of int_images__distinct and of raw.near_vectors."""
    with duckdb.connect() as con:
        con.register("given", distinct_table(rows))
        con.execute("create table int_images__distinct as select * from given")
        if near_vectors is not None:
            con.register("base_near_vectors", near_vectors)
        build_compared(con, **variables)
        compared = con.sql("select * from int_images__compared").to_arrow_table()
        found: list[dict[str, Any]] = compared.to_pylist()
        return found
