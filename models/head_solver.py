"""The convex problem of a head, solved by L-BFGS."""

from typing import Any

import numpy as np
import torch

from models.head_layout import Layout
from models.metrics import Matrix
from models.threads import threads_for

ROWS_AT_ONCE = 16_384
STEPS = 100


def solve(layout: Layout, vectors: Matrix, wanted: Any, penalty: float) -> tuple[Matrix, Matrix]:
    """Weights and bias for vectors as they are; inside, their mean is 0 and their spread 1.

    A small problem is solved by one thread, so that it comes out the same however many there are.
    """
    middle, spread = vectors.mean(axis=0), max(float(vectors.std()), 1e-6)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    inputs = torch.from_numpy((vectors - middle) / spread).to(device)
    weight = torch.zeros(layout.n_units, vectors.shape[1], device=device, requires_grad=True)
    bias = torch.zeros(layout.n_units, device=device, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weight, bias], max_iter=STEPS, tolerance_grad=1e-6, line_search_fn="strong_wolfe",
    )

    def loss() -> Any:
        solver.zero_grad()
        total = penalty / 2 * weight.square().sum()
        total.backward()
        for start in range(0, len(inputs), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            goal = torch.from_numpy(wanted[rows].toarray().astype(np.float32)).to(device)
            part = _loss(layout, inputs[rows] @ weight.T + bias, goal) / len(inputs)
            part.backward()
            total = total + part.detach()
        return total.detach()

    with threads_for(vectors.size * layout.n_units):
        solver.step(loss)
    scaled = weight.detach().cpu().numpy() / np.float32(spread)
    return scaled, bias.detach().cpu().numpy() - scaled @ middle


def _loss(layout: Layout, logits: Any, goal: Any) -> Any:
    if layout.kind == "sigmoid":
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, goal, reduction="sum")
    parts = (torch.log_softmax(logits[:, group], dim=1) * goal[:, group] for group in layout.groups)
    return -sum(part.sum() for part in parts)
