"""One step: the same as open_clip's, pictures normalised once, the temperature applied once."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.loss import SigLipLoss
from open_clip_train.scheduler import cosine_lr
from open_clip_train.train import train_one_epoch
from PIL import Image

from models.augment import drawn
from models.bank import PictureBank
from models.loss import MultiPositiveLoss, loss_of
from models.options import Augmentation, Prompts, TrainOptions, settled
from models.prompts import Prompt, prompt_of, relation
from models.sampling import batches, weights_of
from models.shards import Example, StoredPicture
from models.step import Batch, Stepper
from models.tiny import tiny_encoder
from models.trial import Trial
from models.world import World
from tests.training_shapes import vit_encoder

ALONE = World(torch.device("cpu"))
PLAIN = settled(TrainOptions(augmentation=None, weight_decay=0.2))
WORDS = ["a ship", "a train", "two maps", "an old badge", "a bridge", "a horse", "a church", "a river"]
RATE = 1e-3


def batch_of(encoder: Any, n: int = 8, **changed: Any) -> Batch:
    """n pictures of noise, each with its words."""
    dice = torch.Generator().manual_seed(3)
    side = encoder.preprocessing.input_size[1]
    pictures = torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=dice)
    pairs = relation([Prompt(text) for text in WORDS[:n]], [()] * n)
    whole = Batch(pictures, None, encoder.tokenizer(WORDS[:n]), pairs, seed=5)
    return replace(whole, **changed)


def open_clips_step(encoder: Any, batch: Batch, loss: Any, weight_decay: float) -> None:
    """One step by open_clip's own training loop, with its own optimiser groups and schedule."""
    model = encoder.model
    model.output_dict = True
    wanted = encoder.preprocessing
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (wanted.mean, wanted.std))
    inputs = (batch.pictures.float() / 255 - mean) / std
    inputs = inputs.contiguous(memory_format=torch.channels_last)    # convolutions round by the layout
    named = list(model.named_parameters())
    is_free = {name: p.ndim < 2 or "bn" in name or "ln" in name or "bias" in name for name, p in named}
    groups = [
        {"params": [p for name, p in named if is_free[name]], "weight_decay": 0.0},
        {"params": [p for name, p in named if not is_free[name]], "weight_decay": weight_decay},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98), eps=1e-8)
    loader = Loader([(inputs, batch.tokens)])
    args = SimpleNamespace(
        device="cpu", precision="fp32", distill=False, accum_freq=1, skip_scheduler=False, horovod=False,
        grad_clip_norm=None, log_every_n_steps=100, batch_size=len(inputs), world_size=1, rank=0,
        local_rank=0, wandb=False,
    )
    data = {"train": SimpleNamespace(set_epoch=lambda _: None, dataloader=loader)}
    train_one_epoch(model, data, loss, 0, optimizer, None, cosine_lr(optimizer, RATE, 1, 10), None, args)


class Loader(list[Any]):
    """What open_clip asks of a loader."""

    num_batches = 1

    @property
    def num_samples(self) -> int:
        return len(self[0][0])


def weights(encoder: Any) -> dict[str, Any]:
    return {name: weight.detach() for name, weight in encoder.model.state_dict().items()}


def furthest(ours: Any, theirs: Any) -> float:
    mine, other = weights(ours), weights(theirs)
    assert mine.keys() == other.keys()
    return max(float((mine[name] - other[name]).abs().max()) for name in mine)


@pytest.mark.parametrize(("name", "loss"), [("clip", open_clip.ClipLoss()), ("siglip", SigLipLoss())])
def test_one_step_is_open_clips(name: str, loss: Any) -> None:
    more = {"init_logit_bias": -10.0} if name == "siglip" else {}
    ours, theirs, before = (vit_encoder(1, **more) for _ in range(3))
    batch = batch_of(ours)
    for encoder in (ours, theirs):
        encoder.model.train()
    Stepper(ours.model, ours.preprocessing, replace(PLAIN, loss=name), ALONE).step(batch, RATE)
    open_clips_step(theirs, batch, loss, 0.2)
    assert furthest(ours, theirs) < 1e-5
    assert furthest(ours, before) > 9e-4


