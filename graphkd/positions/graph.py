"""The undirected graph that positions are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from graphkd.atomic_io import sha256_of
from graphkd.checks import is_count
from graphkd.errors import GraphKDError
from graphkd.sparse import Adjacency

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Undirected:
    """A symmetric graph without self-loops, on the CPU.

    Args:
        matrix: ``N × N`` symmetric float64, sorted indices, no explicit zeros, empty diagonal.
        weighted: whether entries differ from 1.
    """

    matrix: sparse.csr_array
    weighted: bool

    @classmethod
    def of(cls, adj: Adjacency) -> Undirected:
        """Builds it from a graph: ``max(A, Aᵀ)`` without the diagonal; O(N + E) memory.

        Raises:
            GraphKDError: a weight is negative or not finite.
        """
        count, raw = adj.num_nodes, adj.matrix
        row, col, value = (each.cpu().numpy() for each in (raw.row, raw.col, raw.value.double()))
        if not (np.isfinite(value).all() and (value >= 0).all()):
            raise GraphKDError("edge weights must be finite and not negative to make positions: correct them")
        kept = (row != col) & (value > 0)
        one_way = sparse.coo_array((value[kept], (row[kept], col[kept])), (count, count)).tocsr()
        both: sparse.csr_array = one_way.maximum(one_way.T).tocsr()
        both.sort_indices()
        return cls(both, adj.weighted and bool((both.data != 1).any()))

    @property
    def num_nodes(self) -> int:
        """Number of nodes ``N``."""
        return int(self.matrix.shape[0])

    @property
    def linked(self) -> Indices:
        """Nodes that have an edge, ascending."""
        return np.flatnonzero(np.diff(self.matrix.indptr))

    def strength(self) -> Floats:
        """Returns ``[N]``, the sum of every node's weights: its degree where edges have none."""
        return np.asarray(self.matrix.sum(axis=1), dtype=np.float64).reshape(-1)

    def symmetric(self) -> sparse.csr_array:
        """Returns ``D^-1/2 A D^-1/2``, ``N × N``; rows of isolated nodes are empty."""
        strength = self.strength()
        scale = np.zeros_like(strength)
        np.divide(1.0, np.sqrt(strength), out=scale, where=strength > 0)
        rows = np.repeat(scale, np.diff(self.matrix.indptr))
        # Both factors are multiplied first, which commutes: the result is symmetric to the bit.
        value = self.matrix.data * (rows * scale[self.matrix.indices])
        return sparse.csr_array((value, self.matrix.indices, self.matrix.indptr), self.matrix.shape)

    def fingerprint(self) -> str:
        """Returns the SHA-256 digest of the edges and their weights."""
        matrix = self.matrix
        value = matrix.data if self.weighted else b""
        return sha256_of([str(matrix.shape).encode(), matrix.indptr, matrix.indices, value])


def check_dim(dim: Any) -> None:
    """Checks the number of columns.

    Raises:
        GraphKDError: it is no count, or zero.
    """
    check_counts(dim=dim)


def check_counts(**counts: Any) -> None:
    """Checks that every value is a whole number from 1.

    Raises:
        GraphKDError: one is not.
    """
    for name, value in counts.items():
        if not is_count(value) or value < 1:
            raise GraphKDError(f"{name} of positions is {value!r}: give a whole number from 1")
