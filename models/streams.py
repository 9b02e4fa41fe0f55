"""A batch computed in parts side by side, each by few threads from its beginning to its end.

Threads that share every single product wait for each other at each, hundreds of times a batch, and all of
them for the one that something else on the machine holds up: pictures being decoded, say.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

_SMALLEST_PART = 16    # pictures: of fewer, products are too small to be quick


def in_streams(compute: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor) -> list[torch.Tensor]:
    """What `compute` makes of each part, in order, without gradients; on the processor, not on a card."""
    n_threads = torch.get_num_threads()
    n_streams = max(1, min(n_threads, len(batch) // _SMALLEST_PART))

    def alone(part: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():    # holds for one thread
            return compute(part)

    if n_streams == 1:
        return [alone(batch)]
    torch.set_num_threads(n_threads // n_streams)    # of each thread that computes its first from now on
    try:
        with ThreadPoolExecutor(n_streams) as pool:
            return list(pool.map(alone, batch.chunk(n_streams)))
    finally:
        torch.set_num_threads(n_threads)
