"""The val split while training: pictures as the encoder prepares them, never augmented; both directions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.bank import PictureBank, normalised
from models.intervals import Resampling, summary
from models.metrics import chance, cosines, measure, same_group
from models.shards import Example

KS = (1, 5, 10)
AT_ONCE = 128

Matrix = NDArray[np.float32]


class Trial:
    """Held-out examples to measure a model by; pictures that share a caption are all right answers to it."""

    def __init__(self, examples: list[Example], tokenizer: Any, wanted: Any) -> None:
        self._bank = PictureBank([example.stored for example in examples], wanted)
        self._wanted = wanted
        captions, group = np.unique([example.caption for example in examples], return_inverse=True)
        self._captions, self._picture_group = captions.tolist(), group
        self._tokens = tokenizer(self._captions)

    def __len__(self) -> int:
        return len(self._bank)

    def metrics(self, model: Any, device: Any, resamples: int = 0) -> dict[str, Any]:
        """Both directions, each with chance beside; with `resamples` also intervals of the means."""
        pictures, texts = self._features(model, device)
        picture_group, text_group = self._picture_group, np.arange(len(self._captions))
        sides = {
            "text_to_image": (texts, pictures, text_group, picture_group),
            "image_to_text": (pictures, texts, picture_group, text_group),
        }
        return {name: _measured(*side, resamples) for name, side in sides.items()}

    def _features(self, model: Any, device: Any) -> tuple[Matrix, Matrix]:
        model.eval()
        with torch.inference_mode():
            seen = [model.encode_image(part.to(device), normalize=True) for part in self._inputs()]
            read = [
                model.encode_text(self._tokens[i:i + AT_ONCE].to(device), normalize=True)
                for i in range(0, len(self._captions), AT_ONCE)
            ]
        return tuple(torch.cat(parts).float().cpu().numpy() for parts in (seen, read))   # type: ignore[return-value]

    def _inputs(self) -> Iterator[Any]:
        for start in range(0, len(self._bank), AT_ONCE):
            rows = range(start, min(start + AT_ONCE, len(self._bank)))
            yield normalised(self._bank.take(rows).float() / 255, self._wanted)


def _measured(
    queries: Matrix, answers: Matrix, query_group: Any, answer_group: Any, resamples: int,
) -> dict[str, Any]:
    right = same_group(query_group, answer_group)
    found = measure(cosines(queries, answers), {"captions": right}, KS)["captions"]
    kept = [f"R@{k}" for k in KS]
    told = summary(found, Resampling(resamples=resamples))
    by_luck = summary(chance(right, KS), Resampling(resamples=0))
    plain: dict[str, Any] = {name: told[name] for name in (*kept, "MRR", "median_rank", "n_queries")}
    if resamples:
        plain["intervals"] = {name: told["intervals"][name] for name in (*kept, "MRR")}
    return plain | {"chance": {name: by_luck[name] for name in (*kept, "MRR", "median_rank")}}
