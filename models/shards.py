"""Examples from a webdataset export: `<export>/<split>/*.tar` with `<sample_id>.jpg .txt .json` in each."""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import webdataset as wds
from PIL import Image

from lake.errors import ExportError, UsageError
from models.pictures import upright_rgb

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class Example:
    """One picture with what it is called."""

    sample_id: str
    picture: Image.Image
    caption: str
    labels: tuple[str, ...]


def read_manifest(export: Path) -> dict[str, Any]:
    """What an export says of itself; raises UsageError where there is none."""
    path = export / MANIFEST_FILE
    if not path.is_file():
        raise UsageError(f"{export} is no export (no {MANIFEST_FILE}); see `glamlake export webdataset NAME`")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def read_split(export: Path, split: str) -> Iterator[Example]:
    """A split's examples in the order of its shards; pictures are decoded, one at a time.

    Raises UsageError for a split without shards, ExportError for a shard that cannot be read.
    """
    shards = sorted(str(path) for path in (export / split).glob("*.tar"))
    if not shards:
        raise UsageError(f"no {split} shards in {export}; `glamlake export webdataset` with --split {split}")
    for row in _rows(shards):
        if "jpg" not in row:
            raise ExportError(f"sample {row['__key__']} in {row['__url__']} has no .jpg; export it anew")
        yield Example(row["__key__"], _picture(row), _caption(row), _labels(row))


def _rows(shards: list[str]) -> Iterator[dict[str, Any]]:
    rows = iter(wds.WebDataset(shards, shardshuffle=False))
    while True:
        try:
            row = next(rows, None)
        except (tarfile.TarError, EOFError, OSError) as e:
            place = Path(shards[0]).parent
            raise ExportError(f"a shard in {place} cannot be read ({e}); export it anew") from e
        if row is None:
            return
        yield row


def _picture(row: dict[str, Any]) -> Image.Image:
    try:
        return upright_rgb(Image.open(io.BytesIO(row["jpg"])))
    except (OSError, SyntaxError, ValueError) as e:
        place = f"{row['__key__']} in {row['__url__']}"
        raise ExportError(f"picture {place} cannot be read ({e}); export it anew") from e


def _caption(row: dict[str, Any]) -> str:
    text: bytes = row.get("txt", b"")
    return text.decode("utf-8").strip()


def _labels(row: dict[str, Any]) -> tuple[str, ...]:
    facts = json.loads(row["json"]) if "json" in row else {}
    return tuple(facts.get("labels") or ())
