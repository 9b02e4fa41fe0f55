"""Where pretrained weights lie: this machine's cache first, then the hub, without minutes of retries."""

import difflib
import socket
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import open_clip
from huggingface_hub import constants, hf_hub_download, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from lake.errors import EncoderError
from models.encoder import CONFIG_FILE, HUB_WEIGHTS, EncoderSpec

CONNECT_TIMEOUT_S = 5.0
HUB_PREFIX = "hf-hub:"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "spiece.model", "sentencepiece.bpe.model")
_SMALL = ["*.json", "*.model", "*.txt"]
_NOT_HAD = (OSError, ValueError, HTTPError)
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True)
class Tag:
    """A pretrained tag: where its weights lie, and what goes with them for vectors as their makers meant."""

    name: str
    repo: str
    files: tuple[str, ...]
    preprocess: dict[str, Any] | None
    quick_gelu: bool


_NO_TAG = Tag("", "", (), preprocess=None, quick_gelu=False)


def tag_of(spec: EncoderSpec) -> Tag:
    """The tag a spec names, or its architecture's first; raises EncoderError for unknown names."""
    require_architecture(spec.model)
    names = open_clip.list_pretrained_tags_by_model(spec.model)
    cfg = open_clip.get_pretrained_cfg(spec.model, spec.pretrained or next(iter(names), ""))
    if not cfg:
        known = ", ".join(names) or "none"
        raise EncoderError(f"{spec.model} has no pretrained tag {spec.pretrained!r}; there are: {known}")
    repo, _, name = cfg["hf_hub"].rpartition("/")
    files = (f"{name.rpartition('.')[0]}.safetensors", name) if name else HUB_WEIGHTS
    preprocess = {key: cfg[key] for key in _PREPROCESSING}
    return Tag(spec.pretrained or names[0], repo, files, preprocess, bool(cfg.get("quick_gelu")))


def tag_of_state(spec: EncoderSpec) -> Tag:
    """What goes with a file of weights: the named tag's, or the preprocessing that all the tags agree on."""
    if spec.pretrained is not None:
        return tag_of(spec)
    names = open_clip.list_pretrained_tags_by_model(spec.model)
    tags = [tag_of(replace(spec, pretrained=name)) for name in names]
    agreed = all(tag.preprocess == tags[0].preprocess for tag in tags)
    return replace(tags[0], quick_gelu=False) if tags and agreed else _NO_TAG


def tag_weights(architecture: str, tag: Tag) -> Path:
    """A tag's weights, downloaded where they must be and can be; raises EncoderError where they cannot."""
    return _hub_file(tag.repo, tag.files, _needs_tokenizer(architecture))


def hub_checkpoint(repo: str) -> tuple[Path, Path]:
    """Config and weights of a hub repository; raises EncoderError as `tag_weights` does."""
    try:
        validate_repo_id(repo)
    except HFValidationError as e:
        raise EncoderError(f"{HUB_PREFIX}{repo} is no name of the hub; it looks like hf-hub:ORG/REPO") from e
    return _hub_file(repo, (CONFIG_FILE,)), _hub_file(repo, HUB_WEIGHTS)


def tokenizer_files(repo: str, folder: Path | None = None) -> Path:
    """A folder with a tokenizer of transformers': the checkpoint's own, or from a hub repository."""
    return _small_files(repo, TOKENIZER_FILES, folder)


def text_plan(repo: str, folder: Path | None = None) -> Path:
    """A folder with the config.json of a text model of transformers': the checkpoint's own, or the hub's."""
    return _small_files(repo, ("config.json",), folder)


def require_architecture(name: str) -> None:
    """Raises EncoderError for a name open_clip does not know."""
    known = open_clip.list_models()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=5, cutoff=0.0)
        raise EncoderError(f"open_clip has no architecture {name!r}; near it are {', '.join(near)}")


def _needs_tokenizer(architecture: str) -> bool:
    return bool(open_clip.get_model_config(architecture)["text_cfg"].get("hf_tokenizer_name"))


def _cached(repo: str, names: tuple[str, ...]) -> Path | None:
    """The first of these files that this machine's cache has."""
    found = (try_to_load_from_cache(repo, name) for name in names)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def _hub_file(repo: str, names: tuple[str, ...], with_tokenizer: bool = False) -> Path:
    """The first of these files that the cache has; else the first that the hub has."""
    cached = _cached(repo, names)
    if cached is not None:
        return cached
    by_hand = _by_hand(repo, with_tokenizer)
    _require_network(repo, by_hand)
    why = ""
    for name in names:
        try:
            return Path(hf_hub_download(repo, name))
        except _NOT_HAD as e:
            why = " ".join(str(e).split())[:200]
    raise EncoderError(f"cannot download {names[0]} of {repo} ({why}); {by_hand}")


def _small_files(repo: str, any_of: tuple[str, ...], folder: Path | None) -> Path:
    if folder is not None and any((folder / name).is_file() for name in any_of):
        return folder
    cached = _cached(repo, any_of)
    if cached is not None:
        return cached.parent
    place = "the checkpoint's folder" if folder is None else str(folder)
    by_hand = f"bring {' and '.join(any_of[:2])} of {constants.ENDPOINT}/{repo} into {place}"
    _require_network(repo, by_hand)
    try:
        return Path(snapshot_download(repo, allow_patterns=_SMALL))
    except _NOT_HAD as e:
        why = " ".join(str(e).split())[:200]
        raise EncoderError(f"cannot download {any_of[0]} of {repo} ({why}); {by_hand}") from e


def _require_network(repo: str, by_hand: str) -> None:
    if constants.HF_HUB_OFFLINE or not _answers(constants.ENDPOINT):
        raise EncoderError(f"no network, and {repo} is not in this machine's cache; {by_hand}")


def _answers(url: str) -> bool:
    """Whether the host, or the proxy before it, takes a connection; the hub's own client retries for 46 s."""
    place = urlsplit(urllib.request.getproxies().get("https") or url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 443), timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def _by_hand(repo: str, with_tokenizer: bool) -> str:
    tokenizer = f", {' and '.join(TOKENIZER_FILES[:2])}" if with_tokenizer else ""
    return (
        f"bring {CONFIG_FILE}, {' or '.join(HUB_WEIGHTS)}{tokenizer} of {constants.ENDPOINT}/{repo} "
        "in one folder and give --checkpoint FOLDER"
    )
