"""Training: what it learns, that it can be repeated, and that what it writes plain open_clip loads."""

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file

from lake.errors import ExportError, UsageError
from models.augment import Augmentation, augmented
from models.encoder import EncoderSpec, load_encoder
from models.epochs import same_texts, schedule
from models.loss import MultiPositiveLoss
from models.shards import read_split
from models.tiny import tiny_encoder
from models.train import TrainOptions, TrainReport, train
from models.words import remembering
from tests.training_shapes import WEIGHTS, sample, write_export, write_shard

QUICK = TrainOptions(epochs=3, seconds=None, batch_size=16)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("exports") / "shapes")


@pytest.fixture(scope="module")
def report(export: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    return train(export, tmp_path_factory.mktemp("models") / "quick", QUICK)


def test_it_learns_to_tell_held_out_pictures_by_their_texts(export: Path, tmp_path: Path) -> None:
    options = TrainOptions(seed=1, epochs=25, seconds=None, batch_size=16, warmup_epochs=2, keep_best=False)
    last = train(export, tmp_path / "out", options).kept.metrics["image_to_text"]
    assert last["R@1"] >= 2 * last["chance"]["R@1"]


def test_the_same_seed_gives_the_same_weights(export: Path, report: TrainReport, tmp_path: Path) -> None:
    again = train(export, tmp_path / "again", QUICK)
    first, second = load_file(report.checkpoint / WEIGHTS), load_file(tmp_path / "again" / WEIGHTS)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert again.model_id == report.model_id


def test_plain_open_clip_loads_the_checkpoint(report: TrainReport) -> None:
    model = open_clip.create_model(f"local-dir:{report.checkpoint}", require_pretrained=True)
    model.eval()
    tokens = open_clip.get_tokenizer(f"local-dir:{report.checkpoint}")(["drawing of a circle"])
    with torch.inference_mode():
        read = model.encode_text(tokens, normalize=True).numpy()
    ours = load_encoder(EncoderSpec(checkpoint=report.checkpoint))
    assert np.allclose(ours.encode_texts(["drawing of a circle"]), read, atol=1e-6)
    assert ours.model_id == report.model_id


def test_the_card_tells_data_options_and_metrics(report: TrainReport) -> None:
    card = json.loads((report.checkpoint / "model_card.json").read_text())
    assert card["model_id"] == report.model_id
    assert card["data"]["version"] == "abc123"
    assert card["options"]["seed"] == 42
    assert card["val"] == report.kept.metrics
    assert [epoch["epoch"] for epoch in card["history"]] == [1, 2, 3]


def test_the_best_epoch_is_kept(report: TrainReport) -> None:
    assert report.kept.watched == max(epoch.watched or 0 for epoch in report.history)


def test_the_clock_ends_training_with_what_it_has(export: Path, tmp_path: Path) -> None:
    report = train(export, tmp_path / "out", TrainOptions(epochs=10_000, seconds=0.1, batch_size=16))
    assert report.stopped_by == "clock"
    assert 1 <= len(report.history) < 10_000
    assert (tmp_path / "out" / WEIGHTS).exists()


def test_a_checkpoint_is_trained_further(export: Path, report: TrainReport, tmp_path: Path) -> None:
    start = EncoderSpec(checkpoint=report.checkpoint)
    options = TrainOptions(start=start, epochs=1, seconds=None, learning_rate=0.0)
    further = train(export, tmp_path / "out", options)
    before, after = load_file(report.checkpoint / WEIGHTS), load_file(tmp_path / "out" / WEIGHTS)
    assert torch.equal(before["token_embedding.weight"], after["token_embedding.weight"])
    assert len(further.history) == 1


def test_an_older_checkpoint_is_replaced_whole(export: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "left over").touch()
    train(export, tmp_path / "out", TrainOptions(epochs=1, seconds=None))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "README.md", "curves", "learning_curves.png", "model_card.json", "open_clip_config.json", WEIGHTS,
    }
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("missing", ["manifest.json", "train/00000.tar", "val/00000.tar"])
def test_what_is_no_export_to_train_on_is_refused(export: Path, tmp_path: Path, missing: str) -> None:
    for name in {"manifest.json", "train/00000.tar", "val/00000.tar"} - {missing}:
        (tmp_path / "e" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "e" / name).write_bytes((export / name).read_bytes())
    with pytest.raises(UsageError, match="glamlake export webdataset"):
        train(tmp_path / "e", tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists()


def test_a_torn_shard_is_one_clear_line(export: Path, tmp_path: Path) -> None:
    whole = (export / "train" / "00000.tar").read_bytes()
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "00000.tar").write_bytes(whole[: len(whole) // 2 + 100])
    with pytest.raises(ExportError, match="export it anew"):
        list(read_split(tmp_path, "train"))


def test_one_caption_for_all_is_nothing_to_learn_from(export: Path, tmp_path: Path) -> None:
    rows = [sample(i, "train") | {"txt": "a drawing"} for i in range(4)]
    for split in ("train", "val"):
        write_shard(tmp_path / "e" / split / "00000.tar", rows)
    (tmp_path / "e" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="different captions"):
        train(tmp_path / "e", tmp_path / "out", QUICK)


def test_with_distinct_texts_the_loss_is_open_clips() -> None:
    dice = torch.Generator().manual_seed(0)
    seen, read = (torch.nn.functional.normalize(torch.randn(9, 5, generator=dice)) for _ in range(2))
    scale = torch.tensor(14.0)
    ours = MultiPositiveLoss()(seen, read, scale, same_texts([str(i) for i in range(9)]))
    assert torch.allclose(ours, open_clip.ClipLoss()(seen, read, scale), atol=1e-6)


def test_equal_texts_are_not_told_apart_by_the_loss() -> None:
    seen = read = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]))
    loss = MultiPositiveLoss()(seen, read, torch.tensor(50.0), same_texts(["ship", "ship", "train"]))
    assert float(loss) == pytest.approx(2 / 3 * np.log(2), abs=1e-4)   # what two equal right answers leave