def test_one_step_of_the_tiny_convolutional_encoder_is_open_clips() -> None:
    ours, theirs = tiny_encoder(1), tiny_encoder(1)
    batch = batch_of(ours)
    for encoder in (ours, theirs):
        encoder.model.train()
    Stepper(ours.model, ours.preprocessing, replace(PLAIN, loss="clip"), ALONE).step(batch, RATE)
    open_clips_step(theirs, batch, open_clip.ClipLoss(), 0.2)
    assert furthest(ours, theirs) < 1e-5


@pytest.mark.parametrize("loss", ["clip", "siglip", "multi-positive"])
@pytest.mark.parametrize("parts", [2, 3])
def test_accumulated_gradients_are_those_of_the_whole_batch(loss: str, parts: int) -> None:
    found = []
    for accumulate in (1, parts):
        encoder = vit_encoder(1, init_logit_bias=-10.0)
        options = replace(PLAIN, loss=loss, accumulate=accumulate)
        Stepper(encoder.model, encoder.preprocessing, options, ALONE).step(batch_of(encoder), RATE)
        found.append({name: p.grad for name, p in encoder.model.named_parameters() if p.grad is not None})
    whole, accumulated = found
    assert whole.keys() == accumulated.keys()
    for name, gradient in whole.items():
        assert torch.allclose(gradient, accumulated[name], atol=1e-6), name


def test_activation_checkpointing_changes_no_gradient() -> None:
    found = []
    for enabled in (False, True):
        encoder = vit_encoder(1)
        encoder.model.set_grad_checkpointing(enabled)
        Stepper(encoder.model, encoder.preprocessing, PLAIN, ALONE).step(batch_of(encoder), RATE)
        found.append(encoder.model.visual.conv1.weight.grad)
    assert torch.allclose(*found, atol=1e-7)


def test_bf16_keeps_weights_and_loss_in_float32() -> None:
    encoder = vit_encoder(1)
    stepper = Stepper(encoder.model, encoder.preprocessing, replace(PLAIN, precision="bf16"), ALONE)
    plain = Stepper(vit_encoder(1).model, encoder.preprocessing, PLAIN, ALONE)
    loss, exact = (s.step(batch_of(encoder), RATE) for s in (stepper, plain))
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(exact), rel=0.02)
    assert {weight.dtype for weight in encoder.model.parameters()} == {torch.float32}


@pytest.fixture
def grey(tmp_path: Path) -> Example:
    path = tmp_path / "grey.png"
    Image.new("RGB", (90, 70), (90, 90, 90)).save(path)
    return Example("grey", StoredPicture(path), "grey", ())


@pytest.mark.parametrize("make", [tiny_encoder, vit_encoder], ids=["tiny", "vit"])
@pytest.mark.parametrize("augmentation", [None, Augmentation(brightness=0, contrast=0, tint=0)])
def test_a_grey_picture_enters_the_model_normalised_once(grey: Example, make: Any, augmentation: Any) -> None:
    encoder = make(0)
    wanted = encoder.preprocessing
    bank = PictureBank([grey.stored] * 2, wanted, room=9 / 8 if augmentation else 1.0)
    changes = augmentation and drawn(2, augmentation, torch.Generator().manual_seed(1))
    entered: list[Any] = []
    encoder.model.visual.register_forward_pre_hook(lambda _, given: entered.append(given[0].detach()))
    batch = batch_of(encoder, 2, pictures=bank.take([0, 1]), changes=changes)
    Stepper(encoder.model, wanted, PLAIN, ALONE).step(batch, RATE)
    Trial([grey], encoder.tokenizer, wanted).metrics(encoder.model, ALONE.device)
    expected = (90 / 255 - torch.tensor(wanted.mean)) / torch.tensor(wanted.std)
    assert len(entered) == 2
    for inputs in entered:
        assert torch.allclose(inputs, expected.view(1, 3, 1, 1).expand_as(inputs), atol=1e-5)
    assert torch.allclose(entered[1][0], encoder.prepare(grey.picture), atol=1e-6)


