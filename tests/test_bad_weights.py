"""Weights, configs and names that are none: each is told in one line that helps."""

import json
from pathlib import Path

import pytest

from lake.errors import EncoderError
from models.clip import slug
from models.encoder import EncoderSpec, load_encoder
from tests.encoders import tiny_checkpoint


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04junk"])
def test_a_state_dict_that_is_none_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    """And does not advise what is refused: a config says already what model this is."""
    folder = tiny_checkpoint(tmp_path / "tiny")
    (folder / "open_clip_model.safetensors").unlink()
    (folder / "open_clip_pytorch_model.bin").write_bytes(content)
    with pytest.raises(EncoderError, match="bring it again") as e:
        load_encoder(EncoderSpec(checkpoint=folder))
    assert "--model" not in str(e.value)


def test_weights_that_are_not_those_of_their_config_are_told(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "tiny")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["embed_dim"] = 32
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="weights and config of one model"):
        load_encoder(EncoderSpec(checkpoint=folder))


@pytest.mark.parametrize("model", ["hf-hub:", "hf-hub:../../x", "hf-hub:a b/c"])
def test_a_name_that_no_hub_knows_is_told(model: str) -> None:
    with pytest.raises(EncoderError, match="hf-hub:ORG/REPO"):
        load_encoder(EncoderSpec(model))


def test_a_config_without_a_model_is_told(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "tiny")
    (folder / "open_clip_config.json").write_text('{"model_cfg": null}')
    with pytest.raises(EncoderError, match="no 'model_cfg'"):
        load_encoder(EncoderSpec(checkpoint=folder))


def test_a_long_name_still_makes_a_name_of_files() -> None:
    assert len(slug("a/b" * 200)) == 100
