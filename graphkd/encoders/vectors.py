"""Vectors of nodes, as a bundle keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphkd.sparse import Adjacency


@dataclass(frozen=True, eq=False)
class NodeVectors:
    """A vector per node of the observed graph; a node that arrives later has the mean of its neighbours'.

    ``v_i = mean_{j → i, j observed} v_j``; zeros for a node without observed neighbours. A bundle keeps them under
    the name ``positions``, whatever they were made from.

    Source: Tian et al., Learning MLPs on Graphs: NOSMOG, ICLR 2023

    Args:
        vectors: ``[n, d]`` float32, in the order of the observed nodes.
        reads: what they were made from: ``positions`` or ``labels``.

    >>> from graphkd.sparse import Adjacency
    >>> vectors = NodeVectors(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    >>> edges = Adjacency(torch.tensor([[0, 1], [2, 2]]), num_nodes=3)
    >>> vectors.of(edges, nodes=torch.tensor([0, 1, -1]))  # node 2 is new
    tensor([[1.0000, 0.0000],
            [0.0000, 1.0000],
            [0.5000, 0.5000]])
    """

    vectors: Tensor
    reads: str = "positions"
    hops = 0

    @property
    def dim(self) -> int:
        """Length ``d`` of a vector."""
        return self.vectors.shape[1]

    def of(self, adj: Adjacency, nodes: Tensor | None = None) -> Tensor:
        """Returns the vectors ``[N, d]`` of a graph's nodes.

        Args:
            adj: the graph; a neighbour is the sender of an edge.
            nodes: ``[N]`` int64, the number of each node among the observed ones, −1 for a new one. By default the
                nodes are the observed ones, in their order.
        """
        if nodes is None:
            return self.vectors
        from graphkd.positions import neighbour_mean  # which loads scipy

        observed = nodes >= 0
        table = self.vectors.new_zeros(nodes.numel(), self.dim)
        table[observed] = self.vectors[nodes[observed]]
        edges = adj.matrix
        used = observed[edges.col] & ~observed[edges.row]
        means = neighbour_mean(table, edges.row[used], edges.col[used], nodes.numel())
        return torch.where(observed.unsqueeze(1), table, means)

    def arguments(self) -> dict[str, Any]:
        """Returns the entry of ``inputs`` in ``bundle.json``."""
        return {"name": "positions", "dim": self.dim, "nodes": self.vectors.shape[0]}
