"""From picture files to a model's input, in two halves with a queue between them.

`Pixels` reads eight-bit pixels and may do so in any thread or process; `as_input` makes them the floats the
model wants, a batch at once and on the model's own device: a quarter of the bytes to move, and one pass
instead of one per picture. Together they give what open_clip's own transform gives, up to a rounding of one
level of 255 here and there, and up to how JPEG is decoded (see ROOM_FOR_RESIZING).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from open_clip.transform import MaybeConvertMode, PreprocessCfg, image_transform_v2
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms import CenterCrop, Resize
from torchvision.transforms.v2 import functional

from lake.errors import EncoderError
from models.pictures import open_picture

# A JPEG decoder gives halves, quarters and eighths for less work. It may while the sides stay this many times
# the model's: then pixels differ from open_clip's by no more than saving the picture once more at quality 85
# would change them (0.4 of 255 levels, root mean square); with 1 instead of 2 it is three times as much.
ROOM_FOR_RESIZING = 2
BATCHES_AHEAD = 1
_AHEAD_OF_A_PROCESS = 2


@dataclass(frozen=True)
class Batch:
    """Pictures read together: `pixels` (n, 3, height, width) of those readable, `faults` of the others."""

    pixels: torch.Tensor
    faults: dict[int, str]


class Pixels:
    """What a model sees of a picture, as eight-bit pixels (3, height, width); for threads and processes."""

    def __init__(self, preprocessing: PreprocessCfg) -> None:
        *steps, _to_tensor, _normalize = image_transform_v2(preprocessing, is_train=False).transforms
        self.size: tuple[int, int] = preprocessing.input_size[1:]
        self._room = ROOM_FOR_RESIZING * max(self.size)
        self._takes_tensors = all(isinstance(step, Resize | CenterCrop | MaybeConvertMode) for step in steps)
        self._steps = [_on_tensors(step) for step in steps] if self._takes_tensors else steps

    def read(self, path: Path) -> torch.Tensor:
        """A picture file's pixels; raises EncoderError where it cannot be read."""
        return self.of(open_picture(path, self._room))

    def of(self, picture: Image.Image) -> torch.Tensor:
        """The pixels of a picture that is upright and in RGB."""
        seen: Any = _tensor(picture) if self._takes_tensors else picture
        for step in self._steps:
            seen = step(seen)
        return (seen if self._takes_tensors else _tensor(seen))[:3].contiguous()


def as_input(pixels: torch.Tensor, preprocessing: PreprocessCfg, like: torch.Tensor) -> torch.Tensor:
    """Pixels (n, 3, height, width) as a model's input: floats on the device and of the type of `like`."""
    moved = pixels.to(like.device, non_blocking=True)
    mean, std = (torch.tensor(three, device=like.device).view(3, 1, 1)
                 for three in (preprocessing.mean, preprocessing.std))
    scale, shift = 1 / (255 * std), -mean / std
    floats = torch.empty(moved.shape, dtype=like.dtype, device=like.device)
    step = 1 if like.device.type == "cpu" else max(len(moved), 1)   # one picture stays in a processor's cache
    room = torch.empty((step, *moved.shape[1:]), device=like.device)
    for part, place in zip(moved.split(step), floats.split(step), strict=True):
        place.copy_(room[:len(part)].copy_(part).mul_(scale).add_(shift))
    return floats


def read_batches(
    batches: Sequence[Sequence[Path]], pixels: Pixels, loaders: int, in_processes: bool = False,
) -> Iterator[Batch]:
    """The pixels of each batch of files, in order, read ahead by so many threads or processes."""
    if not batches:
        return iter(())
    return (_in_processes if in_processes else _in_threads)(batches, pixels, loaders)


def _in_threads(batches: Sequence[Sequence[Path]], pixels: Pixels, loaders: int) -> Iterator[Batch]:
    coming: deque[list[Future[torch.Tensor | str]]] = deque()
    with ThreadPoolExecutor(loaders) as pool:
        for paths in batches:
            coming.append([pool.submit(_read, pixels, path) for path in paths])
            if len(coming) > BATCHES_AHEAD:
                yield _batch([read.result() for read in coming.popleft()], pixels)
        while coming:
            yield _batch([read.result() for read in coming.popleft()], pixels)


def _in_processes(batches: Sequence[Sequence[Path]], pixels: Pixels, loaders: int) -> Iterator[Batch]:
    paths = [path for batch in batches for path in batch]
    ends = np.cumsum([len(batch) for batch in batches])
    places = [range(end - len(batch), end) for batch, end in zip(batches, ends.tolist(), strict=True)]
    # not forked: LanceDB's threads do not survive a fork
    return iter(DataLoader(
        _Files(paths, pixels), batch_sampler=places, num_workers=loaders,
        collate_fn=partial(_batch, pixels=pixels), multiprocessing_context="forkserver",
        prefetch_factor=_AHEAD_OF_A_PROCESS, pin_memory=torch.cuda.is_available(),
    ))


class _Files(torch.utils.data.Dataset[Any]):
    """Picture files as DataLoader wants them."""

    def __init__(self, paths: Sequence[Path], pixels: Pixels) -> None:
        self._paths = paths
        self._pixels = pixels

    def __getitem__(self, place: int) -> torch.Tensor | str:
        return _read(self._pixels, self._paths[place])


def _read(pixels: Pixels, path: Path) -> torch.Tensor | str:
    """A picture's pixels, or why there are none: one bad file must not end a loader."""
    try:
        return pixels.read(path)
    except EncoderError as e:
        return str(e)


def _batch(read: Sequence[torch.Tensor | str], pixels: Pixels) -> Batch:
    good = [one for one in read if not isinstance(one, str)]
    stacked = torch.stack(good) if good else torch.zeros((0, 3, *pixels.size), dtype=torch.uint8)
    return Batch(stacked, {place: one for place, one in enumerate(read) if isinstance(one, str)})


def _tensor(picture: Image.Image) -> torch.Tensor:
    """A picture's own memory, (4, height, width) with one channel unused; a copy where it is in pieces."""
    try:
        held = pa.array(picture)
    except ValueError:   # over 16 MB Pillow has it in several blocks
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    return torch.from_dlpack(held.flatten()).view(picture.height, picture.width, 4).permute(2, 0, 1)


def _on_tensors(step: Any) -> Callable[[Any], Any]:
    """torchvision's newer function of the same name: on eight-bit tensors it takes a third of the time."""
    if isinstance(step, Resize):
        size = [step.size] if isinstance(step.size, int) else list(step.size)
        return partial(functional.resize, size=size, interpolation=step.interpolation, antialias=True)
    if isinstance(step, CenterCrop):
        return partial(functional.center_crop, output_size=list(step.size))
    return _unchanged   # MaybeConvertMode: pictures are RGB by now


def _unchanged(seen: Any) -> Any:
    return seen
