"""Scores of pairs from the neighbours that both nodes have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.links.pairs import check_pairs
from graphkd.positions.graph import Floats, Undirected
from graphkd.ranges import check_choice
from graphkd.sparse import Adjacency, row_pieces

BLOCK = 2**22
"""Neighbours that are compared in one step: what bounds the memory, of pairs of hubs as well."""


def common_neighbours(adj: Adjacency, pairs: Tensor) -> Tensor:
    """Counts the nodes that both ends of a pair have an edge with: ``|N(u) ∩ N(v)|``.

    Rows of the adjacency are multiplied entry by entry, in blocks: time and memory follow the degrees of the
    pairs' nodes, and no ``N × N`` product is formed. Edges count as undirected and as 1; self-loops do not count.

    Args:
        adj: ``N`` nodes.
        pairs: ``[P, 2]``.

    Returns:
        ``[P]`` float32, as of the other heuristics.

    Raises:
        GraphKDError: a pair names what is no node; so in the other heuristics.

    >>> square = Adjacency(torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), num_nodes=4)
    >>> common_neighbours(square, torch.tensor([[0, 2], [0, 1]]))
    tensor([2., 0.])
    """
    return _score(Undirected.of(adj), pairs, _one)


def adamic_adar(adj: Adjacency, pairs: Tensor) -> Tensor:
    """Computes ``Σ_{z ∈ N(u) ∩ N(v)} 1 / log d_z``.

    Source: Adamic and Adar, Friends and Neighbors on the Web, Social Networks 25, 2003

    Args:
        adj: ``N`` nodes.
        pairs: ``[P, 2]``.

    >>> star = Adjacency(torch.tensor([[0, 0, 0], [1, 2, 3]]), num_nodes=4)
    >>> adamic_adar(star, torch.tensor([[1, 2], [0, 1]]))  # 1 / log 3
    tensor([0.9102, 0.0000])
    """
    return _score(Undirected.of(adj), pairs, _per_log)


def resource_allocation(adj: Adjacency, pairs: Tensor) -> Tensor:
    """Computes ``Σ_{z ∈ N(u) ∩ N(v)} 1 / d_z``.

    Source: Zhou, Lü and Zhang, Predicting Missing Links via Local Information, European Physical Journal B 71,
        2009

    Args:
        adj: ``N`` nodes.
        pairs: ``[P, 2]``.

    >>> star = Adjacency(torch.tensor([[0, 0, 0], [1, 2, 3]]), num_nodes=4)
    >>> resource_allocation(star, torch.tensor([[1, 2], [0, 1]]))
    tensor([0.3333, 0.0000])
    """
    return _score(Undirected.of(adj), pairs, _per_degree)


def _one(degree: Floats) -> Floats:
    return np.ones_like(degree)


def _per_log(degree: Floats) -> Floats:
    # A common neighbour has two neighbours at least, but where a node is paired with itself.
    return np.divide(1.0, np.log(np.maximum(degree, 1)), out=np.zeros_like(degree), where=degree > 1)


def _per_degree(degree: Floats) -> Floats:
    return np.divide(1.0, degree, out=np.zeros_like(degree), where=degree > 0)


WEIGHTS: dict[str, Callable[[Floats], Floats]] = {"cn": _one, "aa": _per_log, "ra": _per_degree}
"""Name of a heuristic → weight of a common neighbour, from degrees ``[N]``."""

HEURISTICS = (*WEIGHTS, "heuristics")
"""Names of the teachers that are not trained."""


@dataclass(frozen=True)
class Heuristic:
    """A heuristic by name, on a graph that is prepared once: pairs ``[P, 2]`` → scores ``[P]``.

    ``heuristics`` is the mean of the three others, each standardised: ``mean_h (h(u, v) − μ_h) / σ_h``, with mean
    and deviation over the reference pairs, so that a pair's score does not depend on those it is scored with.

    Args:
        name: ``cn``, ``aa``, ``ra`` or ``heuristics``.
        graph: that neighbours are counted in.
        moments: name → ``(μ, σ)`` of the parts of the mean.

    >>> star = Adjacency(torch.tensor([[0, 0, 0], [1, 2, 3]]), num_nodes=4)
    >>> pairs = torch.tensor([[1, 2], [0, 1]])
    >>> Heuristic.on(star, "cn", pairs)(pairs), Heuristic.on(star, "heuristics", pairs)(pairs)
    (tensor([1., 0.]), tensor([ 1., -1.]))
    """

    name: str
    graph: Undirected
    moments: dict[str, tuple[float, float]]

    @classmethod
    def on(cls, adj: Adjacency, name: str, reference: Tensor) -> Heuristic:
        """Prepares a heuristic.

        Args:
            adj: ``N`` nodes.
            name: see the class.
            reference: ``[R, 2]`` pairs that the parts of the mean are standardised over.

        Raises:
            GraphKDError: there is no such heuristic, or no reference pair for the mean.
        """
        check_choice("links", HEURISTICS, teacher=name)
        graph = Undirected.of(adj)
        if name != "heuristics":
            return cls(name, graph, {})
        if not len(reference):
            raise GraphKDError(
                "the mean of heuristics has no reference pairs to standardise over: give one at least"
            )
        return cls(name, graph, {part: _moments(_score(graph, reference, WEIGHTS[part])) for part in WEIGHTS})

    def on_graph(self, adj: Adjacency) -> Heuristic:
        """Returns the same heuristic, with the same moments, on another graph."""
        return Heuristic(self.name, Undirected.of(adj), self.moments)

    def __call__(self, pairs: Tensor) -> Tensor:
        """Scores pairs ``[P, 2]`` → ``[P]`` float32."""
        if self.name != "heuristics":
            return _score(self.graph, pairs, WEIGHTS[self.name])
        parts = [(_score(self.graph, pairs, WEIGHTS[part]) - m) / s for part, (m, s) in self.moments.items()]
        return torch.stack(parts).mean(dim=0)


def _moments(scores: Tensor) -> tuple[float, float]:
    """Returns mean and deviation; of equal scores the deviation is 1, so that they become zeros."""
    deviation = float(scores.std(correction=0))
    return float(scores.mean()), deviation or 1.0


def _score(graph: Undirected, pairs: Tensor, weight: Callable[[Floats], Floats]) -> Tensor:
    """Computes ``Σ_z A°[u, z] A°[v, z] w_z`` of each pair, with the 0/1 pattern ``A°``."""
    ends = check_pairs(pairs, graph.num_nodes).numpy()
    matrix = graph.matrix
    degree = np.diff(matrix.indptr).astype(np.float64)
    pattern = scipy.sparse.csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
    weights = weight(degree)
    scores = np.zeros(len(ends))
    load = torch.from_numpy(np.concatenate([[0.0], degree[ends].sum(axis=1).cumsum()])).long()
    for piece in row_pieces(load, slice(0, len(ends)), BLOCK):
        common = pattern[ends[piece, 0]].multiply(pattern[ends[piece, 1]])
        scores[piece] = common @ weights
    return torch.from_numpy(scores).float()
