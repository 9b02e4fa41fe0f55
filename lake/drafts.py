"""Folders that appear whole or not at all."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lake.errors import LakeError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cannot_write(place: object, e: OSError) -> LakeError:
    """What to raise where something could not be written: with the reason, and what to do about it."""
    reason = " ".join((e.strerror or str(e)).split())
    first = "make room" if e.errno in _FULL else "mend that"
    return LakeError(f"cannot write {place} ({reason}); {first}, then run again")


@contextmanager
def in_place_of(folder: Path) -> Iterator[Path]:
    """A draft to fill, which takes the folder's place in the end; until then what was there stays.

    Raises LakeError where that cannot be done, for want of room mostly.
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
        raise cannot_write(folder, e) from e
