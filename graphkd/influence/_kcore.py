"""The core number as influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._checks import graph_of, scaled
from graphkd.sparse import Adjacency, Features, SparseMatrix


def kcore(x: Tensor | Features, edge_index: Tensor | Adjacency) -> Tensor:
    """How densely connected a node's surroundings are: ``I_i = c_i / max_l c_l``.

    ``c_i`` is the largest ``k`` such that node ``i`` is in the ``k``-core: what is left when nodes with fewer than
    ``k`` neighbours are removed until there is none. Edges count in both directions, self-loops, weights and
    features are not read.

    Nodes are peeled off in waves, whole tensors at a time: O(E + N c) for a largest core ``c``, and O(E + N)
    memory. networkx has the same by a loop in Python over a copy of the graph in dictionaries, and no self-loops.

    Source: Seidman, Network Structure and Minimum Degree, 1983

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.

    Returns:
        ``[N]`` float32 in [0, 1]; ones where all cores are equal.

    Raises:
        GraphKDError: an edge that points nowhere.
    """
    return scaled(_core_numbers(_both_ways(graph_of(x, edge_index, signed=True).matrix)).double())


def _both_ways(matrix: SparseMatrix) -> SparseMatrix:
    """Neighbours in either direction, each once, without the node itself."""
    off = matrix.row != matrix.col
    row, col = matrix.row[off], matrix.col[off]
    ends = torch.cat([row, col]), torch.cat([col, row])
    return SparseMatrix.from_coo(*ends, torch.ones(2 * row.numel(), device=matrix.device), matrix.shape)


def _core_numbers(graph: SparseMatrix) -> Tensor:
    """``c [N]``: level by level, nodes with no more neighbours left than the level go, and it is their core."""
    lengths = graph.rowptr.diff()
    degree, core, there = lengths.clone(), torch.zeros_like(lengths), torch.ones_like(lengths, dtype=torch.bool)
    level = 0
    while bool(there.any()):
        level = max(level, int(degree[there].min()))
        wave = (there & (degree <= level)).nonzero().reshape(-1)
        while wave.numel():
            core[wave], there[wave] = level, False
            touched = _neighbours(graph, lengths, wave)
            touched = touched[there[touched]]
            degree.index_add_(0, touched, torch.full_like(touched, -1))
            wave = torch.unique(touched[degree[touched] <= level])
    return core


def _neighbours(graph: SparseMatrix, lengths: Tensor, nodes: Tensor) -> Tensor:
    """The columns of these rows, one after the other."""
    counts = lengths[nodes]
    shift = torch.repeat_interleave(graph.rowptr[nodes] - (counts.cumsum(0) - counts), counts)
    return graph.col[torch.arange(shift.numel(), device=shift.device) + shift]
