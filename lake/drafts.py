"""Files and folders that appear whole or not at all."""

import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lake.errors import LakeError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cannot_write(place: object, e: BaseException) -> LakeError:
    """What to raise where something could not be written: with the reason, and what to do about it."""
    reason = " ".join(str(getattr(e, "strerror", None) or e).split())[:300]
    return LakeError(f"cannot write {place} ({reason}); {way_out(e)}, then run again")


def way_out(e: BaseException) -> str:
    """What to do first about something that could not be written: room is asked for only where it lacks."""
    return "make room" if lacks_room(e) else "mend that"


def lacks_room(e: BaseException) -> bool:
    """Whether something failed for want of room; libraries whose errors are no OSError say so in words."""
    told = re.search(r"\b(?:os error|Errno) (\d+)", str(e))
    number = getattr(e, "errno", None) or (int(told[1]) if told else None)
    return number in _DISK_FULL or any(os.strerror(full) in str(e) for full in _DISK_FULL)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft to write, which takes the file's place in the end; until then what was there stays.

    It lies hidden beside the file, under a name of its own, and goes where anything fails. Raises OSError
    where the file cannot be put there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}.part")    # however long the name is
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


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
