"""Picture bytes by their hash: `images/ab/cd/<sha256>.<ext>`, written once, never changed.

Names come from content alone, so putting the same bytes twice is harmless and nothing a server says reaches
a path. A file appears under its name only when it is whole.
"""

import contextlib
import hashlib
import stat
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lake.drafts import lacks_room
from lake.errors import LakeError
from lake.layout import Lake


@dataclass(frozen=True)
class StoredImage:
    """Where bytes lie: `path` is relative to the lake's root, with `/` between its parts."""

    sha256: str
    path: str


def put(lake: Lake, content: bytes, extension: str, sha256: str | None = None) -> StoredImage:
    """Keep bytes (with this hash, where it is known); raises LakeError when there is no room, and leaves
    nothing half-written behind."""
    sha256 = sha256 or hashlib.sha256(content).hexdigest()
    path = relative_path(sha256, extension)
    target = lake.root / path
    if not _holds(target, len(content)):
        _write(lake, target, content)
    return StoredImage(sha256, path)


def relative_path(sha256: str, extension: str) -> str:
    """The path below the lake's root of the bytes with this hash."""
    return f"images/{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


def read(lake: Lake, path: str) -> bytes:
    """The bytes of a stored picture; raises LakeError when they are gone."""
    try:
        return (lake.root / path).read_bytes()
    except OSError as e:
        raise LakeError(f"cannot read {path} of the lake {lake.root}: {e.strerror}; fetch it again") from e


def verify(lake: Lake, path: str) -> bool:
    """Whether the bytes that lie at `path` are still those that its name promises."""
    return hashlib.sha256(read(lake, path)).hexdigest() == Path(path).stem


def holds(lake: Lake, path: str, n_bytes: int) -> bool:
    """Whether a file of that size lies at `path`; what is in it is for `verify`."""
    return _holds(lake.root / path, n_bytes)


def sweep(lake: Lake) -> int:
    """Remove what a killed writer left half-written; how many files. Only while no other process puts."""
    drafts = list(_drafts(lake).glob("*.part"))
    for draft in drafts:
        draft.unlink(missing_ok=True)
    return len(drafts)


def _drafts(lake: Lake) -> Path:
    return lake.images / ".drafts"


def _holds(target: Path, n_bytes: int) -> bool:
    try:
        found = target.stat()
        return stat.S_ISREG(found.st_mode) and found.st_size == n_bytes    # a power cut may leave no bytes
    except OSError:      # not there; or unreadable, and then the write says why
        return False


def _write(lake: Lake, target: Path, content: bytes) -> None:
    draft = _drafts(lake) / f"{uuid.uuid4().hex}.part"
    try:
        _in_a_folder(draft, lambda: draft.write_bytes(content))
        _in_a_folder(target, lambda: draft.replace(target))
    except OSError as e:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise LakeError(_refused(lake, target, e)) from e


def _in_a_folder(path: Path, act: Callable[[], object]) -> None:
    """Act; once more where it was the folder that was missing, which is seldom."""
    try:
        act()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        act()


def _refused(lake: Lake, target: Path, e: OSError) -> str:
    if lacks_room(e):
        return f"no room left for pictures in {lake.root}; make room, then run again: it goes on where it was"
    if isinstance(e, IsADirectoryError | NotADirectoryError | FileExistsError) and lake.images.is_dir():
        place = target.relative_to(lake.root).as_posix()
        return (f"something else is in the way of {place} in {lake.root}; `glamlake verify --mend` sets it"
                " aside, then run again")
    return f"cannot write pictures into {lake.root}: {e.strerror}; mend that, then run again"