def test_words_remembered_give_the_same_tokens() -> None:
    plain = open_clip.SimpleTokenizer(context_length=12)
    texts = ["", "Höyryveturi &amp; miehistö", "a steam-train, c. 1916 (cut)" * 4, "[193-?] O'Brien", "a  b"]
    ours = remembering(plain)
    assert torch.equal(ours(texts), plain(texts))
    assert torch.equal(ours(texts), plain(texts))


def test_the_rate_warms_up_then_falls_to_nothing() -> None:
    rates = [schedule(place, planned=10, warmup=2) for place in (0, 1, 2, 6, 10, 11)]
    assert rates == pytest.approx([0.005, 0.5025, 1.0, 0.5, 0.0, 0.0], abs=1e-3)


def test_augmentation_repeats_with_its_dice_and_leaves_grey_grey() -> None:
    still = Augmentation(brightness=0, contrast=0, tint=0)
    grey = torch.full((4, 3, 72, 72), 0.4)
    noise = torch.rand(4, 3, 72, 72, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(augmented(grey, 64, still, torch.Generator().manual_seed(5)), torch.tensor(0.4))
    first, second = (augmented(noise, 64, Augmentation(), torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (4, 3, 64, 64)


def test_augmentation_never_mirrors() -> None:
    ramp = torch.linspace(0, 1, 72).expand(50, 3, 72, 72)   # dark on the left, light on the right
    seen = augmented(ramp, 64, Augmentation(), torch.Generator().manual_seed(5))
    assert bool((seen[..., 48:].mean(dim=(1, 2, 3)) > seen[..., :16].mean(dim=(1, 2, 3))).all())


def test_the_global_dice_stay_where_they_are() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    tiny_encoder(3)
    assert torch.equal(before, torch.get_rng_state())
