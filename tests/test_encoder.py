"""The encoder: open_clip's numbers, whatever form the checkpoint has; one clear line without weights."""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import set_model_preprocess_cfg
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig

from lake import Lake
from lake.errors import EmptyLake, EncoderError
from lake.vectors import VectorStore
from models import clip, weights
from models.clip import Encoder
from models.encoder import DEFAULT_MODEL, EncoderSpec, info_of, load_encoder, open_encoder, source_of
from models.pictures import open_picture, upright_rgb
from models.pixels import Pixels, as_input, read_batches
from models.placing import choose_device, choose_precision
from models.tiny import TINY_MODEL, TINY_PREPROCESSING
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

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.touched,)


def test_a_pickle_that_wants_to_run_code_does_not(tmp_path: Path, small_architecture: str) -> None:
    malicious = Malicious(tmp_path / "was here")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"state_dict": malicious}))
    torch.save({"state_dict": malicious}, tmp_path / "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(EncoderError):
            load_encoder(EncoderSpec(small_architecture, checkpoint=tmp_path / name))
    assert not malicious.touched.exists()


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
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)    # as the hub's own client does, 46 s in all
    with pytest.raises(EncoderError, match=r"no network.*open_clip_model.safetensors.*--checkpoint FOLDER"):
        load_encoder(EncoderSpec(model))
    assert waited == []


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


PREPROCESSINGS = (
    PreprocessCfg(), PreprocessCfg(resize_mode="squash", size=256), PreprocessCfg(resize_mode="longest"),
    PreprocessCfg(size=(96, 160), interpolation="bilinear"),
)


@pytest.mark.parametrize("cfg", PREPROCESSINGS, ids=lambda cfg: f"{cfg.resize_mode}-{cfg.size}")
@pytest.mark.parametrize("size", [(300, 200), (97, 511), (40, 30)])
def test_pixels_are_those_of_open_clip_but_for_one_level(cfg: PreprocessCfg, size: tuple[int, int]) -> None:
    seen = Pixels(cfg).of(picture(size=size))
    ours = as_input(seen[None], cfg, torch.zeros(1))[0]
    apart = (ours - image_transform_v2(cfg, is_train=False)(picture(size=size))).abs()
    one_level = 1 / 255 / min(cfg.std)
    assert apart.max() <= 2.01 * one_level
    assert apart.mean() <= 0.05 * one_level


@pytest.fixture(scope="module")
def vit() -> Encoder:
    """A small vision transformer with random weights and CLIP's own preprocessing."""
    structure = dict(TINY_MODEL) | {
        "vision_cfg": {"image_size": 224, "layers": 3, "width": 128, "head_width": 64, "patch_size": 32},
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**structure)
    set_model_preprocess_cfg(model, asdict(PreprocessCfg()))
    return Encoder(model, open_clip.SimpleTokenizer(), {"name": "vit", "model_cfg": structure})


def photographs(folder: Path, sides: Sequence[tuple[int, int]]) -> list[Path]:
    """JPEGs with detail at every scale, as photographs have it."""
    paths = []
    for seed, size in enumerate(sides):
        layers = [np.asarray(picture(seed * 9 + i, size), dtype=np.float32) for i in range(2)]
        grain = np.random.default_rng(seed).normal(0, 12, layers[0].shape)
        drawn = np.clip(sum(layers) / 2 + grain, 0, 255).astype(np.uint8)
        paths.append(folder / f"{seed}.jpg")
        Image.fromarray(drawn).save(paths[-1], quality=90)
    return paths


@pytest.mark.parametrize(("precision", "sides", "at_least"), [
    ("float32", [(400, 300), (224, 224), (640, 447)], 0.9999),   # too small for the decoder to scale
    ("float32", [(1800, 1400), (900, 3600), (4000, 2000)], 0.999),
    ("bf16", [(400, 300), (1800, 1400)], 0.999),
])
def test_embedding_files_gives_what_open_clip_gives(
    tmp_path: Path, vit: Encoder, precision: str, sides: list[tuple[int, int]], at_least: float,
) -> None:
    paths = photographs(tmp_path, sides)
    transform = image_transform_v2(PreprocessCfg(), is_train=False)
    vit.placed("cpu", "float32")
    with torch.inference_mode():
        plain = torch.stack([transform(Image.open(path)) for path in paths])
        theirs = vit.model.encode_image(plain, normalize=True).numpy()
    vit.placed("cpu", precision)
    ours = vit.encode_pixels(torch.stack([vit.pixels().read(path) for path in paths]))
    assert (ours * theirs).sum(axis=1).min() >= at_least


