"""One sample on its way into an export: its row, its records, its bytes."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from lake import Lake, image_store
from lake.errors import ExportError, LakeError


@dataclass(frozen=True)
class Picture:
    """One sample to export: its row of `samples`, every column, and the rows of `records` it stands for.

    `extra` is what a format wants to know besides; it is part of the fingerprint.
    """

    sample: dict[str, Any]
    records: list[dict[str, Any]]
    extra: Any = None

    @property
    def sample_id(self) -> str:
        """The sample's id, which names its files."""
        return str(self.sample["sample_id"])

    @property
    def extension(self) -> str:
        """What the file's name ends with, in lower case and without the dot."""
        return PurePosixPath(self.sample["path"]).suffix.lower().removeprefix(".")

    def size(self, lake: Lake) -> int:
        """Bytes on disk; 0 where the file is gone, of which `read` then says more."""
        try:
            return (lake.root / str(self.sample["path"])).stat().st_size
        except OSError:
            return 0

    def read(self, lake: Lake) -> bytes:
        """The picture's bytes as the archive served them; raises ExportError if they are gone or changed."""
        try:
            content = image_store.read(lake, self.sample["path"])
        except LakeError as e:
            raise ExportError(f"{self._place} is missing ({e}); {self._way_out}") from e
        if hashlib.sha256(content).hexdigest() != self.sample["sha256"]:
            raise ExportError(f"{self._place} is damaged: its sha256 is another; {self._way_out}")
        return content

    @cached_property
    def sample_json(self) -> str:
        """The sample's row as compact JSON, made once: it is written and it is fingerprinted."""
        return plain_json(self.sample)

    def unreadable(self, reason: str) -> ExportError:
        """The error for a picture whose bytes are right and which no decoder takes."""
        return ExportError(f"{self._place} cannot be decoded ({reason}); {self._way_out}")

    @property
    def _place(self) -> str:
        return f"the picture {self.sample['path']} of sample {self.sample_id}"

    @property
    def _way_out(self) -> str:
        return f"fetch it again, or leave it out with --where \"sample_id <> '{self.sample_id}'\""


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


# kept, since making an encoder takes longer than encoding a row
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_iso)


# control characters, and those that turn the direction of what follows
_UNSEEN = dict.fromkeys([*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def one_line(text: str) -> str:
    """A text as it may stand in a file of lines: single spaces, and nothing that cannot be seen."""
    return " ".join(text.split()).translate(_UNSEEN)


def plain_json(value: object) -> str:
    """Compact JSON with sorted keys and Unicode as it is; dates and times in ISO 8601."""
    return _ENCODER.encode(value)
