"""How well an encoder finds: captions and pictures, labels, and composed queries, with chance beside.

What the numbers are is said in `models/metrics.py`: pictures that share a caption are all right answers
to it, and ties count as what breaking them at random gives on average, so an encoder that gives
everything the same score gets exactly chance. Slices (an archive, a decade) choose queries; the answers
searched are always all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lake import Lake
from lake.errors import EmptyLake, UsageError
from models import composed, heads
from models.baselines import (
    TEMPLATES,
    TextEncoder,
    encoded,
    frequencies,
    label_vectors,
    neighbour_votes,
)
from models.collection import (
    Collection,
    Slices,
    data_version,
    label_tiers,
    read_collection,
    require_pictures,
)
from models.intervals import Resampling, by_slice, only, summary
from models.label_tasks import image_to_label, label_to_image
from models.label_truth import Facet, read_facets
from models.metrics import KS, Ints, Matrix, Measured, Scorer, chance, cosines, measure, same_group

TASKS = ("captions", "labels", "composed")
EXAMPLES = 12


@dataclass(frozen=True)
class EvaluateOptions:
    """What is evaluated and how.

    `queries` is a file of composed queries; without one at most `n_composed` are made from labels.
    """

    tasks: tuple[str, ...] = TASKS
    facets: tuple[str, ...] = ()
    templates: tuple[str, ...] = TEMPLATES
    queries: Path | None = None
    n_composed: int = 500
    text_weight: float = 0.5
    resampling: Resampling = field(default_factory=Resampling)


@dataclass(frozen=True)
class Teaching:
    """What the methods that learn may learn from."""

    pictures: Collection
    facets: Mapping[str, Facet]


def evaluate(
    lake: Lake, encoder: TextEncoder, splits: Sequence[str] = ("val",),
    options: EvaluateOptions | None = None,
) -> dict[str, Any]:
    """Everything asked for, over the samples of these splits that have a vector of this encoder's model.

    Raises EmptyLake where there are none.
    """
    options = options or EvaluateOptions()
    collection = read_collection(lake, encoder.model_id, splits)
    require_pictures(collection, splits)
    found: dict[str, Any] = {
        "model_id": encoder.model_id, "splits": list(splits), "data_version": data_version(lake),
        "n_pictures": len(collection.rows), "n_without_vector": collection.n_without_vector,
        "templates": list(options.templates), "notes": _notes(splits),
    }
    tiers = label_tiers(lake)
    slices = collection.slices(tiers)
    if "captions" in options.tasks:
        found |= _captions(collection, encoder, slices, options.resampling)
    if {"labels", "composed"} & set(options.tasks):
        facets = _facets(lake, collection, options, found["notes"])
    if "labels" in options.tasks:
        teaching = _teaching(lake, encoder, facets)
        found["label_prediction"] = _labels(
            encoder, collection, facets, teaching, tiers, slices, options, found["notes"],
        )
    if "composed" in options.tasks:
        found["composed"] = _composed(encoder, collection, facets, options, found["notes"])
    return found


def _both_ways(
    pictures: Matrix, texts: Matrix, picture_group: Ints, text_group: Ints,
) -> dict[str, tuple[Measured, Measured]]:
    by_text = same_group(text_group, picture_group)
    by_picture = same_group(picture_group, text_group)
    return {
        "text_to_image": (measure(cosines(texts, pictures), {"all": by_text})["all"], chance(by_text)),
        "image_to_text": (measure(cosines(pictures, texts), {"all": by_picture})["all"], chance(by_picture)),
    }


def _captions(
    collection: Collection, encoder: TextEncoder, slices: Slices, how: Resampling,
) -> dict[str, Any]:
    """Captions as known items: each finds its pictures, and each picture its caption."""
    told = np.array([bool(row["caption"]) for row in collection.rows])
    if not told.any():
        raise EmptyLake("no sample of these splits has a caption; give another --split, or --task labels")
    told_rows = [row for row, has_caption in zip(collection.rows, told, strict=True) if has_caption]
    captions, group = np.unique([row["caption"] for row in told_rows], return_inverse=True)
    n_captions = len(captions)
    texts = encoded(encoder, captions.tolist())
    pictures = collection.vectors[told]
    both = _both_ways(pictures, texts, group, np.arange(n_captions))
    of_pictures = _each(slices, lambda member: member[told])
    of_texts = _each(of_pictures, lambda member: np.bincount(group[member], minlength=n_captions) > 0)
    chosen = {"text_to_image": of_texts, "image_to_text": of_pictures}
    labels = [set(row["labels"] or ()) for row in told_rows]
    return {
        "n_captions": n_captions, "n_without_caption": int((~told).sum()),
        **{name: _with_chance(*found, chosen[name], how) for name, found in both.items()},
        "examples": _examples(both["text_to_image"][0], texts, pictures, told_rows, group, how.seed),
        "labels": list(_by_label(both["text_to_image"][0], labels, group)),
    }


def _each(slices: Slices, change: Callable[[Any], Any]) -> Slices:
    return {
        name: {value: change(member) for value, member in values.items()} for name, values in slices.items()
    }


def _with_chance(found: Measured, by_chance: Measured, slices: Slices, how: Resampling) -> dict[str, Any]:
    parts = by_slice(found, slices, how)
    beside = by_slice(by_chance, slices, Resampling(0))
    for name, values in parts.items():
        for value, part in values.items():
            part["chance"] = beside[name][value]
    return summary(found, how) | {"chance": summary(by_chance, Resampling(0)), "slices": parts}


def _by_label(found: Measured, labels: Sequence[set[str]], group: Ints) -> Iterator[dict[str, Any]]:
    """Text to image for the captions of each label's pictures."""
    for label in sorted(set().union(*labels)):
        of_label = np.array([label in own for own in labels])
        captions = np.bincount(group[of_label], minlength=len(found.rows)) > 0
        numbers = summary(only(found, captions), Resampling(0))
        kept = {name: numbers[name] for name in (*(f"R@{k}" for k in KS), "median_rank")}
        yield {"label": label, "n_pictures": int(of_label.sum()), **kept}


