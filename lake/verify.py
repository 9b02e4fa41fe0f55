"""Are the pictures in the store still what their names promise? Every file is hashed again."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lake import catalog
from lake.checksums import sha256_of
from lake.errors import LakeError
from lake.layout import Lake

_THREADS = 4
_SHOWN = 10
_FILES_AT_ONCE = 2000


@dataclass(frozen=True)
class Fault:
    """A file that is not what it should be: `missing`, `altered` or `stray`."""

    what: str
    path: str
    detail: str
    n_urls: int = 0


Watch = Callable[[Iterable[Fault | None], int], Iterable[Fault | None]]


@dataclass(frozen=True)
class Verified:
    """What was found in the store."""

    root: Path
    n_files: int
    faults: Sequence[Fault] = field(default_factory=tuple)
    n_set_aside: int = 0

    def n(self, what: str) -> int:
        """How many faults of one kind."""
        return sum(fault.what == what for fault in self.faults)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        counts = {what: self.n(what) for what in ("missing", "altered", "stray")}
        faults = [asdict(fault) for fault in self.faults]
        return {"files": self.n_files, **counts, "set_aside": self.n_set_aside, "faults": faults}

    def text(self) -> str:
        """The first faults as lines for a terminal, and the sum."""
        shown = self.faults[:_SHOWN]
        lines = [f"{fault.what:<8} {_spelled(fault.path)}  ({fault.detail})" for fault in shown]
        if len(self.faults) > _SHOWN:
            lines.append(f"… and {len(self.faults) - _SHOWN} more; --json tells them all")
        return "\n".join([*lines, f"{self.n_files} files hashed, {len(self.faults)} faults"])

    def raise_if_broken(self) -> None:
        """Raises LakeError, with what to do about it, where there is any fault."""
        if self.faults:
            kinds = sorted({fault.what for fault in self.faults}, reverse=True)
            found = ", ".join(f"{self.n(what)} {what}" for what in kinds)
            raise LakeError(f"the store of {self.root} has {found} files; {self._advice()}")

    def _advice(self) -> str:
        again = "`glamlake fetch` brings again what is not there"
        in_the_way = self.n("altered") + self.n("stray")
        if self.n_set_aside or not in_the_way:
            return again if self.n("missing") + self.n("altered") else "they are in images/.aside now"
        then = f", then {again}" if self.n("missing") + self.n("altered") else ""
        return f"`glamlake verify --mend` sets altered and stray ones aside{then}"


def verify(lake: Lake, mend: bool = False, watch: Watch = lambda looked_at, _: looked_at) -> Verified:
    """Hash every file of the store and compare it with its name and with the rows of `images`.

    A file is stray when no row ever named it: a run killed between a picture and its row leaves one, and the
    next fetch takes it up. With `mend`, altered and stray files are moved to `images/.aside`, so that the
    next fetch brings the altered ones again. `watch` is given what passes for each file, and how many there
    are: a large store takes hours. Raises EmptyLake where nothing was harvested.
    """
    expected = _expected(lake)
    files = sorted(_files(lake))
    known = _known(lake)       # asked after the files were listed: a fetch may be under way
    with ThreadPoolExecutor(_THREADS) as pool:
        looked_at = _in_turn(pool, lambda path: _fault(lake, path, expected, known), files)
        faults = [fault for fault in watch(looked_at, len(files)) if fault]
    gone = [_gone(lake, path, expected[path]) for path in sorted(expected.keys() - set(files))]
    in_the_way = {Path(fault.path) for fault in gone if fault.what == "altered"}
    faults = [*(fault for fault in faults if in_the_way.isdisjoint(Path(fault.path).parents)), *gone]
    moved = [_set_aside(lake, fault.path) for fault in faults if mend and fault.what != "missing"]
    return Verified(lake.root, len(files), tuple(sorted(faults, key=_by_kind)), len(moved))


def _in_turn(
    pool: ThreadPoolExecutor, look: Callable[[str], Fault | None], files: Sequence[str]
) -> Iterator[Fault | None]:
    """What passes for each file: some at a time, for a pool takes in at once all that it is given."""
    for first in range(0, len(files), _FILES_AT_ONCE):
        yield from pool.map(look, files[first:first + _FILES_AT_ONCE])


def _gone(lake: Lake, path: str, n: int) -> Fault:
    """A file that is not among those listed; a folder in its place would be in the next fetch's way."""
    with contextlib.suppress(OSError):       # it may be where we may not look
        if (lake.root / path).is_dir():
            return Fault("altered", path, "a folder, where bytes should lie", n)
    return Fault("missing", path, f"of {n} URLs", n)


def _spelled(path: str) -> str:
    """A path as a terminal can show it: a stray file may be called anything."""
    return path if path.isprintable() else ascii(path)


def _by_kind(fault: Fault) -> tuple[str, str]:
    return fault.what, fault.path


def _expected(lake: Lake) -> dict[str, int]:
    """How many URLs have each file as their picture."""
    sql = "select path, count(*) as n from images where path is not null group by path"
    return {str(row["path"]): int(str(row["n"])) for row in catalog.rows(lake, sql)}


def _known(lake: Lake) -> set[object]:
    """Every file that a row ever named, loaded or on its way."""
    named: set[object] = set()
    for journal in lake.outcomes.parent.glob(f"{lake.outcomes.stem}*{lake.outcomes.suffix}"):
        with contextlib.suppress(FileNotFoundError):      # loaded by now, and read below
            lines = journal.read_bytes().split(b"\n")[:-1]
            named |= {_path_in(line) for line in lines}
    return named | {row["path"] for row in catalog.rows(lake, "select distinct path from raw_images")}


def _path_in(line: bytes) -> object:
    try:
        row = json.loads(line)
    except ValueError:        # damaged: the next fetch leaves it out, and asks again
        return None
    return row.get("path") if isinstance(row, dict) else None


def _files(lake: Lake) -> Iterator[str]:
    """Everything in the store that is no folder, but for drafts and what was set aside."""
    if not lake.images.is_dir():
        return
    for path in lake.images.rglob("*"):
        inside = path.relative_to(lake.images)
        if not inside.parts[0].startswith(".") and (path.is_symlink() or not path.is_dir()):
            yield path.relative_to(lake.root).as_posix()


def _fault(lake: Lake, path: str, expected: dict[str, int], known: set[object]) -> Fault | None:
    n = expected.get(path, 0)
    if path not in known:
        return Fault("stray", path, "no row of images names it")
    if (lake.root / path).is_symlink():
        return Fault("altered", path, "a link, where bytes should lie", n)
    try:
        if not (lake.root / path).is_file():     # to open a pipe would wait for ever
            return Fault("altered", path, "a pipe, a socket or a device, where bytes should lie", n)
        sha256, n_bytes = sha256_of(lake.root / path), (lake.root / path).stat().st_size
    except OSError as e:
        return Fault("altered", path, f"cannot be read: {e.strerror}", n)
    if sha256 == Path(path).stem:
        return None
    return Fault("altered", path, f"{n_bytes} bytes with sha256 {sha256[:12]}…", n)


def _set_aside(lake: Lake, path: str) -> Path:
    """Move a file out of the way, never over another."""
    inside = (lake.root / path).relative_to(lake.images)
    target = lake.images / ".aside" / inside
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    while target.exists() or target.is_symlink():
        number += 1
        target = target.with_name(f"{inside.name}.{number}")
    (lake.root / path).rename(target)
    with contextlib.suppress(OSError):       # not empty
        (lake.root / path).parent.rmdir()
    return target
