"""Train without an archive, test on it, for each in turn: what a model knows of a house it never saw."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from lake import Lake, catalog
from lake.errors import UsageError
from models.card import plain_options
from models.checkpoint import read_card
from models.encoder import EncoderSpec, load_encoder
from models.options import TrainOptions, settled
from models.sources import ARCHIVE_SPLIT, LakeSource
from models.train import train
from models.trial import Trial

log = logging.getLogger(__name__)

RESAMPLES = 1000


def leave_one_out(lake: Lake, name: str, options: TrainOptions) -> list[dict[str, Any]]:
    """One row for each archive: how well a model that learned from all the others finds its pictures.

    The models stay as `name-without-ARCHIVE`; one already trained on the same data with the same options is
    not trained again. Raises UsageError for a lake with fewer than two archives.
    """
    archives = _archives(lake)
    if len(archives) < 2:
        raise UsageError(f"the samples come from {len(archives)} archive(s); leaving one out takes two")
    folders = {archive: lake.models / f"{name}-without-{archive}" for archive in archives}
    return [_without(lake, archive, folder, options) for archive, folder in folders.items()]


def _archives(lake: Lake) -> list[str]:
    catalog.require_mart(lake, "samples", "curate")
    rows = catalog.rows(lake, "select distinct unnest(archives) as archive from samples order by archive")
    return [str(row["archive"]) for row in rows]


def _without(lake: Lake, archive: str, out: Path, options: TrainOptions) -> dict[str, Any]:
    source = LakeSource(lake, without=archive)
    if _is_done(out, source, options):
        log.info("without=%s is trained already", archive)
    else:
        log.info("training without=%s", archive)
        train(source, out, options)
    card, tested = read_card(out), list(source.examples(ARCHIVE_SPLIT))
    encoder = load_encoder(EncoderSpec(checkpoint=out))
    trial = Trial(tested, encoder.tokenizer, encoder.preprocessing)
    found = trial.metrics(encoder.model, encoder.model.logit_scale.device, RESAMPLES)
    row = {
        "archive": archive, "model": out.name, "n_train": card["data"]["n_train"], "n_test": len(tested),
    }
    for side, measured in found.items():
        for metric in ("R@1", "R@5"):
            row[f"{side} {metric}"] = measured[metric]
            row[f"{side} {metric} interval"] = measured["intervals"][metric]
            row[f"{side} {metric} chance"] = measured["chance"][metric]
    return row


def _is_done(out: Path, source: LakeSource, options: TrainOptions) -> bool:
    card = read_card(out)
    wanted = json.loads(json.dumps(plain_options(replace(settled(options), seconds=None))))
    told = dict(card.get("options", {}), seconds=None)
    return bool(card) and card["data"]["version"] == source.facts()["version"] and told == wanted


def short(row: dict[str, Any]) -> dict[str, Any]:
    """A row for the terminal: one direction, with chance beside."""
    kept = {key: row[key] for key in ("archive", "n_train", "n_test")}
    low, high = row["text_to_image R@5 interval"]
    return kept | {
        "R@1": row["text_to_image R@1"], "R@5": row["text_to_image R@5"],
        "interval": f"{low:.3f} to {high:.3f}", "chance R@5": row["text_to_image R@5 chance"],
    }
