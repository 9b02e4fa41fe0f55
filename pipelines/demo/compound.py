"""Questions made of a picture and a change in words: "this ship, but at night", among held-out pictures.

The demo knows what it drew, so it knows the right answers: pictures of the same subject in the light or the
weather that the words name. They are kept in EUFCC-CIR's form, as `glamlake evaluate --queries` takes them,
and asked here as anybody asks: through the lake's search, by both parts, by words alone, by picture alone.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from lake import Lake, catalog
from lake.drafts import whole_file
from lake.search import QueryEncoder, Searcher, SearchRequest
from models.composed import COLUMNS
from models.intervals import Resampling, summary
from models.metrics import chance, measure
from pipelines.demo.collection import DemoCollection
from pipelines.demo.scenes_model import Scene

QUERIES_FILE = "compound-queries.csv"
MOST = 300
KS = (1, 5, 10)
FIRST = KS[-1] + 1    # by words alone the picture asked with may be among them, and does not count
_CHANGES = {
    "at night": ("time", "night"), "in the evening": ("time", "evening"), "in snow": ("weather", "snow"),
    "in the rain": ("weather", "rain"), "in fog": ("weather", "fog"),
}
_UNLIT = ("map", "portrait")    # in these neither light nor weather is seen


@dataclass(frozen=True)
class CompoundQuery:
    """A picture, the words that say what is to be different, and the pictures that are wanted, by sample."""

    sample_id: str
    words: str
    wanted: tuple[str, ...]


def compound_queries(scenes: dict[str, Scene], seed: int = 42) -> list[CompoundQuery]:
    """At most MOST questions about these samples that have an answer among them, drawn by lot."""
    lit = {sample: scene for sample, scene in sorted(scenes.items()) if scene.subject not in _UNLIT}
    made = [query for sample in lit for query in _asked_with(sample, lit)]
    drawn = random.Random(seed).sample(range(len(made)), min(MOST, len(made)))
    return [made[i] for i in sorted(drawn)]


def scenes_of(lake: Lake, collection: DemoCollection, split: str = "val") -> dict[str, Scene]:
    """What the pictures of a split show, by sample."""
    rows = catalog.rows(lake, _ADDRESSES_SQL, [split])
    found = {str(row["sample_id"]): collection.scene_at(str(row["image_url"])) for row in rows}
    return {sample: scene for sample, scene in found.items() if scene is not None}


def write_queries(path: Path, queries: Sequence[CompoundQuery]) -> None:
    """In EUFCC-CIR's form: a row for each answer."""
    with whole_file(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows((query.sample_id, query.words, one) for query in queries for one in query.wanted)


def asked(
    lake: Lake, encoder: QueryEncoder, queries: Sequence[CompoundQuery], among: Sequence[str],
) -> list[dict[str, Any]]:
    """How often what is wanted is found among the first, by each way of asking, with chance beside."""
    place = {sample: i for i, sample in enumerate(among)}
    shape = (len(queries), len(among))
    right = _marked([[place[one] for one in query.wanted] for query in queries], shape)
    itself = _marked([[place[query.sample_id]] for query in queries], shape)
    search, rows = cache(partial(Searcher(lake).search, encoder=encoder)), []
    for way in ("picture and words", "words alone", "picture alone"):
        scores = np.full(shape, -np.inf)
        for row, query in enumerate(queries):
            for result in search(_request(query, way)):
                scores[row, place[result.sample_id]] = result.score
        found = measure(_scorer(scores), {"all": right}, KS, ignored=itself)["all"]
        rows.append({"asked by": way, **_told(summary(found, Resampling()))})
    by_luck = summary(chance(right, KS, ignored=itself), Resampling(0))
    return [*rows, {"asked by": "chance", **_told(by_luck)}]


def _asked_with(sample: str, scenes: dict[str, Scene]) -> Iterator[CompoundQuery]:
    """The questions about one picture: every change that some other picture of its subject shows."""
    own = scenes[sample]
    for words, (what, value) in _CHANGES.items():
        wanted = tuple(
            other for other, scene in scenes.items()
            if scene.subject == own.subject and getattr(scene.light, what) == value
        )
        if wanted and getattr(own.light, what) != value:
            yield CompoundQuery(sample, words, wanted)


def _request(query: CompoundQuery, way: str) -> SearchRequest:
    words = () if way == "picture alone" else (query.words,)
    like = () if way == "words alone" else (query.sample_id,)
    return SearchRequest(texts=words, like=like, where="split = 'val'", limit=FIRST, collapse=False)


def _scorer(scores: Any) -> Any:
    return lambda part: scores[part]


def _marked(columns: Sequence[Sequence[int]], shape: tuple[int, int]) -> Any:
    start = np.cumsum([0, *map(len, columns)])
    return csr_array((np.ones(start[-1]), np.concatenate(columns).astype(np.int64), start), shape=shape)


def _told(numbers: dict[str, Any]) -> dict[str, str]:
    """The share of questions answered among the first k, with its interval, and the mean precision."""
    told = {name: f"{numbers[name]:.3f}" for name in (*(f"R@{k}" for k in KS), "mAP@10")}
    if "intervals" in numbers:
        low, high = numbers["intervals"]["mAP@10"]
        told["95 % interval"] = f"{low:.3f} to {high:.3f}"
    return told


_ADDRESSES_SQL = """
    select sample_id, min(image_url) as image_url
    from (select sample_id, unnest(record_ids) as record_id from samples where split = ?)
    join records using (record_id)
    group by sample_id
"""