def _examples(
    found: Measured, texts: Matrix, pictures: Matrix, rows: Sequence[dict[str, Any]], group: Ints, seed: int,
) -> dict[str, list[dict[str, Any]]]:
    """Some captions that found their picture first, by lot, and those that found it last."""
    places = found.values["first_rank"]
    hits = np.flatnonzero(places == 1)
    hits = np.sort(np.random.default_rng(seed).permutation(hits)[:EXAMPLES])
    misses = np.argsort(-places, kind="stable")[:EXAMPLES]
    chosen = {"hits": hits, "misses": misses[places[misses] > 1]}

    def told(text: int) -> dict[str, Any]:
        wanted = rows[int(np.flatnonzero(group == text)[0])]
        first = rows[int(np.argmax(cosines(texts, pictures)(slice(text, text + 1))))]
        return {
            "caption": wanted["caption"], "place": float(places[text]),
            "sample_id": wanted["sample_id"], "path": wanted["path"],
            "first_sample_id": first["sample_id"], "first_path": first["path"],
        }

    return {name: [told(int(text)) for text in texts_of] for name, texts_of in chosen.items()}


def _facets(
    lake: Lake, collection: Collection, options: EvaluateOptions, notes: list[str],
) -> dict[str, Facet]:
    if not lake.mart("record_labels").exists():
        notes.append("no labels are known; run `glamlake normalise`")
        return {}
    found = read_facets(lake, collection.ids, options.facets)
    if not found:
        notes.append("no record has a label, so labels and composed queries are left out")
    return found


def _teaching(lake: Lake, encoder: TextEncoder, facets: Mapping[str, Facet]) -> Teaching:
    """The training pictures that have a vector, and their labels."""
    teachers = read_collection(lake, encoder.model_id, ("train",))
    learned = read_facets(lake, teachers.ids, tuple(facets)) if facets and teachers.rows else {}
    return Teaching(teachers, learned)


