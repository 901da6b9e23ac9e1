"""Random-walk positions: how likely a walk is back at its start."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphkd.positions.graph import Floats, Undirected, check_dim
from graphkd.sparse import Adjacency

ENTRIES = 2**21
"""Entries of a block of columns: 16 MB, of which there are four."""


def random_walk(adj: Adjacency, dim: int = 16) -> Tensor:
    """Computes the return probabilities ``diag((D^-1 A)^k)`` for k = 1 … dim.

    They are exact, in float64. ``S = D^-1/2 A D^-1/2`` has the same diagonals and is symmetric, so that powers up
    to ``dim / 2`` suffice: ``(S^(a+b))_ii = Σ_j (S^a)_ij (S^b)_ij``. Columns of powers are made in blocks of two
    million entries: 64 MB, at least 32 bytes per node, and O(E) for the graph; no ``N × N`` array is made.

    Time is O(dim N E / 2): 18 s for PubMed's 19,717 nodes, hence about an hour for 169,343 nodes and
    1.2 million edges (``experiments/positions``), and days for millions of nodes: take ``deepwalk`` there.

    One thread is used; the same bits come out on repeated runs and with any number of threads.

    Source: Dwivedi et al., Graph Neural Networks with Learnable Structural and Positional Representations (RWSE),
    ICLR 2022

    Args:
        adj: the graph, read as undirected (see ``graphkd.positions``); weights are transition weights.
        dim: columns, and the longest walk's number of steps.

    Returns:
        ``[N, dim]`` float32 on the CPU, each in [0, 1]; column k − 1 is for k steps. The first column is 0, as
        self-loops are left out. Zeros for nodes without edges.

    Raises:
        GraphKDError: ``dim`` is no count from 1, or a weight is negative or not finite.

    >>> random_walk(Adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=4), dim=4)
    tensor([[0.0000, 0.5000, 0.0000, 0.5000],
            [0.0000, 1.0000, 0.0000, 1.0000],
            [0.0000, 0.5000, 0.0000, 0.5000],
            [0.0000, 0.0000, 0.0000, 0.0000]])
    """
    check_dim(dim)
    graph = Undirected.of(adj)
    matrix, count = graph.symmetric(), graph.num_nodes
    out = np.zeros((count, dim), dtype=np.float32)
    size = max(1, ENTRIES // max(count, 1))
    for start in range(0, count, size):
        nodes = slice(start, min(start + size, count))
        for step, diagonal in enumerate(_diagonals(matrix, nodes, dim)):
            out[nodes, step] = diagonal
    return torch.from_numpy(out)


def _diagonals(matrix: sparse.csr_array, nodes: slice, dim: int) -> Iterator[Floats]:
    """Yields the diagonal entries of ``S^1 … S^dim`` at ``nodes``."""
    power: Floats = matrix[nodes].T.toarray()  # rows are columns, as S is symmetric
    yield power[np.arange(nodes.start, nodes.stop), np.arange(nodes.stop - nodes.start)]
    for half in range(1, dim // 2 + 1):
        yield np.einsum("ij,ij->j", power, power)
        if 2 * half < dim:
            following = matrix @ power
            yield np.einsum("ij,ij->j", power, following)
            power = following
