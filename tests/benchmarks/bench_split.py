"""The split beside iterative-stratification and scikit-multilearn: leakage, shares, churn, seconds.

100,000 samples with 100 long-tailed labels in 60,000 groups of near duplicates, then a tenth more of all.
`python -m tests.benchmarks.bench_split [--quick]`; peers: see `make bench`.
"""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks._table import ask_peer, measured, peak_gb, show
from tests.splits import Samples, group_name, long_tailed, split

SHARE = 0.35
Row = Mapping[str, Any]
PEERS = """
import json, sys, time
import numpy as np
asked = json.load(sys.stdin)
def table(labels):
    y = np.zeros((len(labels), asked["n_labels"]), dtype=int)
    for i, own in enumerate(labels):
        y[i, own] = 1
    return y
def ours(y):
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
    divider = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=asked["share"], random_state=42)
    return next(divider.split(np.zeros(len(y)), y))[1]
def theirs(y):
    from skmultilearn.model_selection import IterativeStratification
    np.random.seed(42)
    shares = [asked["share"], 1 - asked["share"]]
    divider = IterativeStratification(n_splits=2, order=1, sample_distribution_per_fold=shares)
    return next(divider.split(np.zeros(len(y)), y))[1]
divide = {"iterative-stratification": ours, "scikit-multilearn": theirs}[asked["peer"]]
found = []
for labels in asked["labels"]:
    y = table(labels)
    began = time.perf_counter()
    val = divide(y)
    found.append({"seconds": time.perf_counter() - began, "val": [int(i) for i in val]})
print(json.dumps(found))
"""


def main(quick: bool) -> None:
    """Measure and print."""
    n_samples, n_groups = (11_000, 6_600) if quick else (110_000, 66_000)
    grown = long_tailed(n_samples, n_groups, 100)
    old = {group_name(number) for number in range(n_groups * 10 // 11)}
    lake = grown.part([i for i, group in enumerate(grown.groups) if group in old])
    rows = [_of_ours(lake, grown)]
    for peer in ("iterative-stratification", "scikit-multilearn"):
        row = _of_peer(peer, lake, grown)
        rows += [row] if row else []
    size = f"{len(lake.names):,} samples in {len(old):,} groups"
    show(f"split of {size}, 100 labels (peak {peak_gb():.1f} GB)", rows)
    _promise(rows[0], rows[1:])


def _promise(ours: Row, peers: Sequence[Row]) -> None:
    """Beside the faster of the peers."""
    theirs = min(peers, key=lambda row: row["seconds"], default=None)
    name = str(theirs["tool"]) if theirs else "iterative-stratification"
    for what, at_most in (("groups on two sides", 0), ("worst share error", 0.01), ("% changing sides", 0.5)):
        peer = theirs[what] if theirs else None
        measured("split", what, ours[what], peer=peer, peer_name=name, at_most=at_most)
    peer = theirs["seconds"] if theirs else None
    measured("split", "seconds", ours["seconds"], peer=peer, peer_name=name, ratio_at_most=1)


def _of_ours(lake: Samples, grown: Samples) -> Row:
    began = time.perf_counter()
    sides = split(lake)
    seconds = time.perf_counter() - began
    assert split(lake.part(range(len(lake.names))[::-1])) == sides
    return _row("glamlake (SQL)", seconds, lake, sides, split(grown))


def _of_peer(peer: str, lake: Samples, grown: Samples) -> Row | None:
    number = {label: n for n, label in enumerate(sorted({label for own in grown.labels for label in own}))}
    asked = [[[number[label] for label in own] for own in samples.labels] for samples in (lake, grown)]
    found = ask_peer(PEERS, {"peer": peer, "share": SHARE, "n_labels": len(number), "labels": asked})
    if found is None:
        return None
    sides = []
    for samples, one in zip((lake, grown), found, strict=True):
        val = set(one["val"])
        sides.append({name: "val" if i in val else "train" for i, name in enumerate(samples.names)})
    return _row(peer, found[0]["seconds"], lake, *sides)


def _row(
    tool: str, seconds: float, lake: Samples, sides: Mapping[str, str], grown: Mapping[str, str],
) -> Row:
    of_group, counts, groups = defaultdict(set), defaultdict(Counter), defaultdict(set)
    for name, group, labels in zip(lake.names, lake.groups, lake.labels, strict=True):
        of_group[group].add(sides[name])
        for label in labels:
            counts[label][sides[name]] += 1
            groups[label].add(group)
    errors = [abs(n["val"] / n.total() - SHARE) for label, n in counts.items() if len(groups[label]) >= 100]
    return {
        "tool": tool, "seconds": round(seconds, 2),
        "groups on two sides": sum(len(found) > 1 for found in of_group.values()),
        "worst share error": max(errors), "labels": len(errors),
        "% changing sides": 100 * sum(grown[name] != side for name, side in sides.items()) / len(sides),
    }


if __name__ == "__main__":
    main("--quick" in sys.argv)
