"""Small graphs, and positions by their definitions in loops and float64."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from graphkd.sparse import Adjacency


def two_parts() -> Adjacency:
    """A triangle with a tail (0 to 4), a path of three (5, 6, 7), and node 8 alone; each edge in one direction."""
    pairs = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (5, 6), (6, 7)]
    return Adjacency(torch.tensor(pairs).t(), 9)


def random_graph(count: int = 30, share: float = 0.15, weighted: bool = False, seed: int = 0) -> Adjacency:
    """Each pair joined with the same chance, the last node alone."""
    generator = torch.Generator().manual_seed(seed)
    pairs = (torch.rand(count, count, generator=generator) < share).triu(1)
    pairs[:, -1] = False
    edges = pairs.nonzero().t()
    both = torch.cat([edges, edges.flip(0)], dim=1)
    weight = 0.2 + torch.rand(edges.shape[1], generator=generator)
    return Adjacency(both, count, weight.repeat(2) if weighted else None)


def grid(side: int) -> Adjacency:
    """A square lattice of ``side²`` nodes."""
    node = torch.arange(side * side).view(side, side)
    pairs = torch.cat(
        [
            torch.stack([node[:, :-1].reshape(-1), node[:, 1:].reshape(-1)]),
            torch.stack([node[:-1].reshape(-1), node[1:].reshape(-1)]),
        ],
        dim=1,
    )
    return Adjacency(torch.cat([pairs, pairs.flip(0)], dim=1), side * side)


def dense(adj: Adjacency) -> NDArray[np.float64]:
    """``max(A, Aᵀ)`` without its diagonal."""
    raw = adj.matrix.to_dense().double().numpy()
    both = np.maximum(raw, raw.T)
    np.fill_diagonal(both, 0.0)
    return both


def components(matrix: NDArray[np.float64]) -> list[list[int]]:
    """Nodes of each connected component, ascending."""
    left, found = set(range(len(matrix))), []
    while left:
        part, border = set(), {min(left)}
        while border:
            part |= border
            border = {int(j) for i in border for j in np.flatnonzero(matrix[i])} - part
        found.append(sorted(part))
        left -= part
    return found
