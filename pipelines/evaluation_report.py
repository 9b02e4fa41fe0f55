"""An evaluation as files: JSON for programs, one long table, plots, and a sheet of hits and misses."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lake import Lake
from lake.drafts import in_place_of
from pipelines import console
from pipelines.contact_sheet import save_contact_sheet

Found = Mapping[str, Any]

COLUMNS = (
    "task", "facet", "method", "slice", "value", "n_queries", "metric", "mean", "low", "high", "chance",
)
SHOWN = ("R@1", "R@5", "R@10", "mAP@10", "MRR", "R-Precision", "rank")
_DIRECTIONS = ("text_to_image", "image_to_text")
_NO_METRIC = ("n_queries", "n_labels", "n_levels")


def save_evaluation(lake: Lake, found: Found) -> Path:
    """Write the files of an evaluation as a folder of its own under `reports/evaluation`; the folder.

    Raises LakeError where there is no room; an older one is then as it was.
    """
    from pipelines.plots.evaluation import evaluation_plots, save_plots

    name = "+".join(found["splits"])
    folder = lake.reports / "evaluation" / _plain_name(str(found["model_id"])) / name
    with in_place_of(folder) as draft:
        text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        (draft / "metrics.json").write_text(text, encoding="utf-8")
        (draft / "metrics.csv").write_text(_csv(metric_rows(found)), encoding="utf-8")
        save_plots(evaluation_plots(found), draft)
        for kind, examples in found.get("examples", {}).items():
            if examples:
                sheet = _hits_sheet(examples) if kind == "hits" else _misses_sheet(examples)
                save_contact_sheet(lake, sheet, draft / f"{kind}.png", 6, _sheet_title(kind))
    return folder


def metric_rows(found: Found) -> Iterator[tuple[Any, ...]]:
    """Every number, one row each, in the order of COLUMNS."""
    for direction in _DIRECTIONS:
        if direction in found:
            yield from _sliced((direction, "", "encoder"), found[direction], found[direction]["chance"])
    for facet, parts in found.get("label_prediction", {}).items():
        for task in ("image_to_label", "label_to_image"):
            for method, part in parts[task].items():
                yield from _sliced((task, facet, method), part, parts[task]["chance"])
    for method, part in ((found.get("composed") or {}).get("methods") or {}).items():
        yield from _of_part(("composed", "", method, "", ""), part, found["composed"]["methods"]["chance"])


def evaluation_text(found: Found) -> str:
    """The numbers people compare, as tables."""
    counts = [f"{found['n_pictures']} pictures of {', '.join(found['splits'])}"]
    counts += [f"{found['n_captions']} captions"] if "n_captions" in found else []
    parts = [f"{found['model_id']}: {', '.join(counts)}; data version {found['data_version']}"]
    directions = {name: found[name] for name in _DIRECTIONS if name in found}
    if directions:
        rows = [row for name, part in directions.items() for row in (
            _row({"captions": name.replace("_", " ")}, part), _row({"captions": "  chance"}, part["chance"]),
        )]
        parts.append(console.table(rows))
    for facet, tasks in found.get("label_prediction", {}).items():
        for task in ("image_to_label", "label_to_image"):
            rows = [_row({f"{facet}: {task.replace('_', ' ')}": m}, part) for m, part in tasks[task].items()]
            parts.append(console.table([*rows]))
    if found.get("composed"):
        rows = [_row({"composed": name}, part) for name, part in found["composed"]["methods"].items()]
        parts.append(console.table(rows))
    parts += [f"note: {note}" for note in found["notes"]]
    return "\n\n".join(parts)


def _row(head: dict[str, Any], part: Found) -> dict[str, Any]:
    low, high = (part.get("intervals") or {}).get("R-Precision", (None, None))
    spread = f"{low:.3f} to {high:.3f}" if low is not None else ""
    return head | {name: part.get(name) for name in SHOWN} | {"R-Precision, 95 %": spread}


def _sliced(key: tuple[str, str, str], part: Found, chance: Found) -> Iterator[tuple[Any, ...]]:
    """A part's own numbers, those of its slices, tiers and levels, and of partly right labels."""
    yield from _of_part((*key, "", ""), part, chance)
    slices = dict(part.get("slices") or {}) | {name: part[name] for name in ("tier", "level") if name in part}
    for name, values in slices.items():
        beside = chance.get(name) or (chance.get("slices") or {}).get(name) or {}
        for value, of_value in values.items():
            by_chance = of_value.get("chance") or beside.get(value) or {}
            yield from _of_part((*key, name, value), of_value, by_chance)
    if "credit" in part:
        yield from _of_part((*key, "credit", ""), part["credit"], chance.get("credit") or {})


def _of_part(key: tuple[str, ...], part: Found, chance: Found) -> Iterator[tuple[Any, ...]]:
    for name, value in part.items():
        if isinstance(value, float) and name not in _NO_METRIC:
            low, high = (part.get("intervals") or {}).get(name, ("", ""))
            yield (*key, part["n_queries"], name, value, low, high, chance.get(name, ""))


def _csv(rows: Iterator[tuple[Any, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue()


def _hits_sheet(examples: Sequence[Found]) -> list[tuple[str, str]]:
    return [(str(e["path"]), str(e["caption"])) for e in examples]


def _misses_sheet(examples: Sequence[Found]) -> list[tuple[str, str]]:
    """Of each caption the picture it belongs to and the one found in its place."""
    return [
        cell for e in examples for cell in (
            (str(e["path"]), f"wanted, place {e['place']:.0f}: {e['caption']}"),
            (str(e["first_path"]), f"found instead of: {e['caption']}"),
        )
    ]


def _sheet_title(kind: str) -> str:
    if kind == "hits":
        return "Hits: captions whose picture came first (drawn by lot)"
    return "Misses: captions whose picture came last, and what came first instead"


def _plain_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "model"
