"""What contrastive training minimises: open_clip's two losses, and one that knows several right answers.

All take features in rows of length 1 and the temperature's inverse, which is applied here and only here.
"""

from collections.abc import Callable
from typing import Any

import open_clip
from open_clip.loss import SigLipLoss
from torch.nn.functional import cross_entropy

from lake.errors import UsageError
from models.options import LOSSES
from models.prompts import Relation

_FAR_BELOW = -1e9     # any logit; minus infinity times a probability of 0 would be no number

Loss = Callable[[Any, Any, Any, Any, Relation], Any]


class MultiPositiveLoss(open_clip.ClipLoss):  # type: ignore[misc]
    """CLIP's loss, but a picture may have several right texts, and unclear pairs do not count."""

    def forward(
        self, pictures: Any, texts: Any, scale: Any, same: Any, unclear: Any = None, copies: Any = None,
    ) -> Any:
        """Features of length 1; (n, n): `same` says which texts are right, `unclear` which do not count.

        A text that is there several times (`copies`) is one right answer all the same: else a rare label
        that stands beside a common one would hardly be asked for.
        """
        by_picture, by_text = self.get_logits(pictures, texts, scale)
        if unclear is not None:
            by_picture = by_picture.masked_fill(unclear, _FAR_BELOW)
            by_text = by_text.masked_fill(unclear.T, _FAR_BELOW)
        once = same if copies is None else same / copies
        return (_spread_entropy(by_picture, once) + _spread_entropy(by_text, same.T)) / 2


def _spread_entropy(logits: Any, right: Any) -> Any:
    """Cross-entropy with the right answers of a row as likely as they weigh."""
    return cross_entropy(logits, right.float() / right.sum(dim=1, keepdim=True))


def loss_of(name: str, rank: int = 0, world_size: int = 1) -> Loss:
    """A loss by its name; with several processes the features of all are compared, and all learn from it."""
    if name == "siglip":
        siglip = SigLipLoss(rank=rank, world_size=world_size)
        return lambda pictures, texts, scale, bias, _: siglip(pictures, texts, scale, bias)
    shared: dict[str, Any] = {"rank": rank, "world_size": world_size, "gather_with_grad": True}
    if name == "clip":   # a bias on every logit changes no softmax
        clip = open_clip.ClipLoss(**shared)
        return lambda pictures, texts, scale, _, __: clip(pictures, texts, scale)
    several = MultiPositiveLoss(**shared)
    if name == "multi-positive":
        return lambda pictures, texts, scale, _, pairs: several(
            pictures, texts, scale, pairs.right, pairs.unclear, pairs.copies,
        )
    if name == "same-text":
        return lambda pictures, texts, scale, _, pairs: several(
            pictures, texts, scale, pairs.right, copies=pairs.copies,
        )
    raise UsageError(f"no loss named {name!r}; there are: {', '.join(LOSSES)}")