def _labels(
    encoder: TextEncoder, collection: Collection, facets: Mapping[str, Facet], teaching: Teaching,
    tiers: dict[str, str], slices: Slices, options: EvaluateOptions, notes: list[str],
) -> dict[str, Any]:
    """Facet by facet: zero-shot, a linear probe, nearest neighbours, counting and chance."""
    chosen = {name: slices[name] for name in ("archive", "decade", "language")}
    found = {}
    for name, facet in facets.items():
        if not facet.exact.nnz:
            notes.append(f"no picture of these splits has a label in facet {name}")
            continue
        prompts = label_vectors(encoder, facet.labels, options.templates)
        forth, back = _scorers(collection.vectors, prompts, teaching, name, notes)
        found[name] = {
            "n_labels": len(facet.labels), "n_levels": facet.n_levels,
            "image_to_label": image_to_label(facet, forth, tiers, chosen, options.resampling),
            "label_to_image": label_to_image(facet, back, tiers, options.resampling),
        }
    return found


def _scorers(
    pictures: Matrix, prompts: Matrix, teaching: Teaching, name: str, notes: list[str],
) -> tuple[dict[str, Scorer], dict[str, Scorer]]:
    """Scores of labels for pictures, and of pictures for labels, by each method that has what it needs."""
    forth = {"zero_shot": cosines(pictures, prompts)}
    back = {"zero_shot": cosines(prompts, pictures)}
    teachers, taught = teaching.pictures, teaching.facets.get(name)
    if taught is None:
        notes.append("no training picture has a vector, so nothing learned stands beside zero-shot")
        return forth, back
    counts = frequencies(taught.learned)
    forth["frequency"] = lambda part: np.broadcast_to(counts, (len(pictures[part]), len(counts)))
    try:
        probe = heads.fit("sigmoid", teachers.vectors, taught, teachers.ids)
    except UsageError as e:
        notes.append(str(e))
        return forth, back
    votes = neighbour_votes(pictures, teachers.vectors, taught.learned)
    turned = votes.T.tocsr()
    forth["linear_probe"] = lambda part: probe.logits(pictures[part])
    back["linear_probe"] = lambda part: probe.weight[part] @ pictures.T
    forth["nearest_neighbours"] = lambda part: votes[part].toarray()
    back["nearest_neighbours"] = lambda part: turned[part].toarray()
    return forth, back


def _composed(
    encoder: TextEncoder, collection: Collection, facets: Mapping[str, Facet], options: EvaluateOptions,
    notes: list[str],
) -> dict[str, Any] | None:
    if options.queries is not None:
        asked = composed.read_queries(options.queries, _rows_by_name(collection))
    else:
        asked = composed.queries_from_labels(facets, options.n_composed, options.resampling.seed)
    if not asked.queries:
        notes.append("no two pictures differ in one label of several, so no composed query could be made")
        return None
    how = composed.Composition(options.text_weight, options.templates, options.resampling)
    found = composed.evaluate_composed(asked.queries, collection.vectors, encoder, how)
    source = str(options.queries) if options.queries else "pairs of labels"
    return {
        "source": source, "n_unknown": asked.n_unknown, "text_weight": options.text_weight, "methods": found,
    }


def _rows_by_name(collection: Collection) -> dict[str, int]:
    """Places of the pictures by sample, record and native id; of an id that several have the first counts."""
    names: dict[str, int] = {}
    for kind in ("sample_id", "record_ids", "native_ids"):
        for place, row in enumerate(collection.rows):
            for name in [row[kind]] if kind == "sample_id" else row[kind] or ():
                names.setdefault(str(name), place)
    return names


def _notes(splits: Sequence[str]) -> list[str]:
    if "train" not in splits:
        return []
    return ["the linear probe and the nearest neighbours have seen the train split with its labels"]
