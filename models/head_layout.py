"""How outputs of a linear map become probabilities of labels: the five layouts EUFCC-340K compares.

    sigmoid              one yes or no for every label
    softmax              one choice among all labels
    weighted_softmax     the same, each label's examples weighted by one over their number
    hierarchical_level   one choice at each level of the hierarchy, 'no deeper' among them
    hierarchical_node    one choice at each node: which child, or none

A label under several parents is several ways; its probability is the sum over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from models.label_truth import Way

KINDS = ("sigmoid", "softmax", "weighted_softmax", "hierarchical_level", "hierarchical_node")

Unit = tuple[Any, ...]


@dataclass(frozen=True)
class Layout:
    """Units (columns of the linear map) in groups that are one choice each; without groups each is yes or no.

    `ways` marks the units whose probabilities are multiplied on each way (units × ways), `ends` the
    column of the label each way leads to.
    """

    kind: str
    n_units: int
    groups: tuple[slice, ...]
    ways: Any
    ends: tuple[int, ...]


def layout_of(kind: str, labels: Sequence[str], ways: Sequence[Way]) -> Layout:
    """The layout of a kind over the labels of a facet and the ways to them."""
    if kind == "hierarchical_level":
        groups, chosen = _by_level(ways)
    elif kind == "hierarchical_node":
        groups, chosen = _by_node(ways)
    else:
        ways = [(label,) for label in labels]
        groups, chosen = [list(ways)], [[way] for way in ways]
    return _layout(kind, groups, chosen, tuple(list(labels).index(way[-1]) for way in ways))


def targets(layout: Layout, marked: Any) -> Any:
    """What each unit should say of each picture (pictures × units): shares of a choice, or yes and no.

    `marked` are the labels of the pictures (pictures × labels).
    """
    if layout.kind == "sigmoid":
        return marked
    to_ways = csr_array(np.arange(marked.shape[1])[:, None] == np.asarray(layout.ends)[None, :], dtype=float)
    wanted = _rows_to_one(marked) @ _rows_to_one(to_ways) @ layout.ways.T
    if layout.kind == "weighted_softmax":
        counts = np.asarray(wanted.sum(axis=0)).ravel()
        even = counts.sum() / max((counts > 0).sum(), 1)
        wanted = wanted.multiply((even / np.where(counts > 0, counts, np.inf))[None, :])
    return csr_array(wanted)


def label_probabilities(layout: Layout, logits: NDArray[np.float64], n_labels: int) -> NDArray[np.float64]:
    """Probabilities (pictures × labels) from logits (pictures × units)."""
    if layout.kind == "sigmoid":
        return np.exp(-np.logaddexp(0, -logits))
    logs = np.empty_like(logits)
    for group in layout.groups:
        part = logits[:, group] - logits[:, group].max(axis=1, keepdims=True)
        logs[:, group] = part - np.log(np.exp(part).sum(axis=1, keepdims=True))
    of_ways = np.exp((layout.ways.T @ logs.T).T)
    found = np.zeros((len(logits), n_labels))
    np.add.at(found.T, np.asarray(layout.ends), of_ways.T)
    if layout.kind == "hierarchical_level":    # its levels are chosen apart, so ways need not sum to 1
        found /= np.maximum(found.sum(axis=1, keepdims=True), 1e-300)
    return found


def _by_level(ways: Sequence[Way]) -> tuple[list[list[Unit]], list[list[Unit]]]:
    """A choice for each level; (level, None) stands for a way that has ended before."""
    deepest = max(map(len, ways))
    groups: list[list[Unit]] = []
    for level in range(deepest):
        names = sorted({way[level] for way in ways if len(way) > level})
        ended: list[Unit] = [(level, None)] if any(len(way) <= level for way in ways) else []
        groups.append([*((level, name) for name in names), *ended])
    return groups, [list(enumerate([*way, None][:deepest])) for way in ways]


def _by_node(ways: Sequence[Way]) -> tuple[list[list[Unit]], list[list[Unit]]]:
    """A choice below each beginning of a way; a way and then None stands for 'this one itself'."""
    inner = {way[:i] for way in ways for i in range(1, len(way))}
    ends: list[Unit] = [(*way, None) if way in inner else way for way in ways]
    chosen = [[end[:i] for i in range(1, len(end) + 1)] for end in ends]
    groups: dict[Unit, list[Unit]] = {}
    for step in sorted({step for steps in chosen for step in steps}, key=repr):
        groups.setdefault(step[:-1], []).append(step)
    return list(groups.values()), chosen


def _layout(kind: str, groups: list[list[Unit]], chosen: list[list[Unit]], ends: tuple[int, ...]) -> Layout:
    place = {unit: i for i, unit in enumerate(unit for group in groups for unit in group)}
    borders = np.cumsum([0, *(len(group) for group in groups)]).tolist()
    pairs = np.array([(place[unit], i) for i, steps in enumerate(chosen) for unit in steps])
    ways = csr_array((np.ones(len(pairs)), pairs.T), shape=(len(place), len(chosen)))
    slices = () if kind == "sigmoid" else tuple(slice(*pair) for pair in pairwise(borders))
    return Layout(kind, len(place), slices, ways, ends)


def _rows_to_one(matrix: Any) -> Any:
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    return csr_array(matrix.multiply(1 / np.maximum(sums, 1e-9)[:, None]))

