"""Which encoder is meant, and where its weights come from; importing this loads no torch.

`load_encoder` is the way to an `Encoder`; the heavy half is in `models/clip.py`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake import Lake
from lake.collector import no_collection
from lake.errors import EmptyLake, EncoderError, UsageError
from lake.vectors import ModelInfo, VectorStore

if TYPE_CHECKING:
    from models.clip import Encoder

# Catalogues write Finnish, German, French, Catalan, so words must work in all of them. Of the multilingual
# models that open_clip carries this one runs on a laptop and may be used by anybody: SigLIP 2 learned from
# texts in 109 languages; its picture half looks at 64 patches (the other SigLIP 2 models: 196 and more),
# about the work of CLIP's ViT-B-32; it is under Apache 2.0 (NLLB-CLIP is for non-commercial use only);
# weights, config and tokenizer lie in one repository, so they can be brought by hand as one folder (those
# of xlm-roberta-base-ViT-B-32, as light, lie in two).
DEFAULT_MODEL = "ViT-B-32-SigLIP2-256"
IMPORTED = "import:"   # how `ModelInfo.source` begins where vectors were made elsewhere
CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
HUB_WEIGHTS = (WEIGHTS_FILE, "open_clip_pytorch_model.bin")
WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class EncoderSpec:
    """An open_clip architecture with a pretrained tag, or a checkpoint on this machine.

    `pretrained` None is the first tag open_clip lists. `checkpoint` is a folder (config and safetensors), a
    .safetensors beside its config, or a state dict of the architecture `model`. `model` may also be a hub
    name, `hf-hub:ORG/REPO`; `pretrained` is unused then.
    """

    model: str = DEFAULT_MODEL
    pretrained: str | None = None
    checkpoint: Path | None = None


def spec_of_options(given: Mapping[str, Any]) -> EncoderSpec:
    """The spec of the options that were given, of `model`, `pretrained` and `checkpoint`.

    Raises UsageError for a name beside a checkpoint that says itself what it is, and is called otherwise.
    """
    spec, names = EncoderSpec(**given), [name for name in ("model", "pretrained") if name in given]
    config = checkpoint_files(spec.checkpoint).config if spec.checkpoint is not None and names else None
    if config is not None and (names != ["model"] or read_config(config).get("name") != spec.model):
        told = " and ".join(f"--{name} {given[name]}" for name in names)
        raise UsageError(f"{config} says what model this is; leave out {told}")
    return spec


@dataclass(frozen=True)
class CheckpointFiles:
    """A checkpoint's files; `config` is None where the weights come without one."""

    weights: Path
    config: Path | None


def load_encoder(spec: EncoderSpec) -> "Encoder":
    """The encoder a spec names, ready to use; raises EncoderError where its weights are not to be had."""
    with no_collection():
        from models import clip  # seconds: torch

        return clip.load(spec)


def open_encoder(lake: Lake, model_id: str | None = None) -> "Encoder":
    """The encoder that made a model's vectors in this lake; without a name, the model embedded with last.

    Raises EmptyLake where nothing is embedded, EncoderError where the weights are gone or are others now.
    """
    info = embedded_model(lake, model_id)
    if not info.model:
        others = [known.model_id for known in VectorStore(lake).models() if known.model]
        more = (f", or name a model that is told: --model {others[0]}; the page takes the one that "
                "`glamlake embed` ran with last") if others else ""
        raise EncoderError(
            f"the vectors of {info.model_id} were made elsewhere and their model is not told; import them "
            f"again with --model or --checkpoint, or search by a sample{more}"
        )
    spec = spec_of(info, lake)
    if spec.checkpoint is not None and not spec.checkpoint.exists():
        raise EncoderError(
            f"the weights that made the vectors of {info.model_id} are no longer at {spec.checkpoint}; bring "
            "them back, or run `glamlake embed` with others"
        )
    encoder = load_encoder(spec)
    if encoder.fingerprint != info.fingerprint:
        raise EncoderError(
            f"the vectors are of {info.model_id}, but the weights there now are {encoder.model_id}; "
            "run `glamlake embed` with them first"
        )
    encoder.model_id = info.model_id   # another one where vectors were imported under a name
    return encoder


