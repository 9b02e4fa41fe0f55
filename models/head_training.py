"""`glamlake heads`: train every head of every facet on the vectors of a model, compare them, keep them."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from lake import Lake
from lake.errors import EmptyLake, UsageError
from lake.tables import TIERS
from models.baselines import TEMPLATES, TextEncoder, frequencies, label_vectors, neighbour_votes
from models.card import environment
from models.collection import Collection, data_version, label_tiers, read_collection
from models.ensemble import Annotator, Calibrated, best_method, calibrate, fit_annotator
from models.head_files import heads_folder, write_annotator
from models.head_layout import KINDS
from models.intervals import Resampling
from models.label_tasks import image_to_label
from models.label_truth import Facet, read_facets
from models.metrics import Scorer

CARD_METRICS = ("R-Precision", "Acc@1", "Acc@10", "rank", "mAP")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeadOptions:
    """Which heads of which facets, and on which split they are compared (val where nothing else is said)."""

    facets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    splits: tuple[str, ...] = ("val",)
    templates: tuple[str, ...] = TEMPLATES
    resampling: Resampling = field(default_factory=Resampling)


def train_heads(lake: Lake, encoder: TextEncoder, options: HeadOptions | None = None) -> dict[str, Any]:
    """Train and write the heads of each facet; how well each method predicts, beside baselines and chance.

    Raises EmptyLake where no training picture has a vector, UsageError for a facet that cannot be
    learned; where no facet was named, one that cannot be learned is left out, and noted.
    """
    options = options or HeadOptions()
    teachers = read_collection(lake, encoder.model_id, ("train",))
    if not teachers.rows:
        if teachers.n_without_vector:
            raise EmptyLake("no training picture has a vector; run `glamlake embed`")
        raise EmptyLake("no training picture is there; curate with a smaller --val-split")
    judged = read_collection(lake, encoder.model_id, options.splits)
    taught = read_facets(lake, teachers.ids, options.facets)
    found: dict[str, Any] = {
        "model_id": encoder.model_id, "splits": list(options.splits), "data_version": data_version(lake),
        "n_train": len(teachers.rows), "n_judged": len(judged.rows), "facets": {}, "notes": [],
    }
    known = read_facets(lake, judged.ids, tuple(taught)) if judged.rows and taught else {}
    for name, facet in taught.items():
        try:
            found["facets"][name] = _facet(lake, encoder, facet, teachers, known.get(name), judged, options)
        except UsageError as e:
            if options.facets:
                raise
            found["notes"].append(str(e))
    if not found["facets"]:
        said = found["notes"] or ["no record has a label; see `glamlake labels`"]
        raise UsageError(said[0])
    return found


def _facet(
    lake: Lake, encoder: TextEncoder, facet: Facet, teachers: Collection, known: Facet | None,
    judged: Collection, options: HeadOptions,
) -> dict[str, Any]:
    """Train, calibrate, compare and write one facet."""
    prompts = label_vectors(encoder, facet.labels, options.templates)
    annotator = fit_annotator(facet, teachers.vectors, teachers.ids, prompts, options.kinds)
    annotator, errors = _calibrated(lake, encoder.model_id, annotator)
    told: dict[str, Any] = {"best": annotator.best, "n_labels": len(facet.labels), "methods": {}}
    if known is not None and known.exact.nnz:
        told["methods"] = _compared(annotator, facet, teachers, known, judged, label_tiers(lake), options)
    for method, error in errors.items():
        told["methods"].setdefault(method, {"n_queries": 0})["calibration"] = asdict(error)
    card = _card(lake, encoder, facet, teachers, options) | told | {"methods": _in_short(told["methods"])}
    write_annotator(heads_folder(lake, encoder.model_id) / facet.name, annotator, card)
    log.info("trained facet=%s heads=%d best=%s", facet.name, len(annotator.heads), annotator.best)
    return told


def _in_short(methods: Mapping[str, Any]) -> dict[str, Any]:
    """What a card keeps of a comparison."""
    kept = (*CARD_METRICS, "n_queries", "calibration")
    short = {method: {name: part[name] for name in kept if name in part} for method, part in methods.items()}
    for method, part in methods.items():
        spans = part.get("intervals", {})
        short[method]["intervals"] = {name: spans[name] for name in CARD_METRICS if name in spans}
    return short


def _calibrated(
    lake: Lake, model_id: str, annotator: Annotator,
) -> tuple[Annotator, dict[str, Calibrated]]:
    """With curves and the best method from the val split, which no head has seen; as it is without one."""
    pictures = read_collection(lake, model_id, ("val",))
    if not pictures.rows:
        return annotator, {}
    facet = read_facets(lake, pictures.ids, (annotator.facet,))[annotator.facet]
    if not facet.exact.nnz:
        return annotator, {}
    curves, errors = calibrate(annotator, pictures.vectors, facet, pictures.ids, "val")
    best = best_method(annotator, pictures.vectors, facet)
    return replace(annotator, curves=curves, best=best), errors


def _compared(
    annotator: Annotator, facet: Facet, teachers: Collection, known: Facet, judged: Collection,
    tiers: Mapping[str, str], options: HeadOptions,
) -> dict[str, Any]:
    votes = neighbour_votes(judged.vectors, teachers.vectors, facet.learned)
    counts = frequencies(facet.learned)
    scorers: dict[str, Scorer] = {
        "frequency": lambda part: np.broadcast_to(counts, (len(judged.vectors[part]), len(counts))),
        "nearest_neighbours": lambda part: votes[part].toarray(),
    }
    scorers |= {method: _scorer(annotator, method, judged.vectors) for method in annotator.methods}
    return image_to_label(known, scorers, tiers, {}, options.resampling)


def _scorer(annotator: Annotator, method: str, vectors: Any) -> Scorer:
    return lambda part: annotator.probabilities(method, vectors[part])


def _card(
    lake: Lake, encoder: TextEncoder, facet: Facet, teachers: Collection, options: HeadOptions,
) -> dict[str, Any]:
    """Where the heads come from."""
    return {
        "model_id": encoder.model_id, "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "version": data_version(lake), "n_train": int((np.diff(facet.learned.indptr) > 0).sum()),
            "n_vectors": len(teachers.rows), "compared_on": list(options.splits),
        },
        "options": {"kinds": list(options.kinds), "templates": list(options.templates)},
        "environment": environment(torch.device("cuda" if torch.cuda.is_available() else "cpu"), 1),
    }


def comparison_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each facet and method: the numbers that EUFCC-340K reports, and the calibration."""
    rows = []
    for facet, told in found["facets"].items():
        for method, part in told["methods"].items():
            low, high = (part.get("intervals") or {}).get("R-Precision", (None, None))
            error = part.get("calibration") or {}
            tiers = {tier: (part.get("tier") or {}).get(tier, {}).get("R-Precision") for tier in TIERS}
            rows.append({
                "facet": facet, "method": method + (" *" if method == told["best"] else ""),
                "R-Precision": part.get("R-Precision"), "low": low, "high": high, "Acc@1": part.get("Acc@1"),
                "Acc@10": part.get("Acc@10"), "rank": part.get("rank"), "mAP": part.get("mAP"), **tiers,
                "ECE": error.get("before"), "calibrated": error.get("after"),
            })
    return rows

