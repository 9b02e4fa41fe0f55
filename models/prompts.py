"""What each picture is called in an epoch, and which of a batch's texts are right for which pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from models.options import Prompts


@dataclass(frozen=True)
class Prompt:
    """A text, and the labels it names where it is made of labels."""

    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relation:
    """For pictures (rows) and texts (columns) of one batch: right pairs, and pairs that are no evidence.

    `right`: the text says what the picture shows. `unclear`: the two belong to pictures that share a label,
    so the text may well be right; such a pair is nobody's negative. Both (n, n) bool. `copies` (n,): how
    often each text is there.
    """

    right: Any
    unclear: Any
    copies: Any

    def to(self, device: Any) -> "Relation":
        """The same where the features are."""
        return Relation(self.right.to(device), self.unclear.to(device), self.copies.to(device))


def prompt_of(caption: str, labels: Sequence[str], options: Prompts, dice: np.random.Generator) -> Prompt:
    """One of a picture's texts, by the shares of the options."""
    shares = np.array([options.caption, options.one_tag, options.all_tags])
    kind = int(dice.choice(3, p=shares / shares.sum())) if labels else 0
    if kind == 0:
        words = caption.split()
        kept = [word for word in words if dice.random() >= options.dropped_words]
        return Prompt(" ".join(kept or words))
    mixed = dice.permutation(np.array(labels, dtype=object)).tolist()
    tags = tuple(mixed) if kind == 2 else tuple(mixed[:1])
    template = options.templates[int(dice.integers(len(options.templates)))]
    return Prompt(template.replace("{}", ", ".join(tags)), tags)


def same_texts(texts: list[str]) -> Any:
    """Which pairs of texts are equal: (n, n) bool."""
    group = torch.tensor(np.unique(texts, return_inverse=True)[1])
    return group.unsqueeze(0) == group.unsqueeze(1)


def relation(prompts: Sequence[Prompt], labels: Sequence[tuple[str, ...]]) -> Relation:
    """How the pictures with these labels and the texts drawn for them belong together."""
    known = {label: i for i, label in enumerate(sorted({one for own in labels for one in own}))}
    shown, named = _marks(labels, known), _marks([prompt.tags for prompt in prompts], known)
    tagged = (shown @ named.T == named.sum(dim=1)) & (named.sum(dim=1) > 0)
    same = same_texts([prompt.text for prompt in prompts])
    right = same | tagged
    return Relation(right, (shown @ shown.T > 0) & ~right, same.sum(dim=0))


def _marks(rows: Sequence[Sequence[str]], known: dict[str, int]) -> Any:
    """Rows of labels as a table of 0 and 1."""
    marks = torch.zeros(len(rows), max(len(known), 1))
    for i, row in enumerate(rows):
        marks[i, [known[label] for label in row]] = 1
    return marks
