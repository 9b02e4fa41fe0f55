"""open_clip models as encoders: pictures and texts in, rows of length 1 out."""

import hashlib
import json
import logging
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors import SafetensorError

from lake.errors import EncoderError
from models import weights
from models.encoder import EncoderSpec, checkpoint_files, read_config
from models.pictures import upright_rgb

TEXTS_AT_ONCE = 256
PICTURES_AT_ONCE = 128

# What open_clip raises about weights of another shape or kind than the model's.
_MISFITS = (
    RuntimeError, KeyError, AttributeError, TypeError, ValueError, AssertionError, StopIteration,
    SafetensorError,
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

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed images, one row each: (len(images), dim); rows have length 1, so a dot product is the cosine.

        Images of any mode are made RGB and turned upright first.
        """
        return self.encode_prepared([self.prepare(image) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, one row each: (len(texts), dim); rows have length 1. Long texts are cut."""
        with torch.inference_mode():
            return self._rows([
                self.model.encode_text(self.tokenizer(list(texts[i:i + TEXTS_AT_ONCE])), normalize=True)
                for i in range(0, len(texts), TEXTS_AT_ONCE)
            ])

    def prepare(self, image: Image.Image) -> Any:
        """An image as the model's input tensor; safe to call from several threads."""
        return self._transform(upright_rgb(image))

    def encode_prepared(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """Embed what `prepare` made, one row each."""
        with torch.inference_mode():
            return self._rows([
                self.model.encode_image(torch.stack(list(inputs[i:i + PICTURES_AT_ONCE])), normalize=True)
                for i in range(0, len(inputs), PICTURES_AT_ONCE)
            ])

    def _rows(self, parts: list[Any]) -> NDArray[np.float32]:
        if not parts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows: NDArray[np.float32] = torch.cat(parts).float().numpy()
        return rows


def load(spec: EncoderSpec) -> Encoder:
    """See `models.encoder.load_encoder`."""
    if spec.checkpoint is not None:
        files = checkpoint_files(spec.checkpoint)
        if files.config is not None:
            return _load_folder(files.config, files.weights)
        return _load_state(spec.model, files.weights)
    if spec.model.startswith(weights.HUB_PREFIX):
        repo = spec.model.removeprefix(weights.HUB_PREFIX)
        return _load_folder(*weights.hub_checkpoint(repo), name=repo)
    return _load_tag(spec)


def _load_tag(spec: EncoderSpec) -> Encoder:
    found = weights.tag_weights(spec)
    model = _built(spec.model, quick_gelu=found.quick_gelu, preprocess=found.preprocess)
    _fill(model, found.path, spec.model)
    structure = open_clip.get_model_config(spec.model) | ({"quick_gelu": True} if found.quick_gelu else {})
    return _encoder(model, spec.model, f"{spec.model}-{spec.pretrained}", structure)


def _load_folder(config_file: Path, weights_file: Path, name: str | None = None) -> Encoder:
    config = read_config(config_file)
    source = f"local-dir:{config_file.parent}"
    model = _built(source)
    _fill(model, weights_file, config_file.name)
    return _encoder(model, source, name or str(config.get("name", "clip")), dict(config["model_cfg"]))


def _load_state(model_name: str, weights_file: Path) -> Encoder:
    weights.require_architecture(model_name)
    model = _built(model_name)
    _fill(model, weights_file, model_name)
    return _encoder(model, model_name, model_name, open_clip.get_model_config(model_name))


def _encoder(model: Any, source: str, name: str, structure: Mapping[str, Any]) -> Encoder:
    config = {"name": name, "model_cfg": structure, "preprocess_cfg": dict(model.visual.preprocess_cfg)}
    return Encoder(model, _tokenizer(source), config)


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


def _built(source: str, quick_gelu: bool = False, preprocess: dict[str, Any] | None = None) -> Any:
    """A model of this architecture without weights: no download of any part of it."""
    try:
        with _quiet():
            return open_clip.create_model(
                source, load_weights=False, pretrained_text=False, force_quick_gelu=quick_gelu,
                force_preprocess_cfg=preprocess,
            )
    except (TypeError, ValueError, KeyError, RuntimeError, AssertionError) as e:
        raise EncoderError(f"open_clip cannot build {source}: {_one_line(e)}") from e


def _fill(model: Any, path: Path, architecture: str) -> None:
    """Load weights into a model, as tensors only: a file that wants to run code is refused."""
    try:
        open_clip.load_checkpoint(model, str(path), weights_only=True)
    except pickle.UnpicklingError as e:
        raise EncoderError(f"{path} holds more than tensors, which is not read; bring .safetensors") from e
    except _MISFITS as e:
        raise EncoderError(
            f"{path} does not fit {architecture}: {_one_line(e)}; name its architecture with --model"
        ) from e


def _tokenizer(source: str) -> Any:
    try:
        with _quiet():
            return open_clip.get_tokenizer(source)
    except (ImportError, OSError, ValueError) as e:
        raise EncoderError(f"no tokenizer for {source}: {_one_line(e)}") from e


def slug(name: str) -> str:
    """A name that a folder and a table can carry."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "clip"


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
