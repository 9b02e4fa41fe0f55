"""Light augmentation for training: a random crop, a small turn, other tones; never a mirror image.

Maps, badges and writing do not read the other way round.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import affine_grid, grid_sample

from models.options import Augmentation

__all__ = ["Augmentation", "Changes", "augmented", "drawn"]


@dataclass(frozen=True)
class Changes:
    """What is done to each of n pictures: where its crop lies (n, 2, 3), its contrast, its brightness."""

    windows: Any
    contrast: Any
    brightness: Any

    def of(self, rows: slice) -> "Changes":
        """Those of some of the pictures."""
        return Changes(self.windows[rows], self.contrast[rows], self.brightness[rows])

    def applied(self, pictures: Any, size: tuple[int, int]) -> Any:
        """Pictures (n, 3, h, w), tones 0..1, cropped, turned and toned: (n, 3, *size)."""
        windows, contrast, brightness = (
            changes.to(pictures.device) for changes in (self.windows, self.contrast, self.brightness)
        )
        places = affine_grid(windows, [len(pictures), 3, *size], align_corners=False)
        seen = grid_sample(pictures, places, padding_mode="reflection", align_corners=False)
        return ((seen - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


def drawn(n: int, options: Augmentation, dice: torch.Generator) -> Changes:
    """Changes for n pictures, each on its own."""
    windows = _windows(n, options, dice)
    contrast = 1 + options.contrast * _spread(n, dice).view(-1, 1, 1, 1)
    brightness = options.brightness * _spread(n, dice).view(-1, 1, 1, 1)
    return Changes(windows, contrast, brightness + options.tint * _spread(3 * n, dice).view(-1, 3, 1, 1))


def augmented(pictures: Any, size: int, options: Augmentation, dice: torch.Generator) -> Any:
    """Pictures (n, 3, h, w), tones 0..1, as (n, 3, size, size), each cropped, turned and toned in its way."""
    return drawn(len(pictures), options, dice).applied(pictures, (size, size))


def _windows(n: int, options: Augmentation, dice: torch.Generator) -> Any:
    """One affine map (2, 3) a picture: where its crop lies, in coordinates from -1 to 1."""
    scale = 1 - (1 - options.smallest_crop) * torch.rand(n, generator=dice)
    angle = torch.deg2rad(options.turn_degrees * _spread(n, dice))
    shift = (1 - scale).unsqueeze(1) * torch.stack([_spread(n, dice), _spread(n, dice)], dim=1)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    turned = torch.stack([torch.stack([cos, -sin], dim=1), torch.stack([sin, cos], dim=1)], dim=1)
    return torch.cat([turned, shift.unsqueeze(2)], dim=2)


def _spread(n: int, dice: torch.Generator) -> Any:
    """n numbers between -1 and 1."""
    return 2 * torch.rand(n, generator=dice) - 1
