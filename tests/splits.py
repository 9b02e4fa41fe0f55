"""Made-up samples with labels, and the split that the SQL models give them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from tests.sql_models import build_model

MODELS = ("int_providers__held_out", "int_samples__drawn", "int_labels__tilted", "int_samples__split")


@dataclass(frozen=True)
class Samples:
    """Parallel columns: one entry a sample."""

    names: Sequence[str]
    groups: Sequence[str]
    providers: Sequence[str]
    labels: Sequence[Sequence[str]]

    def part(self, places: Sequence[int]) -> "Samples":
        """Only these samples, in this order."""
        columns = (self.names, self.groups, self.providers, self.labels)
        return Samples(*([column[i] for i in places] for column in columns))


def long_tailed(n_samples: int, n_groups: int, n_labels: int, seed: int = 0) -> Samples:
    """Groups of one or more samples; a label's chance falls with its rank, a group shares most labels."""
    rng = np.random.default_rng(seed)
    chances = 1 / np.arange(1, n_labels + 1) ** 1.1
    group_of = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, n_samples - n_groups)])
    drawn = rng.choice(n_labels, (n_groups, 5), p=chances / chances.sum())
    n_shared = rng.choice([1, 2, 3, 4, 5], n_groups, p=[0.25, 0.3, 0.25, 0.15, 0.05])
    own = rng.choice(n_labels, n_samples, p=chances / chances.sum())
    has_own = rng.random(n_samples) < 0.1
    labels = [
        sorted({f"label {n:03d}" for n in (*drawn[g, :n_shared[g]], *([own[i]] if has_own[i] else []))})
        for i, g in enumerate(group_of)
    ]
    return Samples(
        [f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}" for i in range(1, n_samples + 1)],
        [group_name(int(g)) for g in group_of],
        [f"provider {int(g) % 50}" for g in group_of], labels,
    )


def group_name(number: int) -> str:
    """The name of the group with this number, from 0."""
    return f"{(number + 1) * 0xD1B54A32D192ED03 % 2**64:016x}"


def split(samples: Samples, threads: int = 2, **options: Any) -> dict[str, str]:
    """Each sample's side, by the SQL models themselves."""
    with duckdb.connect() as con:
        con.execute(f"set threads = {threads}")
        for name, columns in _inputs(samples).items():
            texts = {column: pa.array(values, pa.string()) for column, values in columns.items()}
            con.register(f"given_{name}", pa.table(texts))
            con.execute(f"create table {name} as select * from given_{name}")
        for model in MODELS:
            build_model(con, model, **options)
        return dict(con.execute("select cluster_id, split from int_samples__split").fetchall())


def _inputs(samples: Samples) -> dict[str, Mapping[str, list[Any]]]:
    together = zip(samples.names, samples.labels, strict=True)
    carried = [(name, label) for name, labels in together for label in labels]
    return {
        "int_samples__records": {
            "cluster_id": list(samples.names), "provider": list(samples.providers),
            "archive": ["demo"] * len(samples.names),
        },
        "int_samples__grouped": {"cluster_id": list(samples.names), "group_id": list(samples.groups)},
        "int_samples__labelled": {
            "cluster_id": [name for name, _ in carried], "label": [label for _, label in carried],
        },
    }
