"""Search beside exact matrix products: speed, recall, memory, index build, filters of every width.

562,842 vectors of 512 numbers (as many as the Library of Congress has maps) in 2,000 clusters of unequal size
around 50 themes. The peer is what a notebook does: all vectors in memory, one product, the ten best. Ours is
the whole search in a process of its own, from the query's vector to titles and links. Questions are like
pictures; then also like words, which in CLIP's spaces lie far from all pictures.
`python -m tests.benchmarks.bench_search [--quick]`
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lake import Lake
from lake.freshness import keep_fresh
from lake.search import Searcher, SearchRequest
from lake.tables import RAW_HITS, RECORDS
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.benchmarks._table import ROOT, measured, show
from tests.lakes import write_mart, write_raw

Vectors = NDArray[np.float32]

DIM, N_CLUSTERS, N_THEMES = 512, 2_000, 50
ROUNDS = 4
# years are drawn from 1000 to 1999, so that a condition on them keeps a known share of the samples
SHARES = {"50 %": "year < 1500", "5 %": "year < 1050", "1 %": "year < 1010", "0.1 %": "year < 1001"}
ALIKE = 0.25    # the cosine of words and of what they describe, about
OTHERS = {"a label": "'theme 7' in labels", "by DuckDB": "title ilike '%number 1%'"}


def main(quick: bool) -> None:
    """Measure and print."""
    n, n_queries = (60_000, 40) if quick else (562_842, 200)
    with tempfile.TemporaryDirectory(prefix="glamlake-bench-") as folder:
        lake = Lake(Path(folder) / "lake").open()
        vectors, queries, clusters = clustered(n, n_queries)
        words = as_words(queries)
        np.save(lake.root / "queries.npy", np.concatenate([queries, words]))
        facts = write_samples(lake, clusters)
        write_vectors(lake, vectors, facts["sample_id"].to_pylist())
        seconds = timed(lambda: keep_fresh(lake, "bench"))
        parts = {"data": "bench.lance/data", "_indices": "bench.lance/_indices", "near": "bench.near"}
        sizes = {name: size_mb(lake.vectors / part) for name, part in parts.items()}
        with Asked(lake) as ours:
            compare(ours, vectors, queries, n)
            filtered(ours, vectors, queries, facts)
            far_away(ours, vectors, words, facts, n_queries)
            rss = ours.ask({"memory": True})
    # data: with versions not yet dropped; near: the codes, the vectors once more, and what is told of each
    on_disk = {"data MB": sizes["data"], "indices MB": sizes["_indices"], "near MB": sizes["near"]}
    show("table", [{"build seconds": seconds} | on_disk | rss])
    measured("search", "seconds to copy facts and build every index", seconds)
    measured("search", "MB of indices", sizes["_indices"] + sizes["near"])
    measured("search", "resident MB of the searching process", rss["resident MB"], at_most=400)


def compare(ours: "Asked", vectors: Vectors, queries: Vectors, n: int) -> None:
    """Both in turns, so that what else the machine does hits both."""
    exact_s: list[float] = []
    answers: list[dict[str, Any]] = []
    nearest: list[list[int]] = []
    for part in np.array_split(np.arange(len(queries)), ROUNDS):
        for i in part:
            began = time.perf_counter()
            nearest.append(best(vectors @ queries[i]))
            exact_s.append(time.perf_counter() - began)
        answers += ours.ask({"queries": part.tolist()})
    peer, own = 1000 * np.median(exact_s), 1000 * np.median([answer["s"] for answer in answers])
    recall = mean_recall(answers, nearest)
    show(f"{n:,} × {DIM}", [{
        "notebook p50 ms": peer, "ours p50 ms": own, "times faster": peer / own, "recall@10": recall,
        "ours p99 ms": 1000 * np.quantile([answer["s"] for answer in answers], 0.99),
    }])
    measured("search", "p50 ms of a search", own, peer=peer, peer_name="float32 matmul", ratio_at_most=0.1)
    measured("search", "recall@10", recall, at_least=0.95)


def filtered(ours: "Asked", vectors: Vectors, queries: Vectors, facts: pa.Table) -> None:
    """Recall under filters of every width, and one that goes with the clusters."""
    years = facts["year"].to_numpy()
    masks = {name: years < int(where.split()[-1]) for name, where in SHARES.items()}
    masks["a label"] = np.array(["theme 7" in labels for labels in facts["labels"].to_pylist()])
    masks["by DuckDB"] = np.array(["number 1" in title for title in facts["title"].to_pylist()])
    rows = []
    for name, mask in masks.items():
        where, chosen = {**SHARES, **OTHERS}[name], np.flatnonzero(mask)
        part = vectors[chosen]
        nearest = [[int(chosen[i]) for i in best(part @ query)] for query in queries]
        answers = ours.ask({"queries": list(range(len(queries))), "where": where})
        recall = mean_recall(answers, nearest)
        rows.append({
            "filter": name, "samples": len(chosen), "recall@10": recall,
            "p50 ms": 1000 * np.median([answer["s"] for answer in answers]),
            "first ms": 1000 * answers[0]["s"],
        })
        if name in SHARES:
            measured("search", f"recall@10 under a filter that keeps {name}", recall, at_least=0.95)
    show("filtered", rows)


def far_away(ours: "Asked", vectors: Vectors, words: Vectors, facts: pa.Table, first: int) -> None:
    """The same for words; `first` is the number of the first of them."""
    years, rows = facts["year"].to_numpy(), []
    for name, where in {"none": None, **SHARES}.items():
        chosen = np.flatnonzero(years < (int(where.split()[-1]) if where else 9999))
        part = vectors[chosen]
        nearest = [[int(chosen[i]) for i in best(part @ word)] for word in words]
        numbers = list(range(first, first + len(words)))
        answers = ours.ask({"queries": numbers, "where": where})
        ms = [1000 * answer["s"] for answer in answers]
        recall = mean_recall(answers, nearest)
        rows.append({"filter": name, "recall@10": recall, "p50 ms": np.median(ms),
                     "p99 ms": np.quantile(ms, 0.99)})
        measured("search", f"recall@10 of words, filter: {name}", recall, at_least=0.95)
    show("words, far from all pictures", rows)


def best(scores: Vectors, k: int = 10) -> list[int]:
    """Places of the k highest scores, best first."""
    top = np.argpartition(-scores, k)[:k]
    return [int(i) for i in top[np.argsort(-scores[top])]]


def mean_recall(answers: Sequence[Mapping[str, Any]], nearest: Sequence[Sequence[int]]) -> float:
    """The share of the truly nearest that were found."""
    pairs = zip(answers, nearest, strict=True)
    return float(np.mean([len(set(answer["found"]) & set(true)) / len(true) for answer, true in pairs]))


def clustered(n: int, n_queries: int) -> tuple[Vectors, Vectors, NDArray[np.int64]]:
    """Vectors of length 1 with a common part, as CLIP's have; queries are others of the same clusters."""
    rng = np.random.default_rng(42)
    themes = rng.normal(size=(N_THEMES, DIM))
    theme_of = rng.integers(0, N_THEMES, N_CLUSTERS)
    centres = 1 + themes[theme_of] + 0.8 * rng.normal(size=(N_CLUSTERS, DIM))
    size = 1 / np.arange(1, N_CLUSTERS + 1) ** 0.7
    clusters = rng.choice(N_CLUSTERS, n + n_queries, p=size / size.sum())
    drawn = np.empty((n + n_queries, DIM), np.float32)
    for start in range(0, len(drawn), 20_000):
        part = clusters[start:start + 20_000]
        rows = centres[part] + 0.9 * rng.normal(size=(len(part), DIM))
        drawn[start:start + 20_000] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return drawn[:n], drawn[n:].copy(), theme_of[clusters[:n]]


