"""Partitioning of a graph."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.matrix import SparseMatrix


def partition(graph: Adjacency, parts: int, kind: str, generator: torch.Generator) -> Tensor:
    """Assigns each node to a part.

    Args:
        graph: the raw graph; weights of edges are not read.
        parts: ``P``.
        kind: ``random``, of equal size, or ``metis``, of about equal size with few edges between them.
        generator: of ``random``, on the graph's device; METIS is deterministic.

    Returns:
        ``[N]`` int64 in ``[0, P)``.

    Raises:
        GraphKDError: more parts than nodes, or ``metis`` without pymetis.

    Source: Karypis and Kumar, A fast and high quality multilevel scheme for partitioning irregular graphs, 1998

    >>> adj = Adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=6)
    >>> partition(adj, 3, "random", torch.Generator().manual_seed(0)).bincount()
    tensor([2, 2, 2])
    """
    if parts > graph.num_nodes:
        raise GraphKDError(
            f"training.parts is {parts}, but the graph has {graph.num_nodes} nodes: choose fewer parts"
        )
    if kind == "metis":
        return _metis(graph, parts)
    device = graph.matrix.device
    return torch.randperm(graph.num_nodes, generator=generator, device=device).remainder_(parts)


def _metis(graph: Adjacency, parts: int) -> Tensor:
    try:
        import pymetis
    except ImportError:
        raise GraphKDError(
            "training.partitioner=metis needs pymetis: pip install 'graphkd[metis]', or use "
            "training.partitioner=random"
        ) from None
    edges = _undirected(graph.matrix)
    adjacency = pymetis.CSRAdjacency(edges.rowptr.cpu().numpy(), edges.col.cpu().numpy())
    _, part = pymetis.part_graph(parts, adjacency=adjacency)
    return torch.as_tensor(part, dtype=torch.int64, device=graph.matrix.device)


def _undirected(matrix: SparseMatrix) -> SparseMatrix:
    """Returns the pattern of ``A + Aᵀ`` without its diagonal, the input format of METIS."""
    pattern = matrix
    if matrix.t() is not matrix:
        row, col = torch.cat([matrix.row, matrix.col]), torch.cat([matrix.col, matrix.row])
        pattern = SparseMatrix.from_coo(row, col, matrix.value.new_ones(row.numel()), matrix.shape)
    return pattern.filter(pattern.row != pattern.col)