def test_pictures_held_out_enter_as_the_encoder_prepares_them(tmp_path: Path) -> None:
    encoder = vit_encoder()
    noise = np.random.default_rng(1).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    example = Example("noise", StoredPicture(tmp_path / "noise.png"), "noise", ())
    entered: list[Any] = []
    encoder.model.visual.register_forward_pre_hook(lambda _, given: entered.append(given[0]))
    trial = Trial([example], encoder.tokenizer, encoder.preprocessing)
    for _ in range(2):
        trial.metrics(encoder.model, ALONE.device)
    assert torch.equal(entered[0], entered[1])
    assert torch.allclose(entered[0][0], encoder.prepare(example.picture), atol=1e-5)


@pytest.mark.parametrize("name", ["clip", "multi-positive", "same-text"])
def test_the_temperature_is_applied_once(name: str) -> None:
    dice = torch.Generator().manual_seed(0)
    seen, read = (torch.nn.functional.normalize(torch.randn(6, 5, generator=dice)) for _ in range(2))
    pairs = relation([Prompt(text) for text in WORDS[:6]], [()] * 6)
    logits = 20.0 * (seen @ read.T)
    target = torch.arange(6)
    entropy = torch.nn.functional.cross_entropy
    by_hand = (entropy(logits, target) + entropy(logits.T, target)) / 2
    assert torch.allclose(loss_of(name)(seen, read, torch.tensor(20.0), None, pairs), by_hand, atol=1e-6)


def test_the_loss_before_the_first_step_is_that_of_the_models_own_scale() -> None:
    encoder = vit_encoder(2)
    batch = batch_of(encoder)
    loss = Stepper(encoder.model, encoder.preprocessing, PLAIN, ALONE).step(batch, 0.0)
    inputs = torch.stack([
        encoder.prepare(Image.fromarray(p.permute(1, 2, 0).numpy())) for p in batch.pictures
    ])
    with torch.inference_mode():
        seen, read = encoder.model.encode_image(inputs), encoder.model.encode_text(batch.tokens)
        cosines = torch.nn.functional.cosine_similarity(seen[:, None], read[None], dim=-1)
    expected = open_clip.ClipLoss()(cosines, torch.eye(8), torch.tensor(1 / 0.07))
    assert float(loss) == pytest.approx(float(expected), abs=1e-4)


def test_pictures_that_share_a_label_are_not_pushed_apart() -> None:
    prompts = [Prompt("a ferry leaves"), Prompt("a liner in dock"), Prompt("a train")]
    pairs = relation(prompts, [("ship", "port"), ("ship",), ("train",)])
    seen = torch.nn.functional.normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)))
    read = seen.flip(1).clone().requires_grad_()
    by_picture, by_text = MultiPositiveLoss().get_logits(seen, read, torch.tensor(5.0))
    only_first = torch.nn.functional.cross_entropy(by_picture[0, [0, 2]], torch.tensor(0))
    ours = MultiPositiveLoss()(seen, read, torch.tensor(5.0), pairs.right, pairs.unclear)
    rows = [only_first, torch.nn.functional.cross_entropy(by_picture[1, [1, 2]], torch.tensor(0))]
    rows += [torch.nn.functional.cross_entropy(by_picture[2], torch.tensor(2))]
    columns = [torch.nn.functional.cross_entropy(by_text[0, [0, 2]], torch.tensor(0))]
    columns += [torch.nn.functional.cross_entropy(by_text[1, [1, 2]], torch.tensor(0))]
    columns += [torch.nn.functional.cross_entropy(by_text[2], torch.tensor(2))]
    assert torch.allclose(ours, (torch.stack(rows).mean() + torch.stack(columns).mean()) / 2, atol=1e-6)


