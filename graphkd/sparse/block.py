"""A bipartite block of a graph: the edges into a set of nodes."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.sparse.adjacency import Adjacency, Normalisation, reciprocal, set_diagonal
from graphkd.sparse.features import Rows, select_rows
from graphkd.sparse.matrix import SparseMatrix


class Block:
    """The rows of a graph's adjacency matrix for ``n`` receivers, with columns for their ``m`` source nodes.

    A layer computes ``n`` rows from the ``m`` rows of its sources, ``[m, d_in] → [n, d_out]``; the sources are the
    receivers themselves and every node with an edge to one of them. ``normalize`` uses the degrees of the whole
    graph, so a block with all edges of its receivers holds exactly their rows of the graph's operator.

    Args:
        graph: the whole graph.
        receivers: ``[n]`` int64 nodes, each once, in any order.
        edges: ``n × N``; the receivers' rows of ``A``, or a weighted sample of their entries.

    >>> adj = Adjacency(torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)
    >>> block = Block.of(adj, torch.tensor([3]))
    >>> block.num_receivers, block.num_nodes
    (1, 2)
    >>> block.normalize("row", self_loops=1).to_dense()
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, graph: Adjacency, receivers: Tensor, edges: SparseMatrix) -> None:
        self.graph, self.nodes = graph, receivers
        # Ascending, so that columns remain sorted and tables are read sequentially.
        self.sources, position = torch.unique(torch.cat([receivers, edges.col]), return_inverse=True)
        self._own, col = position[: receivers.numel()], position[receivers.numel() :]
        self.matrix = SparseMatrix(edges.rowptr, col, edges.value.double(), self.num_nodes)

    @classmethod
    def of(cls, graph: Adjacency, receivers: Tensor) -> Block:
        """Builds the block of all edges into ``receivers [n]``."""
        return cls(graph, receivers, graph.matrix.select(receivers))

    @property
    def part(self) -> Shard | None:
        """Shard of the larger block's sources that this one reads; ``None`` unless it is a ``Share``."""
        return None

    @property
    def part_of_edges(self) -> Shard | None:
        """Shard of the entries of the larger block's ``normalize("none")``; ``None`` unless it is a ``Share``."""
        return None

    @property
    def part_of_receivers(self) -> Shard | None:
        """Shard of the larger block's receivers that this one computes; ``None`` unless it is a ``Share``."""
        return None

    @property
    def num_nodes(self) -> int:
        """Number of source nodes ``m``, whose rows a layer reads."""
        return int(self.sources.numel())

    @property
    def num_receivers(self) -> int:
        """Number of receivers ``n``, whose rows a layer computes."""
        return self.nodes.numel()

    def receivers(self, x: Rows) -> Rows:
        """Returns the receivers' rows ``[n, d]`` of the sources' ``x [m, d]``."""
        return select_rows(x, self._own)  # type: ignore[return-value]

    def normalize(
        self, kind: Normalisation = "symmetric", self_loops: int = 1, dtype: torch.dtype = torch.float32
    ) -> SparseMatrix:
        """Returns the block's rows of the graph's ``normalize`` with the same arguments: ``n × m``.

        Where edges were sampled, each row estimates the full row; self-loops are always present, never sampled.
        """
        matrix = self.matrix
        if self_loops:
            matrix = set_diagonal(matrix, self.graph.diagonal(self_loops)[self.nodes], self._own)
        if kind != "none":
            degree = self.graph.degree(self_loops)  # of all nodes and cached; only the block's rows are read
            cols = reciprocal(degree[self.sources], kind) if kind == "symmetric" else None
            matrix = matrix.scale(rows=reciprocal(degree[self.nodes], kind), cols=cols)
        return matrix.to(dtype)


Edges: TypeAlias = "Adjacency | Block"
"""Edges of a layer's message passing: all edges of a graph, or those into a set of nodes."""
