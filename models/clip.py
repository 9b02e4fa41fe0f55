"""open_clip models as encoders: pictures and texts in, rows of length 1 out."""

import hashlib
import json
import logging
import pickle
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors import SafetensorError
from torch.nn.functional import normalize

from lake.errors import EncoderError
from models import weights
from models.encoder import EncoderSpec, checkpoint_files, read_config
from models.pictures import upright_rgb
from models.pixels import Pixels, as_input
from models.placing import choose_device, choose_precision
from models.streams import in_streams
from models.threads import threads_for

TEXTS_AT_ONCE = 256
PICTURES_AT_ONCE = 128
_LONGEST_SLUG = 100    # file names end at 255 bytes, and more is written after it

# What open_clip raises about weights of another shape or kind than the model's, and about torn files.
_TORN = (SafetensorError, EOFError, struct.error)
_MISFITS = (
    RuntimeError, KeyError, AttributeError, TypeError, ValueError, AssertionError, StopIteration, *_TORN,
)


class Encoder:
    """A CLIP model; `model_id` names its weights, structure and preprocessing: equal ids mean equal vectors.

    `config` is what belongs into an open_clip_config.json: name, model_cfg, preprocess_cfg.
    """

    def __init__(self, model: Any, tokenizer: Any, config: Mapping[str, Any]) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.config = config
        self.preprocessing = PreprocessCfg(**model.visual.preprocess_cfg)
        self._transform = image_transform_v2(self.preprocessing, is_train=False)
        self.fingerprint = fingerprint(model, config["model_cfg"])
        self.model_id = f"{slug(str(config['name']))}-{self.fingerprint[:8]}"
        self.dim = int(config["model_cfg"]["embed_dim"])
        self._work_of_a_text = _work_of_a_text(config["model_cfg"].get("text_cfg", {}))

    def placed(self, device: str = "auto", precision: str = "auto") -> "Encoder":
        """Move to a device and into a number type, each 'auto' or named as in `models.placing`; gives itself.

        The id stays: it names the weights as they were loaded. Raises EncoderError for a device not there.
        """
        where = choose_device(device)
        self.model.to(device=where, dtype=choose_precision(precision, where))
        return self

    @property
    def place(self) -> str:
        """Device and number type, for people."""
        return f"{self._like.device.type} {str(self._like.dtype).removeprefix('torch.')}"

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed images, one row each: (len(images), dim); rows have length 1, so a dot product is the cosine.

        Images of any mode are made RGB and turned upright first.
        """
        return self.encode_prepared([self.prepare(image) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, one row each: (len(texts), dim); rows have length 1. Long texts are cut."""
        work = min(len(texts), TEXTS_AT_ONCE) * self._work_of_a_text
        with torch.inference_mode(), threads_for(work):
            return self._rows([
                self.model.encode_text(self.tokenizer(list(texts[i:i + TEXTS_AT_ONCE])).to(self._like.device))
                for i in range(0, len(texts), TEXTS_AT_ONCE)
            ])

    def prepare(self, image: Image.Image) -> Any:
        """An image as the model's input tensor; safe to call from several threads."""
        return self._transform(upright_rgb(image))

    def encode_prepared(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """Embed what `prepare` made, one row each."""
        with torch.inference_mode():
            return self._rows([
                self.model.encode_image(torch.stack(list(inputs[i:i + PICTURES_AT_ONCE])).to(self._like))
                for i in range(0, len(inputs), PICTURES_AT_ONCE)
            ])

    def pixels(self) -> Pixels:
        """What reads picture files for `encode_pixels`; without the model, so any process may hold it."""
        return Pixels(self.preprocessing)

    def encode_pixels(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        """Embed one batch of what `pixels` read, one row each."""
        if not len(pixels):
            return self._rows([])
        if self._like.device.type == "cpu":
            return self._rows(in_streams(self._features, pixels))
        with torch.inference_mode():
            return self._rows([self._features(pixels)])

    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.model.encode_image(as_input(pixels, self.preprocessing, self._like))
        return features

    @property
    def _like(self) -> torch.Tensor:
        """A weight: where the model is now, and in which numbers."""
        weight: torch.Tensor = next(self.model.parameters())
        return weight

    def _rows(self, parts: list[Any]) -> NDArray[np.float32]:
        """Features as rows; brought to length 1 in float32, since bf16 has three digits."""
        if not parts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows: NDArray[np.float32] = normalize(torch.cat(parts).float(), dim=-1).cpu().numpy()
        return rows


def load(spec: EncoderSpec) -> Encoder:
    """See `models.encoder.load_encoder`."""
    if spec.checkpoint is not None:
        files = checkpoint_files(spec.checkpoint)
        if files.config is not None:
            return _load_folder(files.config, files.weights)
        return _load_state(spec, files.weights)
    if spec.model.startswith(weights.HUB_PREFIX):
        repo = spec.model.removeprefix(weights.HUB_PREFIX)
        return _load_folder(*weights.hub_checkpoint(repo), name=repo)
    tag = weights.tag_of(spec)
    return _load_named(spec.model, tag.name, weights.tag_weights(spec.model, tag), tag)


def _load_state(spec: EncoderSpec, weights_file: Path) -> Encoder:
    """A state dict: prepared for as the tag it was made from, where one is named or all agree on how."""
    weights.require_architecture(spec.model)
    return _load_named(spec.model, None, weights_file, weights.tag_of_state(spec))


def _load_named(architecture: str, tag_name: str | None, weights_file: Path, tag: weights.Tag) -> Encoder:
    structure = open_clip.get_model_config(architecture) | ({"quick_gelu": True} if tag.quick_gelu else {})
    model = _built(architecture, structure, quick_gelu=tag.quick_gelu, preprocess=tag.preprocess)
    _fill(model, weights_file, architecture, "name its architecture with --model")
    name = f"{architecture}-{tag_name}" if tag_name else architecture
    return _encoder(model, _tokenizer(architecture, structure), name, structure)


def _load_folder(config_file: Path, weights_file: Path, name: str | None = None) -> Encoder:
    config, folder = read_config(config_file), config_file.parent
    structure = dict(config["model_cfg"])
    source = f"local-dir:{folder}"
    model = _built(source, structure, folder)
    _fill(model, weights_file, config_file.name, "bring weights and config of one model")
    tokenizer = _tokenizer(source, structure, folder)
    return _encoder(model, tokenizer, name or str(config.get("name", "clip")), structure)


def _encoder(model: Any, tokenizer: Any, name: str, structure: Mapping[str, Any]) -> Encoder:
    config = {"name": name, "model_cfg": structure, "preprocess_cfg": dict(model.visual.preprocess_cfg)}
    return Encoder(model, tokenizer, config)


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip talks to the root logger, and warns of random weights before we fill them in."""
    root, nowhere = logging.getLogger(), logging.NullHandler()
    root.addFilter(_nothing)   # a logger's filter sees what is said to it, not what its children pass up
    root.addHandler(nowhere)   # without a handler logging would install its own
    try:
        yield
    finally:
        root.removeFilter(_nothing)
        root.removeHandler(nowhere)


def _nothing(_: logging.LogRecord) -> bool:
    return False


def _built(
    source: str, structure: Mapping[str, Any], folder: Path | None = None, quick_gelu: bool = False,
    preprocess: dict[str, Any] | None = None,
) -> Any:
    """A model of this architecture without weights; of a text half of transformers' only the plan is read."""
    text = structure.get("text_cfg", {})
    halves = {}
    if text.get("hf_model_name"):
        plan = str(weights.text_plan(text["hf_model_name"], folder))
        halves = {"text_cfg": text | {"hf_model_name": plan, "hf_model_pretrained": False}}
    try:
        with _quiet():
            return open_clip.create_model(
                source, load_weights=False, pretrained_text=False, force_quick_gelu=quick_gelu,
                force_preprocess_cfg=preprocess, **halves,
            )
    except (TypeError, ValueError, KeyError, RuntimeError, AssertionError, OSError) as e:
        raise EncoderError(f"open_clip cannot build {source}: {_one_line(e)}") from e


def _fill(model: Any, path: Path, architecture: str, way_out: str) -> None:
    """Load weights into a model, as tensors only: a file that wants to run code is refused."""
    try:
        open_clip.load_checkpoint(model, str(path), weights_only=True)
    except pickle.UnpicklingError as e:
        raise EncoderError(f"{path} holds more than tensors, which is not read; bring .safetensors") from e
    except _MISFITS as e:
        if isinstance(e, _TORN) or "zip archive" in str(e):
            way_out = "it is torn or holds no weights; bring it again"
        raise EncoderError(f"{path} does not fit {architecture}: {_one_line(e)}; {way_out}") from e


def _tokenizer(source: str, structure: Mapping[str, Any], folder: Path | None = None) -> Any:
    """The model's tokenizer; one of transformers' is given as files, so that its loader asks no network."""
    text = structure.get("text_cfg", {})
    hub_name = text.get("hf_tokenizer_name")
    try:
        with _quiet():
            if not hub_name:
                return open_clip.get_tokenizer(source)
            return HFTokenizer(
                str(weights.tokenizer_files(hub_name, folder)),
                context_length=text.get("context_length", DEFAULT_CONTEXT_LENGTH),
                tokenizer_mode=text.get("tokenizer_mode"), **text.get("tokenizer_kwargs", {}),
            )
    except (ImportError, OSError, ValueError, KeyError, TypeError) as e:
        raise EncoderError(f"no tokenizer for {source}: {_one_line(e)}") from e


def _work_of_a_text(text: Mapping[str, Any]) -> int:
    """Multiply-adds of one layer; of a text half that says nothing of its size, much."""
    width = int(text.get("width", 768))
    return int(text.get("context_length", DEFAULT_CONTEXT_LENGTH)) * 12 * width**2


def slug(name: str) -> str:
    """A name that a folder and a table can carry."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:_LONGEST_SLUG] or "clip"


def fingerprint(model: Any, structure: Mapping[str, Any]) -> str:
    """Hash of weights (as float32), structure and preprocessing; the file they came in does not matter."""
    digest = hashlib.sha256(json.dumps([structure, model.visual.preprocess_cfg], sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).data)
    return digest.hexdigest()


def _one_line(error: Exception, longest: int = 200) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= longest else text[:longest] + "…"