def test_a_tag_is_right_for_every_picture_that_has_it() -> None:
    prompts = [Prompt("ship", ("ship",)), Prompt("a ferry leaves"), Prompt("port, ship", ("port", "ship"))]
    pairs = relation(prompts, [("ship",), ("ship", "port"), ("port", "ship")])
    assert pairs.right.tolist() == [[True, False, False], [True, True, True], [True, False, True]]
    assert pairs.unclear.tolist() == [[False, True, True], [False, False, False], [False, True, False]]


def test_a_common_text_is_one_right_answer_beside_a_rare_one_however_often_it_is_there() -> None:
    prompts = [Prompt("warship", ("warship",))] + [Prompt("ship", ("ship",))] * 5
    pairs = relation(prompts, [("ship", "warship")] + [("ship",)] * 5)
    assert pairs.copies.tolist() == [1, 5, 5, 5, 5, 5]
    seen = torch.nn.functional.one_hot(torch.arange(6)).float()
    read = torch.eye(6)[[0, 1, 1, 1, 1, 1]]
    pull = []
    for copies in (None, pairs.copies):
        picture = seen[:1].clone().requires_grad_()
        loss = MultiPositiveLoss()(
            torch.cat([picture, seen[1:]]), read, torch.tensor(1.0), pairs.right, pairs.unclear, copies,
        )
        loss.backward()
        assert picture.grad is not None
        pull.append(-picture.grad[0])
    assert pull[0][0] < 0 < pull[0][1]    # counted by copies, it leaves its own text for the common one
    assert pull[1][0] > pull[0][0] + 0.02


def test_prompts_are_drawn_by_their_shares_and_tags_stand_in_templates() -> None:
    options = Prompts(caption=1, one_tag=2, all_tags=1, templates=("a photo of {}",), dropped_words=0)
    dice = np.random.default_rng(1)
    found = [prompt_of("the caption", ("a", "b"), options, dice) for _ in range(800)]
    kinds = [len(prompt.tags) for prompt in found]
    assert [kinds.count(n) / 800 for n in (0, 1, 2)] == pytest.approx([0.25, 0.5, 0.25], abs=0.06)
    assert {prompt.text for prompt in found} == {
        "the caption", "a photo of a", "a photo of b", "a photo of a, b", "a photo of b, a",
    }


def test_balance_shows_each_label_as_often() -> None:
    labels = [("head",)] * 90 + [("tail",)] * 10
    weights = weights_of(labels, 1.0)
    seen = [row for i in range(20) for part in batches(100, 32, weights, (1, i)) for row in part]
    assert sum(row >= 90 for row in seen) / len(seen) == pytest.approx(0.5, abs=0.05)
    assert weights_of(labels, 0.0) is None


@pytest.mark.parametrize(("n", "size", "processes"), [(3, 2, 1), (7, 64, 2), (65, 64, 1), (10, 4, 2)])
def test_no_batch_holds_a_single_picture(n: int, size: int, processes: int) -> None:
    parts = batches(n, size, None, (1, 0), processes)
    assert min(len(part) for part in parts) >= 2
    assert all(len(part) % processes == 0 for part in parts)
    assert len({row for part in parts for row in part}) > n - processes * len(parts)


def test_the_scale_stays_below_its_bound() -> None:
    encoder = vit_encoder()
    with torch.no_grad():
        encoder.model.logit_scale.fill_(9.0)
    Stepper(encoder.model, encoder.preprocessing, PLAIN, ALONE).step(batch_of(encoder), RATE)
    assert encoder.model.logit_scale.item() == pytest.approx(math.log(100))
