"""As many of torch's threads as a computation deserves: on a small one they wait for each other."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# multiply-adds of a product, or of a layer; of 30 million, two threads take as long as one, and twice the CPU
WORK_OF_A_THREAD = 100_000_000


@contextmanager
def threads_for(work: int) -> Iterator[None]:
    """Compute what is of so many multiply-adds with fitting threads of this thread; afterwards as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, work // WORK_OF_A_THREAD)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
