"""Which of a model's weights learn: all, one tower, low-rank additions (LoRA), or a last linear map.

Whatever is added while training is merged into the weights at its end: the result is a plain checkpoint.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from lake.errors import UsageError

log = logging.getLogger(__name__)

_TEMPERATURE = ("logit_scale", "logit_bias")
_NORMS = (nn.modules.batchnorm._BatchNorm,)


class LinearAdapter(nn.Module):
    """A projection followed by `1 + down · up`: an adapter without a bend, so that it can be merged.

    `dim` is the axis of the weight along which the embedding lies. It begins as no change.
    """

    def __init__(self, size: int, rank: int, dim: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(size, rank) / size**0.5)
        self.up = nn.Parameter(torch.zeros(rank, size))
        self._dim = dim

    def forward(self, weight: Any) -> Any:
        """The weight of the projection with the adapter behind it."""
        if self._dim == 0:
            return weight + (self.down @ self.up).T @ weight
        return weight + weight @ self.down @ self.up


def prepared(model: Any, method: str, rank: int, loss: str) -> Callable[[], None]:
    """Let a model learn by this method: freezes and adds what it needs; the answer merges what was added.

    Raises UsageError where the model has not the parts a method needs.
    """
    merge = _METHODS[method](model, rank)
    for name in _TEMPERATURE:
        weight = getattr(model, name, None)
        if isinstance(weight, nn.Parameter):
            weight.requires_grad_(name == "logit_scale" or loss == "siglip")
    return merge


def set_training(model: Any) -> None:
    """`model.train()`, but a part that learns nothing stays as it is: no running means, no dropout."""
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(weight.requires_grad for weight in own):
            module.eval()


def text_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and weights of the text tower: all that is neither the image tower nor the temperature."""
    for name, weight in model.named_parameters():
        if not name.startswith("visual.") and name not in _TEMPERATURE:
            yield name, weight


def _nothing_to_merge() -> None:
    pass


def _full(model: Any, _rank: int) -> Callable[[], None]:
    model.requires_grad_(True)
    return _nothing_to_merge


def _lock_image(model: Any, _rank: int) -> Callable[[], None]:
    model.requires_grad_(True)
    model.visual.requires_grad_(False)
    return _nothing_to_merge


def _lock_text(model: Any, _rank: int) -> Callable[[], None]:
    model.requires_grad_(True)
    for _, weight in text_weights(model):
        weight.requires_grad_(False)
    return _nothing_to_merge


def _projection(model: Any, _rank: int) -> Callable[[], None]:
    model.requires_grad_(False)
    for module, name in _projections(model):
        getattr(module, name).requires_grad_(True)
    return _nothing_to_merge


def _adapter(model: Any, rank: int) -> Callable[[], None]:
    model.requires_grad_(False)
    places = _projections(model)
    for module, name in places:
        dim = 0 if isinstance(module, nn.Linear) else 1
        adapter = LinearAdapter(getattr(module, name).shape[dim], rank, dim)
        parametrize.register_parametrization(module, name, adapter)

    def merge() -> None:
        for module, name in places:
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)

    return merge


def _lora(model: Any, rank: int) -> Callable[[], None]:
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel

    places = "|".join(re.escape(name) for name in _lora_places(model))
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=f"(?:{places})", bias="none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")    # that no Hugging Face config says what the model is
        tuner = LoraModel(model, {"default": config}, "default")
    return lambda: _merge_lora(tuner)


def _merge_lora(tuner: Any) -> None:
    tuner.merge_and_unload()


def _lora_places(model: Any) -> list[str]:
    """Attention, linear maps and convolutions that run as modules; some attention reads weights by name."""
    kinds = (nn.MultiheadAttention, nn.Linear, nn.Conv2d)
    inside = [name for name, module in model.named_modules() if _reads_weights_of_its_parts(module)]
    return [
        name for name, module in model.named_modules()
        if isinstance(module, kinds) and not any(name.startswith(f"{outer}.") for outer in inside)
    ]


def _reads_weights_of_its_parts(module: Any) -> bool:
    return isinstance(module, nn.MultiheadAttention) or type(module).__name__ == "AttentionPool2d"


def _projections(model: Any) -> list[tuple[Any, str]]:
    """Where both towers' last linear maps lie: module and the name of its weight."""
    image = [_last_map(model.visual, ("proj", "attnpool.c_proj", "head.proj", "head.mlp.fc2", "trunk.head"))]
    text_tower = getattr(model, "text", model)
    text = [_last_map(text_tower, ("text_projection", "proj", "proj.2"))]
    found = [place for place in image + text if place is not None]
    if len(found) < 2:
        raise UsageError(
            "this architecture ends in no linear map that an adapter could follow; take --method lora"
        )
    return found


def _last_map(tower: Any, names: tuple[str, ...]) -> tuple[Any, str] | None:
    for name in names:
        outer, _, last = name.rpartition(".")
        try:
            part = tower.get_submodule(outer)
        except AttributeError:
            continue
        found = getattr(part, last, None)
        if isinstance(found, nn.Parameter):
            return part, last
        if isinstance(found, nn.Linear):
            return found, "weight"
    return None


_METHODS: dict[str, Callable[[Any, int], Callable[[], None]]] = {
    "full": _full, "lock-image": _lock_image, "lock-text": _lock_text, "lora": _lora, "adapter": _adapter,
    "projection": _projection,
}
