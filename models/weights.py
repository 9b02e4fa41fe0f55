"""Where pretrained weights lie: this machine's cache first, then the hub, without minutes of retries."""

import difflib
import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import open_clip
from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

from lake.errors import EncoderError
from models.encoder import CONFIG_FILE, WEIGHTS_FILE, EncoderSpec

CONNECT_TIMEOUT_S = 5.0
HUB_PREFIX = "hf-hub:"
_HUB_WEIGHTS = (WEIGHTS_FILE, "open_clip_pytorch_model.bin")
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True)
class TagWeights:
    """A tag's weights file, and what must go with it so that vectors come out as its makers meant them."""

    path: Path
    preprocess: dict[str, Any]
    quick_gelu: bool


def tag_weights(spec: EncoderSpec) -> TagWeights:
    """The weights of an architecture's pretrained tag, downloaded where they must be and can be.

    Raises EncoderError: no such architecture or tag, or no weights here and no way to them.
    """
    require_architecture(spec.model)
    cfg = open_clip.get_pretrained_cfg(spec.model, spec.pretrained)
    if not cfg:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(spec.model)) or "none"
        raise EncoderError(f"{spec.model} has no pretrained tag {spec.pretrained!r}; there are: {tags}")
    repo, _, name = cfg["hf_hub"].rpartition("/")
    names = (f"{name.rpartition('.')[0]}.safetensors", name) if name else _HUB_WEIGHTS
    preprocess = {key: cfg[key] for key in _PREPROCESSING}
    return TagWeights(_hub_file(repo, names), preprocess, bool(cfg.get("quick_gelu")))


def hub_checkpoint(repo: str) -> tuple[Path, Path]:
    """Config and weights of a hub repository; raises EncoderError as `tag_weights` does."""
    return _hub_file(repo, (CONFIG_FILE,)), _hub_file(repo, _HUB_WEIGHTS)


def require_architecture(name: str) -> None:
    """Raises EncoderError for a name open_clip does not know."""
    known = open_clip.list_models()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=5, cutoff=0.0)
        raise EncoderError(f"open_clip has no architecture {name!r}; near it are {', '.join(near)}")


def _hub_file(repo: str, names: tuple[str, ...]) -> Path:
    """The first of these files that the cache has; else the first that the hub has."""
    for name in names:
        cached = try_to_load_from_cache(repo, name)
        if isinstance(cached, str):
            return Path(cached)
    if constants.HF_HUB_OFFLINE or not _answers(constants.ENDPOINT):
        raise EncoderError(f"no network, and {repo} is not in this machine's cache; {_by_hand(repo)}")
    return _download(repo, names)


def _download(repo: str, names: tuple[str, ...]) -> Path:
    why = ""
    for name in names:
        try:
            return Path(hf_hub_download(repo, name))
        except (OSError, ValueError, HTTPError) as e:
            why = " ".join(str(e).split())[:200]
    raise EncoderError(f"cannot download {names[0]} of {repo} ({why}); {_by_hand(repo)}")


def _answers(url: str) -> bool:
    """Whether the host, or the proxy before it, takes a connection; the hub's own client retries for 46 s."""
    place = urlsplit(urllib.request.getproxies().get("https") or url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 443), timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def _by_hand(repo: str) -> str:
    return (
        f"bring {CONFIG_FILE} and {WEIGHTS_FILE} of {constants.ENDPOINT}/{repo} in one folder "
        "and give --checkpoint FOLDER"
    )
