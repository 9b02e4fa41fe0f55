"""Composed queries: a picture and a change in words, and the pictures that show it with the change made.

A file of them has the form of EUFCC-CIR: `id1` the picture asked with, `query` the words, `id2` a
picture wanted; rows of one `id1` and `query` are one question with several answers. Without a file they
are made from labels: of two pictures with the same labels but one, of one facet, the first and the
other's label ask for the second.
"""

import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from lake.errors import UsageError
from models.baselines import TEMPLATES, TextEncoder, encoded, label_vectors, unit
from models.intervals import Resampling, summary
from models.label_truth import Facet
from models.metrics import Matrix, chance, cosines, measure

COLUMNS = ("id1", "query", "id2")


@dataclass(frozen=True)
class ComposedQuery:
    """Pictures are rows of the collection that is searched; `is_label` where the words are but a label."""

    picture: int
    words: str
    wanted: tuple[int, ...]
    is_label: bool = False


@dataclass(frozen=True)
class ComposedQueries:
    """Queries, and how many were left out for pictures that are not among those searched."""

    queries: list[ComposedQuery]
    n_unknown: int = 0


@dataclass(frozen=True)
class Composition:
    """How picture and words are put together: the words count `text_weight`, the picture the rest."""

    text_weight: float = 0.5
    templates: Sequence[str] = TEMPLATES
    resampling: Resampling = field(default_factory=Resampling)


def read_queries(path: Path, row_of: Mapping[str, int]) -> ComposedQueries:
    """Queries from a CSV or JSON file; pictures may be named by sample, record or the archive's own id.

    Raises UsageError for a file of another shape, or one none of whose pictures are here.
    """
    asked: dict[tuple[str, str], list[str]] = {}
    for asking, words, wanted in _entries(path):
        asked.setdefault((asking, words), []).extend(wanted)
    found = [
        ComposedQuery(row_of[asking], words, rows)
        for (asking, words), wanted in asked.items()
        if asking in row_of
        and (rows := tuple(sorted({row_of[i] for i in wanted if i in row_of} - {row_of[asking]})))
    ]
    if not found:
        raise UsageError(
            f"none of the {len(asked)} queries of {path} has its picture and one it wants among those "
            "evaluated; give their --split, and ids as in samples.sample_id or records.record_id"
        )
    return ComposedQueries(found, len(asked) - len(found))


def queries_from_labels(facets: Mapping[str, Facet], most: int, seed: int) -> ComposedQueries:
    """At most so many queries from pairs of label sets that differ in one label of one facet."""
    facet_of: dict[str, str] = {label: name for name, facet in facets.items() for label in facet.labels}
    sets = _label_sets(facets)
    rows_of: dict[frozenset[str], list[int]] = {}
    for row, labels in enumerate(sets):
        rows_of.setdefault(labels, []).append(row)
    neighbours = _neighbours(rows_of, facet_of)
    made = [
        ComposedQuery(row, label, tuple(rows_of[labels - {old} | {label}]), is_label=True)
        for row, labels in enumerate(sets)
        for old, label in neighbours.get(labels, ())
    ]
    chosen = random.Random(seed).sample(range(len(made)), min(most, len(made)))
    return ComposedQueries([made[i] for i in sorted(chosen)])


def evaluate_composed(
    queries: Sequence[ComposedQuery], pictures: Matrix, encoder: TextEncoder, how: Composition,
) -> dict[str, Any]:
    """Picture and words together, beside each alone and chance; the picture asked with is no answer."""
    words = unit(_word_vectors(queries, encoder, how.templates))
    asked = pictures[[query.picture for query in queries]]
    ways = {
        "picture_and_text": unit(how.text_weight * words + (1 - how.text_weight) * asked),
        "text_only": words, "picture_only": asked,
    }
    shape = (len(queries), len(pictures))
    right = _marked([query.wanted for query in queries], shape)
    itself = _marked([(query.picture,) for query in queries], shape)
    found = {
        name: summary(measure(cosines(rows, pictures), {"all": right}, ignored=itself)["all"], how.resampling)
        for name, rows in ways.items()
    }
    return found | {"chance": summary(chance(right, ignored=itself), Resampling(0))}


def _word_vectors(queries: Sequence[ComposedQuery], encoder: TextEncoder, templates: Sequence[str]) -> Matrix:
    labels = sorted({query.words for query in queries if query.is_label})
    texts = sorted({query.words for query in queries if not query.is_label})
    vectors = [label_vectors(encoder, labels, templates)] if labels else []
    vectors += [encoded(encoder, texts)] if texts else []
    place = {(word, True): i for i, word in enumerate(labels)}
    place |= {(word, False): len(labels) + i for i, word in enumerate(texts)}
    rows: Matrix = np.concatenate(vectors)[[place[query.words, query.is_label] for query in queries]]
    return rows


def _marked(columns: Sequence[Sequence[int]], shape: tuple[int, int]) -> Any:
    start = np.cumsum([0, *map(len, columns)])
    return csr_array((np.ones(start[-1]), np.concatenate(columns).astype(np.int64), start), shape=shape)


def _label_sets(facets: Mapping[str, Facet]) -> list[frozenset[str]]:
    n = next(iter(facets.values())).exact.shape[0] if facets else 0
    sets: list[set[str]] = [set() for _ in range(n)]
    for facet in facets.values():
        rows, columns = facet.exact.nonzero()
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            sets[row].add(facet.labels[column])
    return [frozenset(labels) for labels in sets]


def _neighbours(
    sets: Mapping[frozenset[str], Any], facet_of: Mapping[str, str],
) -> dict[frozenset[str], list[tuple[str, str]]]:
    """For each label set the changes (label out, label in) that give another set that is there.

    What stays must be something: a set of one label asks for a label, not for a change.
    """
    rests: dict[tuple[frozenset[str], str], list[str]] = {}
    for labels in sets:
        for label in labels:
            rests.setdefault((labels - {label}, facet_of[label]), []).append(label)
    changes: dict[frozenset[str], list[tuple[str, str]]] = {}
    for (rest, _), labels_there in rests.items():
        for old, new in permutations(sorted(labels_there), 2) if rest else ():
            changes.setdefault(rest | {old}, []).append((old, new))
    return {labels: sorted(pairs) for labels, pairs in changes.items()}


def _entries(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """(picture, words, pictures wanted) of each row; raises UsageError where a row is none."""
    rows = _json_rows(path) if path.suffix.lower() == ".json" else _csv_rows(path)
    for number, row in enumerate(rows, 1):
        values = [row.get(name) for name in COLUMNS] if isinstance(row, dict) else [None]
        if any(value in (None, "", []) for value in values):
            raise UsageError(f"query {number} of {path} lacks one of {', '.join(COLUMNS)}")
        asking, words, wanted = values
        yield str(asking), str(words), [str(i) for i in (wanted if isinstance(wanted, list) else [wanted])]


def _csv_rows(path: Path) -> list[Any]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            rows: list[Any] = [] if missing else list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise UsageError(f"cannot read composed queries from {path}: {e}") from e
    if missing:
        raise UsageError(f"{path} has no column {missing[0]!r}; composed queries are {', '.join(COLUMNS)}")
    return rows


def _json_rows(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as e:
        raise UsageError(f"cannot read composed queries from {path}: {e}") from e
    if not isinstance(rows, list):
        raise UsageError(f"{path} is no list of objects with {', '.join(COLUMNS)}")
    return rows
