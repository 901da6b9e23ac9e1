"""Random walks of first order (DeepWalk) and of second order (node2vec)."""

from __future__ import annotations

import numpy as np

from graphkd.positions.graph import Floats, Indices, Undirected


class Walker:
    """Draws walks, many at once; memory is O(N + E), and O(B L) for ``B`` walks of ``L`` nodes.

    A step of first order goes from ``v`` to ``x`` with probability ``w_vx / Σ_y w_vy``. One of second order, that
    came from ``t``, multiplies ``w_vx`` by ``1 / p`` for ``x = t``, by 1 for a neighbour of ``t`` and by ``1 / q``
    for any other ``x``, before it normalises.

    Steps of second order are drawn by rejection, exactly, without tables of E × degree probabilities: a step of
    first order is proposed and accepted with probability ``min(α, M) / M``, ``M = max(1, 1 / q)``; with what
    ``1 / p`` exceeds ``M`` by, the walk turns back at once, so that a small ``p`` does not reject other steps.

    Source: Perozzi et al., DeepWalk, KDD 2014; Grover & Leskovec, node2vec, KDD 2016; Yang et al., KnightKing:
    A Fast Distributed Graph Random Walk Engine, SOSP 2019 (rejection, outliers)

    Args:
        graph: every start has a neighbour in it.
        p: return parameter.
        q: in-out parameter.
    """

    def __init__(self, graph: Undirected, p: float = 1.0, q: float = 1.0) -> None:
        matrix = graph.matrix
        # Nodes as scipy has them, in 32 bits up to 2^31 edges: steps read them at random.
        self.start: Indices = matrix.indptr.astype(np.int64)
        self.col = matrix.indices
        self.degree = np.diff(self.start)
        self.weight: Floats | None = matrix.data if graph.weighted else None
        self.total = graph.strength()
        self.upto = _cumulative(graph) if graph.weighted else None
        self.p, self.q = p, q
        if (p, q) != (1.0, 1.0):
            row = np.repeat(np.arange(graph.num_nodes, dtype=np.int64), self.degree)
            self.keys = row * graph.num_nodes + self.col

    def walks(self, starts: Indices, length: int, rng: np.random.Generator) -> Indices:
        """Draws one walk from each start.

        Args:
            starts: ``[B]`` nodes that have neighbours.
            length: ``L``, the number of nodes of a walk, the start included.
            rng: read in the order of steps.

        Returns:
            ``[B, L]``.
        """
        steps = np.empty((length, starts.size), dtype=np.int64)  # a step writes a contiguous row
        steps[0] = starts
        second = (self.p, self.q) != (1.0, 1.0)
        back = np.empty(0)
        for step in range(1, length):
            current = steps[step - 1]
            if second and step > 1:
                steps[step], back = self._second(steps[step - 2], current, back, rng)
            else:
                edge = self._first(current, rng)
                steps[step], back = self.col[edge], self._weight(edge)
        return np.ascontiguousarray(steps.T)

    def _first(self, node: Indices, rng: np.random.Generator) -> Indices:
        """Draws an edge of each node; returns its index."""
        uniform = rng.random(node.size)
        if self.upto is None:
            return self.start[node] + (uniform * self.degree[node]).astype(np.int64)
        edge = np.searchsorted(self.upto, node + uniform, side="right")
        return np.clip(edge, self.start[node], self.start[node + 1] - 1)

    def _second(
        self, before: Indices, node: Indices, back: Floats, rng: np.random.Generator
    ) -> tuple[Indices, Floats]:
        """Draws the next node of each walk.

        Args:
            before: ``[B]`` nodes that the walks came from.
            node: ``[B]`` nodes where they are.
            back: ``[B]`` weights of the edges between the two.
            rng: of the draws.

        Returns:
            the next nodes ``[B]``, and the weights of the edges to them.
        """
        most = max(1.0, 1.0 / self.q)
        extra = max(0.0, 1.0 / self.p - most) * back / self.total[node]
        chosen, weight, open_ = before.copy(), back.copy(), np.arange(node.size)
        while open_.size:
            # Drawn anew after each rejection, as all of a step's chances are relative to their sum.
            turns_back = rng.random(open_.size) * (most + extra[open_]) < extra[open_]
            open_ = open_[~turns_back]
            edge = self._first(node[open_], rng)
            candidate = self.col[edge].astype(np.int64)
            accepted = rng.random(open_.size) * most < self._factor(before[open_], candidate)
            chosen[open_[accepted]] = candidate[accepted]
            weight[open_[accepted]] = self._weight(edge[accepted])
            open_ = open_[~accepted]
        return chosen, weight

    def _factor(self, before: Indices, candidate: Indices) -> Floats:
        """Returns ``[b]``, what multiplies the weight of a step; of 1 / p no more than M."""
        key = before * self.degree.size + candidate
        at = np.minimum(np.searchsorted(self.keys, key), self.keys.size - 1)
        factor = np.where(self.keys[at] == key, 1.0, 1.0 / self.q)
        factor[candidate == before] = min(1.0 / self.p, max(1.0, 1.0 / self.q))
        return factor

    def _weight(self, edge: Indices) -> Floats:
        return np.ones(edge.size) if self.weight is None else self.weight[edge]


def _cumulative(graph: Undirected) -> Floats:
    """Returns ``[E]``: for an edge in row i, i plus the share of the row's weights up to and with this edge.

    Shares, not weights, are summed: small weights keep their digits beside another row's large ones.
    """
    matrix, degree = graph.matrix, np.diff(graph.matrix.indptr)
    share = matrix.data / np.repeat(graph.strength(), degree)
    upto = np.concatenate([[0.0], np.cumsum(share)])
    upto = upto[1:] - np.repeat(upto[matrix.indptr[:-1]], degree)
    linked = graph.linked
    upto += np.repeat(np.arange(graph.num_nodes, dtype=np.float64), degree)
    upto[matrix.indptr[linked + 1] - 1] = linked + 1.0
    cumulative: Floats = upto
    return cumulative
