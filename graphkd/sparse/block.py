"""A piece of a graph: the edges into some nodes."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.sparse.adjacency import Adjacency, Normalisation, reciprocal, set_diagonal
from graphkd.sparse.features import Rows, select_rows
from graphkd.sparse.matrix import SparseMatrix


class Block:
    """The rows of a graph's adjacency matrix that belong to ``n`` receivers, over the ``m`` nodes they need.

    A layer computes ``n`` rows from the ``m`` rows of its sources, ``[m, d_in] → [n, d_out]``; the sources are the
    receivers themselves and whoever has an edge to one of them. ``normalize`` uses the degrees of the whole graph,
    so a block with all edges of its receivers holds exactly their rows of the graph's operator.

    Args:
        graph: of which it is a piece.
        receivers: ``[n]`` int64 nodes, each once, in any order.
        edges: ``n × N``; the receivers' rows of ``A``, or entries of them that stand for all.
    """

    def __init__(self, graph: Adjacency, receivers: Tensor, edges: SparseMatrix) -> None:
        self.graph, self.nodes = graph, receivers
        # Ascending, so that columns stay in order and tables are read from front to back.
        self.sources, place = torch.unique(torch.cat([receivers, edges.col]), return_inverse=True)
        self._own, col = place[: receivers.numel()], place[receivers.numel() :]
        self.matrix = SparseMatrix(edges.rowptr, col, edges.value.double(), self.num_nodes)

    @classmethod
    def of(cls, graph: Adjacency, receivers: Tensor) -> Block:
        """All edges into ``receivers [n]``."""
        return cls(graph, receivers, graph.matrix.select(receivers))

    @property
    def part(self) -> Shard | None:
        """Which of the rows of a larger block's sources it is given; nothing if it is no share of one."""
        return None

    @property
    def part_of_edges(self) -> Shard | None:
        """Which of the entries of a larger block's ``normalize("none")`` are its own; nothing likewise."""
        return None

    @property
    def num_nodes(self) -> int:
        """``m``, the nodes whose rows a layer is given."""
        return int(self.sources.numel())

    @property
    def num_receivers(self) -> int:
        """``n``, the nodes whose rows it computes."""
        return self.nodes.numel()

    def receivers(self, x: Rows) -> Rows:
        """The receivers' rows ``[n, d]`` among those of the sources ``x [m, d]``."""
        return select_rows(x, self._own)  # type: ignore[return-value]

    def normalize(
        self, kind: Normalisation = "symmetric", self_loops: int = 1, dtype: torch.dtype = torch.float32
    ) -> SparseMatrix:
        """Rows of the graph's ``normalize`` with the same arguments: ``n × m``.

        Where edges were drawn, each row stands for all of its edges; self-loops are never drawn and always there.
        """
        matrix = self.matrix
        if self_loops:
            matrix = set_diagonal(matrix, self.graph.diagonal(self_loops)[self.nodes], self._own)
        if kind != "none":
            degree = self.graph.degree(self_loops)  # of all nodes: only what is needed of it is touched
            cols = reciprocal(degree[self.sources], kind) if kind == "symmetric" else None
            matrix = matrix.scale(rows=reciprocal(degree[self.nodes], kind), cols=cols)
        return matrix.to(dtype)


Edges: TypeAlias = "Adjacency | Block"
"""What a layer sends along: all edges of a graph, or those into some nodes."""