def embedded_model(lake: Lake, model_id: str | None = None) -> ModelInfo:
    """What the lake knows of a model with vectors; without a name, of the one embedded with last."""
    known = VectorStore(lake).models()
    if not known:
        raise EmptyLake("the lake has no vectors yet; run `glamlake embed` first")
    chosen = [info for info in known if model_id in (None, info.model_id)]
    if not chosen:
        raise EmptyLake(f"no vectors of {model_id!r} here; there are: {', '.join(i.model_id for i in known)}")
    return chosen[0]


def spec_of(info: ModelInfo, lake: Lake) -> EncoderSpec:
    """The spec that loads a known model again; a checkpoint kept inside the lake moves with it."""
    checkpoint = lake.root / info.checkpoint if info.checkpoint else None
    return EncoderSpec(info.model, info.pretrained or None, checkpoint)


def info_of(spec: EncoderSpec, encoder: "Encoder", lake: Lake) -> ModelInfo:
    """What the lake has to remember of an encoder."""
    return ModelInfo(
        model_id=encoder.model_id, dim=encoder.dim, model=spec.model, pretrained=_settled_tag(spec),
        checkpoint=_kept_path(spec.checkpoint, lake), source=source_of(spec),
        fingerprint=encoder.fingerprint, preprocessing=asdict(encoder.preprocessing),
    )


def _settled_tag(spec: EncoderSpec) -> str:
    """The tag by name, for the day when another is the first."""
    if spec.pretrained or spec.checkpoint is not None or ":" in spec.model:
        return spec.pretrained or ""
    from models import weights  # seconds: torch

    return weights.tag_of(spec).name


def source_of(spec: EncoderSpec) -> str:
    """Equal where two specs give the same encoder, and found without torch: names, or a hash of files."""
    if spec.checkpoint is None:
        return f"{spec.model}:{spec.pretrained}"
    files = checkpoint_files(spec.checkpoint)
    digest = hashlib.sha256()
    for path in (files.config, files.weights):
        if path is not None:
            with path.open("rb") as f:
                digest.update(hashlib.file_digest(f, "sha256").digest())
    return f"{spec.model if files.config is None else 'checkpoint'}:{digest.hexdigest()}"


def checkpoint_files(checkpoint: Path) -> CheckpointFiles:
    """Find weights and config of a checkpoint; raises EncoderError that says what was looked for."""
    weights = _weights_in(checkpoint) if checkpoint.is_dir() else checkpoint
    if not weights.is_file():
        raise EncoderError(
            f"no checkpoint at {checkpoint}: {weights} is not there; --checkpoint wants a file of weights, "
            f"or a folder with {CONFIG_FILE} and {WEIGHTS_FILE}"
        )
    if weights.suffix not in WEIGHT_SUFFIXES:
        kinds = ", ".join(WEIGHT_SUFFIXES)
        raise EncoderError(f"{weights} is no checkpoint; --checkpoint takes {kinds}, or a folder")
    config = weights.with_name(CONFIG_FILE)
    if checkpoint.is_dir() and not config.is_file():
        raise EncoderError(f"no {CONFIG_FILE} in {checkpoint}; give {weights} itself, with --model NAME")
    has_config = config.is_file() and (checkpoint.is_dir() or weights.suffix == ".safetensors")
    return CheckpointFiles(weights, config if has_config else None)


def _weights_in(folder: Path) -> Path:
    there = [folder / name for name in HUB_WEIGHTS if (folder / name).is_file()]
    return there[0] if there else folder / WEIGHTS_FILE


def read_config(path: Path) -> dict[str, Any]:
    """An open_clip config file; raises EncoderError where it is none."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as e:
        raise EncoderError(f"{path} is not JSON ({e}); bring it again") from e
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):
        raise EncoderError(f"{path} has no 'model_cfg'; it should be an {CONFIG_FILE} as open_clip writes it")
    return config


def _kept_path(checkpoint: Path | None, lake: Lake) -> str | None:
    if checkpoint is None:
        return None
    place, root = checkpoint.resolve(), lake.root.resolve()
    return str(place.relative_to(root) if place.is_relative_to(root) else place)
