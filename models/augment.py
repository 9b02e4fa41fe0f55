"""Light augmentation for training: a random crop, a small turn, other tones; never a mirror image.

Maps, badges and writing do not read the other way round.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import affine_grid, grid_sample


@dataclass(frozen=True)
class Augmentation:
    """How far each picture may be changed; shares are of the picture's side, or of its tones' range.

    `tint` moves each colour on its own: prints of one negative are grey, sepia or blue.
    """

    smallest_crop: float = 0.75
    turn_degrees: float = 5.0
    brightness: float = 0.08
    contrast: float = 0.1
    tint: float = 0.05


def augmented(pictures: Any, size: int, options: Augmentation, dice: torch.Generator) -> Any:
    """Pictures (n, 3, h, w), tones 0..1, as (n, 3, size, size), each cropped, turned and toned in its way."""
    n = len(pictures)
    places = affine_grid(_windows(n, options, dice), [n, 3, size, size], align_corners=False)
    seen = grid_sample(pictures, places, padding_mode="reflection", align_corners=False)
    contrast = 1 + options.contrast * _spread(n, dice).view(-1, 1, 1, 1)
    brightness = options.brightness * _spread(n, dice).view(-1, 1, 1, 1)
    brightness = brightness + options.tint * _spread(3 * n, dice).view(-1, 3, 1, 1)
    return ((seen - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


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
