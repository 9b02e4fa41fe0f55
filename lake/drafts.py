"""Folders that appear whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lake.errors import LakeError


@contextmanager
def in_place_of(folder: Path) -> Iterator[Path]:
    """A draft to fill, which takes the folder's place in the end; until then what was there stays.

    Raises LakeError where there is no room.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
            draft = Path(place) / "new"
            draft.mkdir()
            yield draft
            if folder.exists():
                shutil.move(folder, Path(place) / "old")
            draft.rename(folder)
    except OSError as e:
        reason = " ".join((e.strerror or str(e)).split())
        raise LakeError(f"cannot write {folder} ({reason}); make room, then run again") from e
