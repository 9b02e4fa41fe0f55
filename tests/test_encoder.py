"""The encoder: open_clip's numbers, whatever form the checkpoint has; one clear line without weights."""

import json
import pickle
import time
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from lake import Lake
from lake.errors import EmptyLake, EncoderError
from lake.vectors import VectorStore
from models.clip import Encoder
from models.encoder import EncoderSpec, info_of, load_encoder, open_encoder, source_of
from models.pictures import open_picture, upright_rgb
from tests.encoders import tiny_checkpoint

EXIF_ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def encoder(checkpoint: Path) -> Encoder:
    return load_encoder(EncoderSpec(checkpoint=checkpoint))


def picture(seed: int = 0, size: tuple[int, int] = (90, 70)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size)


def test_vectors_are_those_of_plain_open_clip(checkpoint: Path, encoder: Encoder) -> None:
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")
    tokens = open_clip.get_tokenizer(f"local-dir:{checkpoint}")(["a steam train", "laiva"])
    model.eval()
    with torch.inference_mode():
        seen = model.encode_image(torch.stack([transform(picture(i)) for i in range(3)]), normalize=True)
        read = model.encode_text(tokens, normalize=True)
    assert np.allclose(encoder.encode_images([picture(i) for i in range(3)]), seen.numpy(), atol=1e-6)
    assert np.allclose(encoder.encode_texts(["a steam train", "laiva"]), read.numpy(), atol=1e-6)


def test_rows_have_length_1_and_are_float32(encoder: Encoder) -> None:
    rows = np.concatenate([encoder.encode_images([picture()]), encoder.encode_texts(["x", "", "x" * 5000])])
    assert rows.dtype == np.float32
    assert rows.shape == (4, encoder.dim)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_nothing_to_encode_gives_no_rows(encoder: Encoder) -> None:
    assert encoder.encode_images([]).shape == encoder.encode_texts([]).shape == (0, encoder.dim)


def test_a_batch_gives_what_its_pictures_give_alone(encoder: Encoder) -> None:
    many = [picture(i) for i in range(5)]
    assert np.allclose(encoder.encode_images(many), [encoder.encode_images([p])[0] for p in many], atol=1e-6)


def test_the_id_is_readable_and_follows_from_the_weights(tmp_path: Path, encoder: Encoder) -> None:
    elsewhere = tiny_checkpoint(tmp_path / "same", seed=0)
    others = tiny_checkpoint(tmp_path / "others", seed=1)
    assert encoder.model_id == load_encoder(EncoderSpec(checkpoint=elsewhere)).model_id
    assert encoder.model_id != load_encoder(EncoderSpec(checkpoint=others)).model_id
    assert encoder.model_id.startswith("glamlake-tiny-")


