"""What contrastive training minimises."""

from typing import Any

import open_clip
from torch.nn.functional import cross_entropy


class MultiPositiveLoss(open_clip.ClipLoss):  # type: ignore[misc]
    """CLIP's loss where pictures with equal texts are each other's right answers; else CLIP's own."""

    def forward(self, pictures: Any, texts: Any, scale: Any, same: Any) -> Any:
        """Features in rows of length 1; `same` (n, n) says which of the texts are equal."""
        by_picture, by_text = self.get_logits(pictures, texts, scale)
        right = same.float() / same.sum(dim=1, keepdim=True)
        return (cross_entropy(by_picture, right) + cross_entropy(by_text, right)) / 2
