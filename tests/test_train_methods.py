"""Which weights learn under each method, and that what was added is merged into a plain checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file

from lake.errors import UsageError
from models.encoder import EncoderSpec, load_encoder
from models.methods import prepared, set_training
from models.options import TrainOptions
from models.tiny import tiny_encoder
from models.train import train
from tests.training_shapes import WEIGHTS, vit_checkpoint, vit_encoder, write_export

PROJECTIONS = {"visual.proj", "text_projection"}


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(tmp_path_factory.mktemp("exports") / "shapes", 16, 8)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vit_checkpoint(tmp_path_factory.mktemp("models") / "start", seed=3)


def changed(before: Path, after: Path) -> set[str]:
    """Names of the weights that differ; both files hold the same names."""
    old, new = load_file(before / WEIGHTS), load_file(after / WEIGHTS)
    assert old.keys() == new.keys()
    return {name for name in old if not torch.equal(old[name], new[name])}


def is_image(name: str) -> bool:
    return name.startswith("visual.")


LEARNS = {
    "full": lambda name: True,
    "lock-image": lambda name: not is_image(name),
    "lock-text": is_image,
    "lora": lambda name: ".attn." in name or ".mlp." in name or name == "visual.conv1.weight",
    "adapter": PROJECTIONS.__contains__,
    "projection": PROJECTIONS.__contains__,
}


@pytest.mark.parametrize("method", LEARNS)
def test_a_method_changes_its_weights_and_ends_in_a_plain_checkpoint(
    export: Path, start: Path, tmp_path: Path, method: str,
) -> None:
    begun = EncoderSpec(checkpoint=start)
    options = TrainOptions(begun, method=method, epochs=1, batch_size=8, learning_rate=1e-3, rank=2)
    report = train(export, tmp_path / "out", options)
    learned = changed(start, tmp_path / "out") - {"logit_scale"}
    assert learned
    assert all(LEARNS[method](name) for name in learned)
    if method != "lora":
        whole = {name for name in load_file(start / WEIGHTS) if LEARNS[method](name)} - {"logit_scale"}
        assert learned == whole
    plain = open_clip.create_model(f"local-dir:{report.checkpoint}", require_pretrained=True)
    ours = load_encoder(EncoderSpec(checkpoint=report.checkpoint))
    with torch.inference_mode():
        read = plain.eval().encode_text(ours.tokenizer(["a circle"]), normalize=True).numpy()
    assert np.allclose(ours.encode_texts(["a circle"]), read, atol=1e-6)
    assert ours.model_id == report.model_id


@pytest.mark.parametrize("make", [vit_encoder, tiny_encoder], ids=["vit", "tiny"])
@pytest.mark.parametrize("method", ["lora", "adapter"])
def test_merging_changes_no_vector(method: str, make: Any) -> None:
    encoder = make(3)
    size, dice = encoder.preprocessing.input_size, torch.Generator().manual_seed(1)
    pictures = torch.randn(2, *size, generator=dice)
    tokens = encoder.tokenizer(["a ship", "a train"])
    before = vectors(encoder.model, pictures, tokens)
    names = set(encoder.model.state_dict())
    merge = prepared(encoder.model, method, 4, "clip")
    assert torch.allclose(before, vectors(encoder.model, pictures, tokens), atol=1e-6)
    with torch.no_grad():
        for weight in encoder.model.parameters():
            if weight.requires_grad and weight.ndim >= 2:
                weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    apart = vectors(encoder.model, pictures, tokens)
    merge()
    assert set(encoder.model.state_dict()) == names
    assert torch.allclose(apart, vectors(encoder.model, pictures, tokens), atol=1e-5)
    assert not torch.allclose(before, apart, atol=1e-2)


def vectors(model: Any, pictures: Any, tokens: Any) -> Any:
    with torch.no_grad():
        model.eval()
        seen, read = model.encode_image(pictures, normalize=True), model.encode_text(tokens, normalize=True)
        return torch.cat([seen, read])


def test_low_rank_additions_learn_in_every_layer_they_are_put_in() -> None:
    encoder = tiny_encoder(0)
    prepared(encoder.model, "lora", 2, "clip")
    set_training(encoder.model)
    pictures, tokens = torch.randn(4, 3, 64, 64), encoder.tokenizer(["a", "b", "c", "d"])
    seen, read, scale = encoder.model(pictures, tokens)[:3]
    open_clip.ClipLoss()(seen, read, scale).backward()
    learning = {name: weight for name, weight in encoder.model.named_parameters() if weight.requires_grad}
    assert any("visual.layer1" in name for name in learning)
    silent = [name for name, weight in learning.items() if weight.grad is None]
    assert not silent
    assert all("lora_" in name or name == "logit_scale" for name in learning)


def test_a_locked_tower_keeps_its_running_means() -> None:
    encoder = tiny_encoder(0)
    prepared(encoder.model, "lock-image", 1, "clip")
    set_training(encoder.model)
    before = encoder.model.visual.bn1.running_mean.clone()
    encoder.model(torch.randn(4, 3, 64, 64), encoder.tokenizer(["a", "b", "c", "d"]))
    assert torch.equal(before, encoder.model.visual.bn1.running_mean)


def test_the_siglip_loss_brings_its_bias_into_the_checkpoint(
    export: Path, start: Path, tmp_path: Path,
) -> None:
    options = TrainOptions(
        start=EncoderSpec(checkpoint=start), loss="siglip", epochs=1, batch_size=8, learning_rate=1e-3,
    )
    train(export, tmp_path / "out", options)
    bias = float(load_file(tmp_path / "out" / WEIGHTS)["logit_bias"])
    assert bias != -10.0
    assert bias == pytest.approx(-10.0, abs=0.1)
    assert open_clip.create_model(f"local-dir:{tmp_path / 'out'}").logit_bias is not None


@pytest.mark.parametrize(("wrong", "said"), [
    ({"method": "lora"}, "needs an encoder to go on from"),
    ({"method": "melt"}, "no method named 'melt'; there are: full"),
    ({"loss": "triplet"}, "no loss named"),
    ({"batch_size": 1}, "give at least 2"),
    ({"epochs": 0}, "--epochs 0 is too little"),
])
def test_options_that_cannot_be_are_one_clear_line(
    export: Path, tmp_path: Path, wrong: dict[str, Any], said: str,
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        train(export, tmp_path / "out", TrainOptions(**wrong))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