def test_the_id_follows_from_the_preprocessing(tmp_path: Path, encoder: Encoder) -> None:
    other = tiny_checkpoint(tmp_path / "other")
    config = json.loads((other / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["resize_mode"] = "shortest"
    (other / "open_clip_config.json").write_text(json.dumps(config))
    assert load_encoder(EncoderSpec(checkpoint=other)).model_id != encoder.model_id


def test_the_tiny_encoder_of_a_seed_stays_the_same(encoder: Encoder) -> None:
    assert encoder.model_id == "glamlake-tiny-4e663b78"


def test_loading_says_nothing(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_encoder(EncoderSpec(checkpoint=checkpoint))
    assert caplog.records == []


def test_a_weights_file_beside_its_config_is_the_folder(checkpoint: Path, encoder: Encoder) -> None:
    alone = load_encoder(EncoderSpec(checkpoint=checkpoint / "open_clip_model.safetensors"))
    assert alone.model_id == encoder.model_id


@pytest.fixture
def small_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: Encoder) -> str:
    """The tiny structure under a name open_clip knows, as ViT-B-32 is known."""
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIG_PATHS", [*open_clip.factory._MODEL_CONFIG_PATHS])
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", dict(open_clip.factory._MODEL_CONFIGS))
    (tmp_path / "Small-64.json").write_text(json.dumps(encoder.config["model_cfg"]))
    open_clip.add_model_config(tmp_path / "Small-64.json")
    return "Small-64"


def test_a_state_dict_loads_with_its_architecture(
    tmp_path: Path, encoder: Encoder, small_architecture: str,
) -> None:
    torch.save({"state_dict": encoder.model.state_dict(), "epoch": 3}, tmp_path / "epoch_3.pt")
    loaded = load_encoder(EncoderSpec(small_architecture, checkpoint=tmp_path / "epoch_3.pt"))
    assert loaded.model_id.startswith("Small-64-")
    assert np.array_equal(loaded.encode_texts(["a ship"]), encoder.encode_texts(["a ship"]))


def test_a_state_dict_of_another_architecture_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    torch.save(encoder.model.state_dict(), tmp_path / "tiny.pt")
    with pytest.raises(EncoderError, match=r"does not fit RN50.*--model"):
        load_encoder(EncoderSpec("RN50", checkpoint=tmp_path / "tiny.pt"))


class Malicious:
    """What a pickle of this would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("/tmp/glamlake-was-here"),))  # type: ignore[return-value]


def test_a_pickle_that_wants_to_run_code_does_not(tmp_path: Path, small_architecture: str) -> None:
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"state_dict": Malicious()}))
    torch.save({"state_dict": Malicious()}, tmp_path / "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(EncoderError):
            load_encoder(EncoderSpec(small_architecture, checkpoint=tmp_path / name))
    assert not Path("/tmp/glamlake-was-here").exists()


def test_a_torn_weights_file_is_one_clear_line(tmp_path: Path) -> None:
    torn = tiny_checkpoint(tmp_path / "torn")
    weights = torn / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(EncoderError, match=r"does not fit") as e:
        load_encoder(EncoderSpec(checkpoint=torn))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("name", ["", "open_clip_config.json", "nothing.pt", "notes.txt"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "open_clip_config.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(EncoderError, match="checkpoint"):
        load_encoder(EncoderSpec(checkpoint=tmp_path / name))


def test_unknown_names_tell_the_known_ones() -> None:
    with pytest.raises(EncoderError, match=r"no architecture 'ViT-B-33'.*ViT-B-32"):
        load_encoder(EncoderSpec("ViT-B-33"))
    with pytest.raises(EncoderError, match=r"no pretrained tag 'mine'.*openai"):
        load_encoder(EncoderSpec("ViT-B-32", "mine"))


@pytest.mark.parametrize("model", ["ViT-B-32", "hf-hub:somebody/something"])
def test_without_network_it_says_at_once_how_to_bring_weights(
    monkeypatch: pytest.MonkeyPatch, model: str,
) -> None:
    monkeypatch.setattr("models.weights.constants.ENDPOINT", "https://127.0.0.1:9")   # nobody listens there
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    started = time.monotonic()
    with pytest.raises(EncoderError, match=r"no network.*open_clip_model.safetensors.*--checkpoint FOLDER"):
        load_encoder(EncoderSpec(model))
    assert time.monotonic() - started < 20   # the hub's own client takes 46 s


def test_pictures_stand_upright_and_in_rgb(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    picture(size=(90, 70)).save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg").size == (70, 90)


@pytest.mark.parametrize(("mode", "value", "expected"), [
    ("L", 100, (100, 100, 100)),
    ("I;16", 100 * 257, (100, 100, 100)),
    ("LA", (0, 0), (255, 255, 255)),
    ("RGBA", (200, 0, 0, 0), (255, 255, 255)),
    ("1", 1, (255, 255, 255)),
    ("CMYK", (0, 0, 0, 0), (255, 255, 255)),
    ("F", 100.0, (100, 100, 100)),
])
def test_every_mode_has_its_true_colours(mode: str, value: object, expected: tuple[int, int, int]) -> None:
    seen = upright_rgb(Image.new(mode, (4, 4), value))  # type: ignore[arg-type]
    assert seen.mode == "RGB"
    assert seen.getpixel((2, 2)) == expected


def test_a_torn_picture_is_an_encoder_error(tmp_path: Path) -> None:
    picture().save(tmp_path / "torn.jpg")
    (tmp_path / "torn.jpg").write_bytes((tmp_path / "torn.jpg").read_bytes()[:800])
    with pytest.raises(EncoderError, match=r"torn\.jpg"):
        open_picture(tmp_path / "torn.jpg")


def test_the_lake_opens_the_encoder_of_its_newest_vectors(lake: Lake) -> None:
    spec = EncoderSpec(checkpoint=tiny_checkpoint(lake.models / "tiny"))
    VectorStore(lake).register(info_of(spec, load_encoder(spec), lake))
    moved = Lake(lake.root.rename(lake.root.with_name("moved")))
    expected = load_encoder(EncoderSpec(checkpoint=moved.models / "tiny"))
    assert open_encoder(moved).model_id == expected.model_id


def test_vectors_of_one_model_are_not_searched_with_another(lake: Lake) -> None:
    spec = EncoderSpec(checkpoint=tiny_checkpoint(lake.models / "tiny"))
    VectorStore(lake).register(info_of(spec, load_encoder(spec), lake))
    tiny_checkpoint(lake.models / "tiny", seed=1)
    with pytest.raises(EncoderError, match="glamlake embed"):
        open_encoder(lake)


def test_a_lake_without_vectors_has_no_encoder(lake: Lake) -> None:
    with pytest.raises(EmptyLake, match="glamlake embed"):
        open_encoder(lake)


def test_a_checkpoint_is_told_by_its_bytes(tmp_path: Path) -> None:
    first, same = tiny_checkpoint(tmp_path / "a"), tiny_checkpoint(tmp_path / "b")
    other = tiny_checkpoint(tmp_path / "c", seed=1)
    assert source_of(EncoderSpec(checkpoint=first)) == source_of(EncoderSpec(checkpoint=same))
    assert source_of(EncoderSpec(checkpoint=first)) != source_of(EncoderSpec(checkpoint=other))
