"""Core number as influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._checks import graph_of, scaled
from graphkd.sparse import Adjacency, Features, SparseMatrix


def kcore(x: Tensor | Features, edge_index: Tensor | Adjacency) -> Tensor:
    """Scores the core number of a node: ``I_i = c_i / max_l c_l``.

    ``c_i`` is the largest ``k`` such that node ``i`` is in the ``k``-core: the subgraph that remains after nodes
    with fewer than ``k`` neighbours are removed until there is none. Edges count in both directions; self-loops,
    weights and features are not read.

    Nodes are removed in waves by tensor operations: O(E + N c) time for a largest core ``c``, and O(E + N) memory.
    networkx runs a Python loop over a copy of the graph in dictionaries, and does not allow self-loops.

    Source: Seidman, Network Structure and Minimum Degree, 1983

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if all core numbers are equal.

    Raises:
        GraphKDError: a node index is out of range.

    >>> triangle_and_leaf = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 3]])
    >>> kcore(torch.zeros(4, 1), triangle_and_leaf)
    tensor([1.0000, 1.0000, 1.0000, 0.5000])
    """
    return scaled(_core_numbers(_both_ways(graph_of(x, edge_index, signed=True).matrix)).double())


def _both_ways(matrix: SparseMatrix) -> SparseMatrix:
    """Returns the undirected pattern of a graph without self-loops."""
    off = matrix.row != matrix.col
    row, col = matrix.row[off], matrix.col[off]
    ends = torch.cat([row, col]), torch.cat([col, row])
    return SparseMatrix.from_coo(*ends, torch.ones(2 * row.numel(), device=matrix.device), matrix.shape)


def _core_numbers(graph: SparseMatrix) -> Tensor:
    """Computes ``c [N]``: per level, nodes with at most that many remaining neighbours are removed."""
    lengths = graph.rowptr.diff()
    degree, core, alive = lengths.clone(), torch.zeros_like(lengths), torch.ones_like(lengths, dtype=torch.bool)
    level = 0
    while bool(alive.any()):
        level = max(level, int(degree[alive].min()))
        wave = (alive & (degree <= level)).nonzero().reshape(-1)
        while wave.numel():
            core[wave], alive[wave] = level, False
            neighbours = _neighbours(graph, lengths, wave)
            neighbours = neighbours[alive[neighbours]]
            degree.index_add_(0, neighbours, torch.full_like(neighbours, -1))
            wave = torch.unique(neighbours[degree[neighbours] <= level])
    return core


def _neighbours(graph: SparseMatrix, lengths: Tensor, nodes: Tensor) -> Tensor:
    """Returns the concatenated columns of these rows."""
    counts = lengths[nodes]
    shift = torch.repeat_interleave(graph.rowptr[nodes] - (counts.cumsum(0) - counts), counts)
    return graph.col[torch.arange(shift.numel(), device=shift.device) + shift]
