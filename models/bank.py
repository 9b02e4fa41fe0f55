"""Pictures as bytes, ready to be cut and normalised: in memory while they fit, else decoded each time."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import torch
from open_clip.transform import PreprocessCfg, image_transform_v2

from models.shards import StoredPicture

ROOM_BYTES = 4_000_000_000
DECODERS = 4
AT_ONCE = 64

T = TypeVar("T")


class PictureBank:
    """Pictures resized as the encoder does it, not normalised: uint8 rows (3, height, width).

    `room` makes both sides that much larger than the encoder's input, so that crops can leave something out.
    """

    def __init__(
        self, pictures: Sequence[StoredPicture], wanted: PreprocessCfg, room: float = 1.0,
        room_bytes: int = ROOM_BYTES,
    ) -> None:
        self._pictures = pictures
        height, width = (-int(-side * room // 1) for side in wanted.input_size[1:])
        plain = replace(wanted, size=(height, width), mean=(0.0,) * 3, std=(1.0,) * 3)
        self._transform = image_transform_v2(plain, is_train=False)
        fits = len(pictures) * 3 * height * width <= room_bytes
        self._kept = self._all(height, width) if fits else None

    def __len__(self) -> int:
        return len(self._pictures)

    def take(self, rows: Sequence[int]) -> Any:
        """The pictures of these rows: (len(rows), 3, height, width), uint8."""
        if self._kept is not None:
            return self._kept[list(rows)]
        with ThreadPoolExecutor(DECODERS) as pool:
            return torch.stack(list(pool.map(self._decoded, [self._pictures[row] for row in rows])))

    def _all(self, height: int, width: int) -> Any:
        kept = torch.empty((len(self._pictures), 3, height, width), dtype=torch.uint8)
        with ThreadPoolExecutor(DECODERS) as pool:
            for start in range(0, len(self._pictures), AT_ONCE):
                some = self._pictures[start:start + AT_ONCE]
                kept[start:start + len(some)] = torch.stack(list(pool.map(self._decoded, some)))
        return kept

    def _decoded(self, stored: StoredPicture) -> Any:
        return self._transform(stored.open()).mul(255).round().byte()


def normalised(tones: Any, wanted: PreprocessCfg) -> Any:
    """Pictures with tones 0..1 as the model's input; the only place in training where this is done."""
    mean, std = (torch.tensor(v, device=tones.device).view(1, 3, 1, 1) for v in (wanted.mean, wanted.std))
    return ((tones - mean) / std).contiguous(memory_format=torch.channels_last)


def one_ahead(things: Iterable[T]) -> Iterator[T]:
    """The same things; the next one is made in a thread while the caller works on this one."""
    coming = iter(things)
    nothing = object()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, coming, nothing)
        while (thing := future.result()) is not nothing:
            future = pool.submit(next, coming, nothing)
            yield thing   # type: ignore[misc]
