"""WiSE-FT: weights between a model and what it became by training, and what each of them still knows.

Training on an archive makes a model better there and worse elsewhere; a share of the old weights often
gives most of both (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lake.errors import UsageError
from lake.tables import SPLITS
from models.bank import PictureBank, normalised
from models.checkpoint import read_card, write_checkpoint
from models.clip import Encoder
from models.encoder import EncoderSpec, load_encoder
from models.intervals import Resampling, interval
from models.shards import MANIFEST_FILE, Example, StoredPicture, read_split
from models.trial import Trial

log = logging.getLogger(__name__)

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
AT_ONCE = 128
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
_ADDED = ("logit_bias",)     # what training may add to a model


@dataclass(frozen=True)
class Pair:
    """A model before and after training."""

    original: Encoder
    tuned: Encoder

    def between(self, share: float) -> Encoder:
        """The encoder whose weights are this share of the tuned ones and the rest of the original ones."""
        old, new = self.original.model.state_dict(), self.tuned.model.state_dict()
        mixed = {name: _mixed(old.get(name, weight), weight, share) for name, weight in new.items()}
        model = copy.deepcopy(self.tuned.model)
        model.load_state_dict(mixed)
        return Encoder(model, self.tuned.tokenizer, self.tuned.config)


def interpolate(
    tuned: Path, out: Path, share: float, original: EncoderSpec | None = None, outside: Path | None = None,
    inside: Sequence[Example] = (),
) -> dict[str, Any]:
    """Write the model between `tuned` and what it was trained from as the folder `out`; its card.

    With `outside` (an export, or a folder with a folder of pictures per class) the card tells, for several
    shares, how well pictures of another kind are told apart, and with `inside` how well the archive's own are
    found. Raises UsageError for two models that do not belong together.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"--share {share} is no share; 0 is the original, 1 the tuned model")
    pair = _pair(tuned, original)
    rows = list(forgetting(pair, outside_examples(outside) if outside else (), inside, share))
    mixed = pair.between(share)
    card = dict(read_card(tuned)) | {
        "model_id": mixed.model_id, "forgetting": rows,
        "interpolated": {"share": share, "of": pair.tuned.model_id, "original": pair.original.model_id},
    }
    card.pop("val", None)      # those numbers are the tuned model's
    write_checkpoint(out, mixed.model, mixed.config, card)
    log.info("interpolated model=%s share=%.2f", mixed.model_id, share)
    return card


def forgetting(
    pair: Pair, outside: Sequence[Example], inside: Sequence[Example], share: float,
) -> Iterator[dict[str, Any]]:
    """For shares of the tuned weights: what they tell apart elsewhere, what they find in the archive."""
    if not outside and not inside:
        return
    wanted = pair.tuned.preprocessing
    abroad = ZeroShot(outside, wanted) if outside else None
    home = Trial(list(inside), pair.tuned.tokenizer, wanted) if inside else None
    for some in sorted({*SHARES, share}):
        encoder = pair.between(some)
        row: dict[str, Any] = {"share": some, "model_id": encoder.model_id}
        if abroad is not None:
            row |= abroad.accuracy(encoder)
        if home is not None:
            found = home.metrics(encoder.model, torch.device("cpu"), 1000)["text_to_image"]
            row |= {"inside R@5": found["R@5"], "inside_interval": found["intervals"]["R@5"]}
        yield row


class ZeroShot:
    """Pictures with one right name each among all names there are."""

    def __init__(self, examples: Sequence[Example], wanted: Any) -> None:
        self._names = sorted({label for example in examples for label in example.labels})
        if len(self._names) < 2:
            raise UsageError("--outside has pictures of one class, which tells nothing; give two or more")
        self._right = [{self._names.index(label) for label in example.labels} for example in examples]
        self._bank = PictureBank([example.stored for example in examples], wanted)
        self._wanted = wanted

    def accuracy(self, encoder: Encoder) -> dict[str, Any]:
        """The share of pictures whose nearest name is right, with its interval."""
        names = torch.from_numpy(encoder.encode_texts(self._names))
        hits = np.zeros((len(self._right), 1))
        for start in range(0, len(self._right), AT_ONCE):
            rows = range(start, min(start + AT_ONCE, len(self._right)))
            inputs = normalised(self._bank.take(rows).float() / 255, self._wanted)
            with torch.inference_mode():
                seen = encoder.model.encode_image(inputs, normalize=True).float()
            nearest = (seen @ names.T).argmax(dim=1).tolist()
            hits[start:start + len(rows), 0] = [
                guess in right for guess, right in zip(nearest, self._right[start:], strict=False)
            ]
        low, high = interval(hits, Resampling())
        return {"outside Acc@1": float(hits.mean()), "outside_interval": [float(low[0]), float(high[0])]}


def outside_examples(place: Path) -> list[Example]:
    """Labelled pictures of an export, or of a folder with one per class; raises UsageError without any."""
    if (place / MANIFEST_FILE).is_file():
        splits = [split for split in SPLITS if any((place / split).glob("*.tar"))]
        held_out = [split for split in splits if split != "train"] or splits
        found = [example for split in held_out for example in read_split(place, split) if example.labels]
    else:
        found = [
            Example(path.name, StoredPicture(path), folder.name, (folder.name.replace("_", " "),))
            for folder in sorted(place.glob("*/")) for path in sorted(folder.iterdir())
            if path.suffix.lower() in _SUFFIXES
        ]
    if not found:
        raise UsageError(f"no labelled pictures in {place}; give an export, or a folder with one per class")
    return found


def _pair(tuned: Path, original: EncoderSpec | None) -> Pair:
    card = read_card(tuned)
    began = original or _start_of(tuned, card)
    pair = Pair(load_encoder(began), load_encoder(EncoderSpec(checkpoint=tuned)))
    if original is None and card.get("start") != pair.original.model_id:
        there = pair.original.model_id
        raise UsageError(
            f"{tuned} was trained from {card.get('start')}, but what is there now is {there}; name the model "
            "before training with --original"
        )
    old, new = (_shapes(encoder) for encoder in (pair.original, pair.tuned))
    if old != new:
        raise UsageError(
            f"{pair.original.model_id} and {pair.tuned.model_id} are of different architectures: "
            "there is nothing between them"
        )
    return pair


def _start_of(tuned: Path, card: Mapping[str, Any]) -> EncoderSpec:
    start = card.get("options", {}).get("start")
    if not start:
        raise UsageError(
            f"{tuned} does not say what it was trained from (random weights?); name it with --original"
        )
    checkpoint = Path(start["checkpoint"]) if start.get("checkpoint") else None
    return EncoderSpec(start["model"], start["pretrained"], checkpoint)


def _shapes(encoder: Encoder) -> dict[str, tuple[int, ...]]:
    state = encoder.model.state_dict()
    return {name: tuple(weight.shape) for name, weight in state.items() if name not in _ADDED}


def _mixed(old: Any, new: Any, share: float) -> Any:
    if not new.is_floating_point() or share == 1:
        return new.clone()
    return old.clone() if share == 0 else torch.lerp(old.float(), new.float(), share).to(new.dtype)
