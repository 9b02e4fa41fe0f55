"""Which device to train on, alone or as one of torchrun's processes."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from lake.errors import LakeError
from models.placing import choose_device

# what gloo and NCCL say where a process they wait for is no more
_GONE = ("Connection closed by peer", "Connection reset by peer", "remote process exited", "Timed out")


@dataclass(frozen=True)
class World:
    """This process among `size` of them; `rank` 0 is the one that writes."""

    device: Any
    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process keeps files and talks."""
        return self.rank == 0

    def agreed(self, value: float) -> float:
        """The first process's value, so that all of them decide alike."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared.item())

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


def is_first() -> bool:
    """Whether this process is the only one, or the first that torchrun started: the one that talks."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined(device: str | None) -> Iterator[World]:
    """The world as torchrun's environment tells it, or one of this process alone.

    Raises EncoderError for a device that is not there, LakeError where another of the processes has ended.
    """
    from open_clip_train.distributed import init_distributed_device_so

    wanted = str(choose_device(device or "auto"))
    # how open_clip gathers features; what it is to do instead is open_clip's to decide
    warnings.filterwarnings("ignore", "torch.distributed.nn.functional.all_gather", FutureWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = init_distributed_device_so(wanted)
    world = World(torch.device(found["device"]), found["global_rank"], found["world_size"])
    try:
        yield world
    except RuntimeError as e:
        if world.size == 1 or not any(words in str(e) for words in _GONE):
            raise
        raise LakeError(
            "another process of this training has ended; see what it said, and run the same command again: "
            "it goes on where it was"
        ) from e
    finally:
        if found["distributed"]:
            distributed.destroy_process_group()
