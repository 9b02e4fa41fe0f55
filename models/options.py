"""How to train: every choice with its default; no torch here, so that a command line can show them."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lake.errors import UsageError

if TYPE_CHECKING:
    from models.encoder import EncoderSpec

METHODS = ("full", "lock-image", "lock-text", "lora", "adapter", "projection")
LOSSES = ("multi-positive", "same-text", "clip", "siglip")
PRECISIONS = ("fp32", "bf16", "fp16")
WATCHABLE = ("R@1", "R@5", "R@10")
SCRATCH = "scratch"


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


@dataclass(frozen=True)
class Prompts:
    """Which of its texts a picture is trained with, drawn anew each epoch by these relative shares.

    `one_tag` is one of its labels, `all_tags` all of them in a random order, each in one of the `templates`;
    a picture without labels always gets its caption. Captions lose `dropped_words` of their words.
    """

    caption: float = 0.6
    one_tag: float = 0.4
    all_tags: float = 0.0
    templates: tuple[str, ...] = ("{}",)
    dropped_words: float = 0.2


@dataclass(frozen=True)
class TrainOptions:
    """How to train. `start` is the encoder to go on from; without one the tiny one begins at random weights.

    What is None follows from the method (`PACE`). `seconds` is the whole budget, reading the data included;
    None is none. A step sees `batch_size` × `accumulate` pictures (on each of torchrun's processes), as one
    batch to the loss. `balance` draws pictures by the power of their rarest label's rarity: 0 each once an
    epoch, 1 every label as often. `patience` ends training after so many epochs without a better one.
    `keep_best` keeps the epoch that did best on the val split (no unseen data then), else the last one.
    `threads` are torch's; None is 1 for the tiny encoder, whose threads on busy cores wait more than they
    work, and torch's own choice for others. State to resume from is written every `save_seconds`.
    """

    start: "EncoderSpec | None" = None
    method: str = "full"
    loss: str = "multi-positive"
    prompts: Prompts = field(default_factory=Prompts)
    balance: float = 0.0
    seed: int = 42
    epochs: int | None = None
    seconds: float | None = None
    batch_size: int = 64
    accumulate: int = 1
    learning_rate: float | None = None
    weight_decay: float | None = None
    warmup_epochs: float | None = None
    precision: str = "fp32"
    activation_checkpointing: bool = False
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    rank: int = 8
    watch: str = "R@5"
    patience: int | None = None
    keep_best: bool = True
    val_limit: int = 2000
    save_seconds: float = 60.0
    threads: int | None = None
    device: str | None = None


@dataclass(frozen=True)
class Pace:
    """What suits a method: few pictures teach random weights fast, and pretrained ones hardly at all."""

    epochs: int
    learning_rate: float
    weight_decay: float
    warmup_epochs: float


PACE = {
    SCRATCH: Pace(140, 3e-3, 1.5, 8.0),
    "full": Pace(10, 1e-5, 0.1, 1.0),
    "lock-image": Pace(10, 3e-5, 0.1, 1.0),
    "lock-text": Pace(10, 3e-5, 0.1, 1.0),
    "lora": Pace(10, 3e-4, 0.0, 1.0),
    "adapter": Pace(10, 1e-3, 0.0, 1.0),
    "projection": Pace(10, 1e-4, 0.1, 1.0),
}


def settled(options: TrainOptions) -> TrainOptions:
    """The options with nothing left open; raises UsageError for what cannot be."""
    _check(options)
    pace = PACE[options.method if options.start else SCRATCH]
    names = ("epochs", "learning_rate", "weight_decay", "warmup_epochs")
    return replace(
        options, **{name: getattr(pace, name) for name in names if getattr(options, name) is None},
    )


def _check(options: TrainOptions) -> None:
    choices = {
        "method": METHODS, "loss": LOSSES, "precision": PRECISIONS, "watch": WATCHABLE,
    }
    for name, known in choices.items():
        if (given := getattr(options, name)) not in known:
            raise UsageError(f"no {name} named {given!r}; there are: {', '.join(known)}")
    if options.start is None and options.method != "full":
        raise UsageError(f"{options.method} needs an encoder to go on from; give --checkpoint or --model")
    least = {
        "epochs": 1, "batch_size": 2, "accumulate": 1, "rank": 1, "patience": 1, "val_limit": 2, "balance": 0,
    }
    for name, lowest in least.items():
        given = getattr(options, name)
        if given is not None and given < lowest:
            raise UsageError(f"--{name.replace('_', '-')} {given} is too little; give at least {lowest}")
    _check_prompts(options.prompts)


def _check_prompts(prompts: Prompts) -> None:
    shares = (prompts.caption, prompts.one_tag, prompts.all_tags)
    if min(shares) < 0 or sum(shares) <= 0:
        raise UsageError("shares of caption, one tag and all tags: none below 0, and one above it")
    if not 0 <= prompts.dropped_words < 1:
        raise UsageError(f"--dropped-words {prompts.dropped_words} is no share below 1")
    if not prompts.templates or any("{}" not in template for template in prompts.templates):
        raise UsageError("a template has {} where the label goes, as in 'a photograph of a {}'")