def as_words(queries: Vectors) -> Vectors:
    """What is like those queries, but mostly something that all words share and pictures do not."""
    shared = np.random.default_rng(1).normal(size=DIM)
    words = ALIKE * queries + np.sqrt(1 - ALIKE**2) * shared / np.linalg.norm(shared)
    unit: Vectors = (words / np.linalg.norm(words, axis=1, keepdims=True)).astype(np.float32)
    return unit


def write_samples(lake: Lake, themes: NDArray[np.int64]) -> pa.Table:
    """One sample a vector, with a title, a description, a year and labels."""
    n = len(themes)
    rng = np.random.default_rng(7)
    ids = [f"{number:016x}" for number in range(n)]
    word = np.array([f"word{number}" for number in range(20_000)])
    texts = word[(rng.pareto(0.8, (n, 20)) * 10).astype(np.int64) % len(word)]
    table = pa.table({
        "sample_id": ids, "sha256": ids, "path": [f"images/{name}.jpg" for name in ids],
        "record_ids": [[f"bench:{number}"] for number in range(n)], "archives": [["bench"]] * n,
        "labels": [[f"theme {theme}"] for theme in themes], "label": [f"theme {theme}" for theme in themes],
        "title": [f"number {number}" for number in range(n)],
        "description": [" ".join(row) for row in texts], "caption": [" ".join(row[:8]) for row in texts],
        "year": pa.array(1000 + rng.integers(0, 1000, n), pa.int32()), "rights_class": ["open"] * n,
        "attribution": ["Someone"] * n, "cluster_id": ids, "split": ["val"] * n,
        "language": [("en", "de", "fi", "fr")[number % 4] for number in range(n)],
        "providers": [[f"provider {theme % 12}"] for theme in themes], "countries": [["Finland"]] * n,
        "landing_urls": [[f"https://archive.invalid/{name}"] for name in ids],
    })
    write_raw(lake, RAW_HITS, [{"hit_id": "1"}])
    write_mart(lake, RECORDS, [])
    pq.write_table(table, lake.mart("samples"))
    return table


