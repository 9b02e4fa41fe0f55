"""Examples from a webdataset export: `<export>/<split>/*.tar` with `<sample_id>.jpg .txt .json` in each.

Only texts are read into memory; pictures stay where they are until somebody opens them.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from lake.checksums import sha256_of
from lake.errors import EncoderError, ExportError, UsageError
from models.pictures import open_picture

MANIFEST_FILE = "manifest.json"
PICTURE_KINDS = ("jpg", "jpeg", "png", "webp")
_LONGEST_TEXT = 10_000_000


@dataclass(frozen=True)
class StoredPicture:
    """A picture as bytes somewhere: a whole file, or `size` bytes of one from `offset` on."""

    path: Path
    offset: int = 0
    size: int = -1

    def open(self) -> Image.Image:
        """Decode it, upright and in RGB; raises ExportError where it cannot be read."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(self.size)
        except OSError as e:
            raise ExportError(f"cannot read {self.path}: {e.strerror}; bring it back, or export anew") from e
        try:
            return open_picture(io.BytesIO(content))
        except EncoderError as e:
            if self.size < 0:
                raise ExportError(f"the picture {self.path} cannot be read; see `glamlake verify`") from e
            place = f"{self.path} (at byte {self.offset})"
            raise ExportError(f"a picture in {place} cannot be read; export it anew") from e


@dataclass(frozen=True)
class Example:
    """One picture with what it is called."""

    sample_id: str
    stored: StoredPicture
    caption: str
    labels: tuple[str, ...]

    @property
    def picture(self) -> Image.Image:
        """The picture itself, decoded anew each time."""
        return self.stored.open()


def read_manifest(export: Path) -> dict[str, Any]:
    """What an export says of itself; raises UsageError where there is none."""
    path = export / MANIFEST_FILE
    if not path.is_file():
        raise UsageError(f"{export} is no export (no {MANIFEST_FILE}); see `glamlake export webdataset NAME`")
    manifest = _json_object(path.read_bytes(), str(path))
    return {"name": export.name} | manifest


def read_split(export: Path, split: str) -> Iterator[Example]:
    """A split's examples in the order of its shards.

    Raises UsageError for a split without shards, ExportError for one that is torn, changed or incomplete.
    """
    shards = sorted((export / split).glob("*.tar"))
    if not shards:
        raise UsageError(f"no {split} shards in {export}; `glamlake export webdataset` with --split {split}")
    sums = read_manifest(export).get("files") or {} if (export / MANIFEST_FILE).is_file() else {}
    for shard in shards:
        _require_unchanged(shard, sums.get(shard.relative_to(export).as_posix()))
        yield from _examples(shard)


def _require_unchanged(shard: Path, listed: str | None) -> None:
    if listed is not None and sha256_of(shard) != listed:
        raise ExportError(f"{shard} is not what the manifest lists (its checksum differs); export it anew")


def _examples(shard: Path) -> Iterator[Example]:
    parts: dict[str, Any] = {}
    sample_id = ""
    for key, kind, found in _members(shard):
        if key != sample_id and parts:
            yield _example(shard, sample_id, parts)
            parts = {}
        sample_id = key
        parts[kind] = found
    if parts:
        yield _example(shard, sample_id, parts)


def _members(shard: Path) -> Iterator[tuple[str, str, Any]]:
    """Key, kind and content of each file: a picture's place, others' bytes."""
    try:
        with tarfile.open(shard) as tar:
            for member in tar:
                name = Path(member.name).name
                key, _, kind = name.partition(".")
                if not member.isfile() or not key or not kind:
                    continue
                if kind.lower() in PICTURE_KINDS:
                    yield key, "picture", StoredPicture(shard, member.offset_data, member.size)
                elif kind in ("txt", "json") and member.size <= _LONGEST_TEXT:
                    yield key, kind, tar.extractfile(member).read()   # type: ignore[union-attr]
    except (tarfile.TarError, EOFError, OSError) as e:
        why = " ".join(str(e).split())[:100]
        raise ExportError(f"the shard {shard} cannot be read ({why}); export it anew") from e


def _example(shard: Path, sample_id: str, parts: dict[str, Any]) -> Example:
    place = f"sample {sample_id} in {shard}"
    if "picture" not in parts:
        raise ExportError(f"{place} has no .jpg; export it anew")
    try:
        caption = bytes(parts.get("txt", b"")).decode("utf-8").strip()
    except UnicodeDecodeError as e:
        raise ExportError(f"the text of {place} is not UTF-8; export it anew") from e
    facts = _json_object(parts["json"], f"the .json of {place}") if "json" in parts else {}
    labels = facts.get("labels") or ()
    return Example(sample_id, parts["picture"], caption, tuple(str(label) for label in labels))


def _json_object(content: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as e:
        raise ExportError(f"{what} is not JSON; export it anew") from e
    if not isinstance(found, dict):
        raise ExportError(f"{what} holds no JSON object; export it anew")
    return found
