"""Pictures with their bytes: read, checked and converted ahead in threads, handed on in order.

Reading, hashing and decoding let go of the interpreter, so that threads are enough. What is read ahead is
limited in bytes, not in pictures: a few large scans may weigh as much as thousands of postcards.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeVar

from lake import Lake
from lake.errors import FetchError
from pipelines.exports._jpeg import smaller_jpeg, upright_rgb_jpeg
from pipelines.exports._picture import Picture

T = TypeVar("T")


@dataclass(frozen=True)
class PictureFile:
    """A picture's bytes as they leave; `sha256` where it is known already, since they are those fetched."""

    content: bytes
    extension: str
    sha256: str | None


_THREADS = 4
_PICTURES_A_TASK = 8          # one alone is read in less time than a task takes to be handed over
_BYTES_A_TASK = 2**22
_TASKS_AHEAD = 8
_BYTES_AHEAD = 2**25


def with_jpegs(
    lake: Lake, pictures: Iterable[Picture], max_side: int | None
) -> Iterator[tuple[Picture, bytes]]:
    """Each picture as an upright RGB JPEG; raises ExportError for one that is damaged or no picture."""
    return _read_ahead(lake, pictures, lambda picture: _jpeg_of(lake, picture, max_side))


def with_files(
    lake: Lake, pictures: Iterable[Picture], max_side: int | None
) -> Iterator[tuple[Picture, PictureFile]]:
    """Each picture as the archive served it; one that is too large as a smaller JPEG."""
    return _read_ahead(lake, pictures, lambda picture: _file_of(lake, picture, max_side))


def in_shards(loaded: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """So many at a time, one iterator each; one is to be used up before the next is taken."""
    rest = iter(loaded)
    for first in rest:
        yield chain([first], islice(rest, size - 1))


def _jpeg_of(lake: Lake, picture: Picture, max_side: int | None) -> bytes:
    content = picture.read(lake)
    try:
        return upright_rgb_jpeg(content, max_side)
    except FetchError as e:
        raise picture.unreadable(str(e)) from e


def _file_of(lake: Lake, picture: Picture, max_side: int | None) -> PictureFile:
    content, smaller = picture.read(lake), None
    try:
        smaller = None if max_side is None else smaller_jpeg(content, max_side)
    except FetchError as e:
        raise picture.unreadable(str(e)) from e
    if smaller is not None:
        return PictureFile(smaller, "jpg", None)
    return PictureFile(content, picture.extension, picture.sample["sha256"])


def _read_ahead(
    lake: Lake, pictures: Iterable[Picture], read: Callable[[Picture], T]
) -> Iterator[tuple[Picture, T]]:
    waiting: deque[tuple[int, Future[list[tuple[Picture, T]]]]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="export-reads") as pool:
        try:
            for n_bytes, task in _tasks(lake, pictures):
                waiting.append((n_bytes, pool.submit(_read_all, task, read)))
                while len(waiting) > _TASKS_AHEAD or sum(n for n, _ in waiting) > _BYTES_AHEAD:
                    yield from waiting.popleft()[1].result()
            while waiting:
                yield from waiting.popleft()[1].result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _read_all(task: list[Picture], read: Callable[[Picture], T]) -> list[tuple[Picture, T]]:
    return [(picture, read(picture)) for picture in task]


def _tasks(lake: Lake, pictures: Iterable[Picture]) -> Iterator[tuple[int, list[Picture]]]:
    """Pictures a few at a time, with the bytes they have on disk."""
    task, n_bytes = [], 0
    for picture in pictures:
        task.append(picture)
        n_bytes += picture.size(lake)
        if len(task) >= _PICTURES_A_TASK or n_bytes >= _BYTES_A_TASK:
            yield n_bytes, task
            task, n_bytes = [], 0
    if task:
        yield n_bytes, task
