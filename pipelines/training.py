"""What `glamlake train` and its like are given on the command line, as the options that training takes."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lake import Lake
from lake.drafts import whole_file
from lake.errors import UsageError
from models.checkpoint import read_card
from models.encoder import EncoderSpec, spec_of_options
from models.interpolation import interpolate
from models.options import Prompts, TrainOptions
from models.shards import MANIFEST_FILE, Example
from models.sources import ExportSource, LakeSource, Source

STRAIGHT = "lake"
"""What stands for the lake itself where an export's name could stand."""


def train_options(given: Mapping[str, Any]) -> TrainOptions:
    """The options of one training: names as on the command line."""
    own = {field.name for field in fields(TrainOptions)}
    names = {field.name: _told_as(field.name) for field in fields(Prompts)}
    prompts = {name: given[told] for name, told in names.items() if told in given}
    chosen = {name: value for name, value in given.items() if name in own}
    if given.get("no_augmentation"):
        chosen["augmentation"] = None
    return TrainOptions(**chosen, start=start_of(given), prompts=Prompts(**prompts))


def start_of(given: Mapping[str, Any]) -> EncoderSpec | None:
    """The encoder to go on from: a checkpoint or an architecture, None for the tiny one at random weights."""
    checkpoint, model, pretrained = given.get("checkpoint"), given.get("model"), given.get("pretrained")
    if checkpoint is None and model is None:
        if pretrained is not None:
            raise UsageError(f"--pretrained {pretrained} goes with --model NAME")
        return None
    place = Path(checkpoint).resolve() if checkpoint is not None else None
    told = {"model": model, "pretrained": pretrained, "checkpoint": place}
    return spec_of_options({name: value for name, value in told.items() if value is not None})


def source_of(lake: Lake, name: str) -> Source:
    """Where examples come from: an export by its name, or the lake itself."""
    return LakeSource(lake) if name == STRAIGHT else ExportSource(lake.exports / name)


def interpolate_in(
    lake: Lake, tuned: str, name: str, share: float, original: Path | None, outside: Path | None,
) -> dict[str, Any]:
    """As `models.interpolation.interpolate`, models by their names; the card of what was written."""
    folder = lake.models / tuned
    if not folder.is_dir():
        there = ", ".join(sorted(path.parent.name for path in lake.models.glob("*/model_card.json")))
        raise UsageError(f"no model named {tuned!r} in {lake.models}; there are: {there or 'none'}")
    spec = EncoderSpec(checkpoint=original.resolve()) if original is not None else None
    inside = _held_out(lake, folder) if outside is not None else []
    return interpolate(folder, lake.models / name, share, spec, outside, inside)


def write_report(lake: Lake, name: str, rows: list[dict[str, Any]]) -> Path:
    """Keep a table among the lake's reports."""
    path = lake.reports / f"{name}.json"
    with whole_file(path) as draft:
        draft.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _held_out(lake: Lake, model: Path) -> list[Example]:
    """The val split a model was trained beside, where it is still the same."""
    data = read_card(model).get("data", {})
    export = lake.exports / str(data.get("name"))
    source: Source = ExportSource(export) if (export / MANIFEST_FILE).is_file() else LakeSource(lake)
    return list(source.examples("val")) if source.facts()["version"] == data.get("version") else []


def _told_as(name: str) -> str:
    return f"{name}_share" if name in ("caption", "one_tag", "all_tags") else name