def write_vectors(lake: Lake, vectors: Vectors, ids: Sequence[str]) -> None:
    """Into the lake as `embed` does."""
    store = VectorStore(lake)
    store.register(ModelInfo("bench", DIM, "", "", None, ""))
    for start in range(0, len(ids), 20_000):
        part = zip(ids[start:start + 20_000], vectors[start:start + 20_000], strict=True)
        store.add("bench", [VectorRow(name, name, vector) for name, vector in part])
    store.compact("bench")


def timed(work: Any) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def size_mb(folder: Path) -> float:
    """What a folder's files take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


class Asked:
    """The searching process, asked a line and answering a line."""

    def __init__(self, lake: Lake) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.bench_search", "--answer", str(lake.root)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )

    def ask(self, question: Mapping[str, Any]) -> Any:
        """What it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Asked":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class GivenVectors:
    """An encoder whose texts are numbers of vectors made before."""

    model_id = "bench"

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """The vectors of these numbers."""
        return self._vectors[[int(text) for text in texts]]

    def encode_images(self, images: Sequence[Any]) -> Vectors:
        """Nobody asks."""
        raise NotImplementedError


def answer(root: Path) -> None:
    """The searching process: a question a line on stdin, an answer a line on stdout."""
    searcher, encoder = Searcher(Lake(root)), GivenVectors(np.load(root / "queries.npy"))
    for number in range(3):    # what is read and compiled once is no part of a search
        searcher.search(SearchRequest(texts=(str(number),), limit=11), encoder)
    for line in sys.stdin:
        asked = json.loads(line)
        found = _memory() if "memory" in asked else list(_answers(searcher, encoder, asked))
        print(json.dumps(found), flush=True)


def _answers(searcher: Searcher, encoder: GivenVectors, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for number in asked["queries"]:
        request = SearchRequest(texts=(str(number),), limit=10, where=asked.get("where"))
        began = time.perf_counter()
        found = searcher.search(request, encoder)
        seconds = time.perf_counter() - began
        yield {"s": seconds, "found": [int(result.sample_id, 16) for result in found]}


def _memory() -> dict[str, float]:
    """What this process holds now, and the part of it that is its own and no file's."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    kb = {name: int(lines[field].split()[0]) for name, field in (("resident", "VmRSS"), ("own", "RssAnon"))}
    return {f"{name} MB": size / 1e3 for name, size in kb.items()}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if "--answer" in sys.argv:
        answer(Path(sys.argv[-1]))
    else:
        main("--quick" in sys.argv)