def test_a_large_jpeg_is_decoded_smaller_but_never_near_the_model_s_size(tmp_path: Path) -> None:
    large, small = photographs(tmp_path, [(1800, 1400), (895, 895)])
    assert open_picture(large, 448).size == (900, 700)
    assert open_picture(small, 448).size == (895, 895)
    assert open_picture(large).size == (1800, 1400)


def test_processes_read_what_threads_read(tmp_path: Path) -> None:
    paths = photographs(tmp_path, [(90, 70), (80, 60), (70, 90)])
    paths[1].write_bytes(b"no picture")
    batches = [paths[:2], paths[2:]]
    read = [list(read_batches(batches, Pixels(PreprocessCfg(size=32)), 1, alone)) for alone in (False, True)]
    for threads, processes in zip(*read, strict=True):
        assert torch.equal(threads.pixels, processes.pixels)
        assert threads.faults == processes.faults
    assert list(read[0][0].faults) == [1]


def test_the_default_reads_many_languages_and_is_named_in_the_help() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "pipelines", "embed", "--help"], capture_output=True, text=True, check=True,
    )
    text = open_clip.get_model_config(DEFAULT_MODEL)["text_cfg"]
    assert DEFAULT_MODEL in " ".join(shown.stdout.split())
    assert text["vocab_size"] > 200_000   # CLIP's own has 49,408, all English
    assert weights.tag_of(EncoderSpec()).name == "webli"


def test_weights_alone_are_prepared_for_as_the_architecture_s_tags_are() -> None:
    siglip = weights.tag_of_state(EncoderSpec("ViT-B-32-SigLIP2-256"))
    assert siglip.preprocess is not None
    assert (siglip.preprocess["mean"], siglip.preprocess["resize_mode"]) == ((0.5, 0.5, 0.5), "squash")
    assert weights.tag_of_state(EncoderSpec("ViT-B-32", "openai")).quick_gelu
    assert not weights.tag_of_state(EncoderSpec("ViT-B-32")).quick_gelu


def write_tokenizer(folder: Path) -> None:
    words = ("<pad>", "</s>", "<unk>", "laiva", "ship", "vaixell")
    known = WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    known_by = Tokenizer(known)
    known_by.pre_tokenizer = Whitespace()
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=known_by, **names).save_pretrained(folder)


TEXT_HALVES = {
    "siglip": {
        "context_length": 8, "vocab_size": 6, "width": 64, "heads": 4, "layers": 1, "no_causal_mask": True,
        "pool_type": "last", "tokenizer_kwargs": {"clean": "canonicalize"},
    },
    "transformers": {
        "context_length": 8, "hf_model_name": "org/text", "hf_pooler_type": "mean_pooler",
        "hf_proj_type": "linear",
    },
}


@pytest.mark.parametrize("kind", TEXT_HALVES)
def test_a_folder_brought_by_hand_needs_no_network(tmp_path: Path, kind: str) -> None:
    text = TEXT_HALVES[kind] | {"hf_tokenizer_name": "org/words"}
    structure = TINY_MODEL | {"text_cfg": text, "custom_text": True}
    config = {"model_cfg": structure, "preprocess_cfg": TINY_PREPROCESSING}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    XLMRobertaConfig(
        vocab_size=6, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0,
    ).save_pretrained(tmp_path)
    model = clip._built(f"local-dir:{tmp_path}", structure, tmp_path)
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    with pytest.raises(EncoderError, match=rf"tokenizer\.json and .*/org/words into {tmp_path}"):
        load_encoder(EncoderSpec(checkpoint=tmp_path))
    write_tokenizer(tmp_path)
    loaded = load_encoder(EncoderSpec(checkpoint=tmp_path))
    laiva, ship = loaded.encode_texts(["Laiva" if kind == "siglip" else "laiva", "ship"])
    assert laiva @ ship < 0.9999


def test_a_device_or_processor_is_named_as_torch_knows_it() -> None:
    assert choose_device("cpu").type == "cpu"
    for name in ("abacus", "cuda:99", "meta"):
        with pytest.raises(EncoderError, match=r"there are: .*cpu"):
            choose_device(name)
    assert choose_precision("bf16", choose_device("cpu")) is torch.bfloat16
    assert choose_precision("float32", choose_device("cpu")) is torch.float32


def test_a_picture_made_upright_is_never_the_picture_itself() -> None:
    given = picture()
    upright_rgb(given).putpixel((0, 0), (1, 2, 3))
    assert given.getpixel((0, 0)) != (1, 2, 3)
