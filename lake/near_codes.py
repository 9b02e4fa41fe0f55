"""The one door to faiss: what looks nearest by codes of one bit a dimension (RaBitQ, Gao and Long 2024).

Vectors lie in partitions, each around a centre; a search looks into the partitions nearest to it.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]

_TRAINED_ON = 64    # vectors a partition
_COUNTED = 50_000    # rows a mask keeps; of more a part is counted


class Codes:
    """The codes of rows of length 1, by their place. Immutable, so thread-safe."""

    def __init__(self, path: Path) -> None:
        faiss = _faiss()
        self._whole = faiss.read_index(str(path))
        self._turn = faiss.downcast_VectorTransform(self._whole.chain.at(0))
        self._lists = faiss.extract_index_ivf(self._whole)
        self.n_partitions: int = self._lists.nlist
        self.mean_size = self._lists.ntotal / self.n_partitions
        self._sizes = np.array([self._lists.get_list_size(i) for i in range(self.n_partitions)])
        self._partition_of = np.zeros(self._lists.ntotal, np.int32)
        for number in range(self.n_partitions):
            rows = self._lists.invlists.get_ids(number), int(self._sizes[number])
            self._partition_of[faiss.rev_swig_ptr(*rows)] = number

    def rests(self, places: Places, vectors: Vector) -> tuple[float, Vector]:
        """How similar rows, by places and vectors, are to the centres of their partitions; and what they have
        besides, turned: (rows, dim)."""
        centres = self._lists.quantizer.reconstruct_n(0, self.n_partitions)[self._partition_of[places]]
        turned = self._turn.apply(vectors)
        closeness = float(np.vecdot(turned, centres).mean())
        return closeness, turned - closeness * centres

    def turned(self, vector: Vector) -> Vector:
        """The vector as codes are compared with it."""
        turned: Vector = self._turn.apply(vector[None])
        return turned

    def partitions(self, turned: Vector) -> tuple[Vector, Places]:
        """Similarity and number of the partitions, nearest to a vector first."""
        near, numbers = self._lists.quantizer.search(turned, self.n_partitions)
        return near[0], numbers[0]

    def n_kept(self, mask: Mask | None) -> NDArray[np.int64]:
        """How many rows of each partition a mask keeps; where it keeps very many, about, and at least 1."""
        if mask is None:
            return self._sizes
        kept = np.flatnonzero(mask)
        step = len(kept) // _COUNTED + 1
        counted = np.bincount(self._partition_of[kept[::step]], minlength=self.n_partitions)
        return counted if step == 1 else np.maximum(step * counted, 1)

    def candidates(
        self, turned: Vector, n: int, partitions: tuple[Vector, Places], mask: Mask | None,
    ) -> tuple[Places, Vector]:
        """The n rows nearest by their codes, with the cosines that those tell, best first."""
        if not len(partitions[1]):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        faiss = _faiss()
        faiss.omp_set_num_threads(1)    # of this thread; others search beside it
        near, numbers = (np.ascontiguousarray(values[None]) for values in partitions)
        chosen = None if mask is None else faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        how = faiss.IVFRaBitQSearchParameters(sel=chosen, nprobe=numbers.shape[1])
        told, found = np.empty((1, n), np.float32), np.empty((1, n), np.int64)
        arrays = map(faiss.swig_ptr, (numbers, near, told, found))
        self._lists.search_preassigned_c(1, faiss.swig_ptr(turned), n, *arrays, False, how)
        is_there = found[0] >= 0
        return found[0][is_there], told[0][is_there]


def write_codes(
    path: Path, dim: int, n: int, some: Callable[[Places], Vector], every: Iterable[Vector],
) -> None:
    """Partition n vectors and keep their codes; `some` gives those at places, `every` all, part by part."""
    faiss = _faiss()
    n_partitions = max(1, round(1.4 * n**0.5))
    drawn = np.random.default_rng(42).permutation(n)[:_TRAINED_ON * n_partitions]
    codes = faiss.index_factory(dim, f"RR{dim},IVF{n_partitions},RaBitQ", faiss.METRIC_INNER_PRODUCT)
    partitions = faiss.extract_index_ivf(codes)
    partitions.cp.min_points_per_centroid = 1    # few vectors are no reason to talk on stderr
    codes.train(some(np.sort(drawn)))
    for part in every:
        codes.add(part)
    faiss.write_index(codes, str(path))


def _faiss() -> Any:
    """The library; its own type stubs are wrong about keywords."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)    # it tells what it is not built for
    import faiss

    return faiss
