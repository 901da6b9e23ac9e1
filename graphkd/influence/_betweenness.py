"""Betweenness centrality as influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.checks import is_whole
from graphkd.errors import GraphKDError
from graphkd.influence._checks import check_seed, graph_of, scaled
from graphkd.sparse import Adjacency, Features, SparseMatrix, spmm

BLOCK_BYTES = 128 * 2**20
"""Maximal memory of the tables of one block of sources: 64 bytes per node and source."""


def betweenness(x: Tensor | Features, edge_index: Tensor | Adjacency, samples: int = 256, seed: int = 0) -> Tensor:
    """Scores the number of shortest paths through a node: ``I_i = b_i / max_l b_l``.

        b_i = Σ_{s ∈ S} Σ_{t ≠ s} σ_st(i) / σ_st,    s ≠ i ≠ t,

    ``σ_st`` is the number of shortest paths from ``s`` to ``t``, ``σ_st(i)`` that of those through ``i``. ``S``
    contains all nodes for ``N ≤ samples``, and ``b`` is exact; else ``samples`` random nodes, and
    ``N / samples · b_i`` is an unbiased estimate. Paths follow edges from sender to receiver, and their length is
    the number of edges: weights, self-loops and features are not read.

    The implementation runs Brandes' two sweeps for blocks of sources. A source costs ``2 L`` products of E
    entries, ``L`` the length of the longest shortest path: few where neighbourhoods grow fast, many on chains and
    grids. It needs O(E + N) memory and 128 MiB for the blocks. networkx loops over sources in Python.

    Source: Freeman, 1977; Brandes, A Faster Algorithm for Betweenness Centrality, 2001; Brandes and Pich, 2007

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency.
        samples: number of sampled sources in larger graphs.
        seed: of the sampling; in a run, the run's seed is added to it.

    Returns:
        ``[N]`` float32 in [0, 1]; ones if no path has an inner node.

    Raises:
        GraphKDError: a setting or node index is out of range, or the number of paths overflows float64.

    >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> betweenness(torch.zeros(3, 1), path)
    tensor([0., 1., 0.])
    """
    if not (is_whole(samples) and samples > 0):
        raise GraphKDError(f"influence.samples is {samples!r}: it must be a whole number, 1 or more")
    check_seed(seed)
    adj = graph_of(x, edge_index, signed=True)
    edges = adj.structure(self_loops=0).to(torch.float64)
    sources = torch.arange(adj.num_nodes)
    if adj.num_nodes > samples:
        sources = torch.randperm(adj.num_nodes, generator=torch.Generator().manual_seed(seed))[:samples]
    total = edges.value.new_zeros(adj.num_nodes)
    for block in torch.split(sources.to(edges.device), max(1, BLOCK_BYTES // (64 * max(adj.num_nodes, 1)))):
        total += _dependencies(edges, block)
    if not bool(total.isfinite().all()):
        raise GraphKDError("there are more shortest paths than float64 can count: choose another influence")
    return scaled(total)


def _dependencies(edges: SparseMatrix, sources: Tensor) -> Tensor:
    """Computes ``Σ_s Σ_t σ_st(i) / σ_st`` over these ``B`` sources: ``[N]``."""
    paths, depth, longest = _paths(edges, sources)
    share = torch.zeros_like(paths)  # of the paths to all nodes at greater depth, [N, B]
    for step in range(longest, 0, -1):
        per_path = torch.where(depth == step, (1.0 + share) / paths.clamp(min=1.0), 0.0)
        share += torch.where(depth == step - 1, paths * spmm(edges.t(), per_path), 0.0)
    share[sources, torch.arange(sources.numel(), device=sources.device)] = 0.0
    return share.sum(dim=1)


def _paths(edges: SparseMatrix, sources: Tensor) -> tuple[Tensor, Tensor, int]:
    """Counts shortest paths from each source ``[N, B]``; also returns their lengths (or −1) and the longest."""
    paths = edges.value.new_zeros(edges.shape[0], sources.numel())
    paths[sources, torch.arange(sources.numel(), device=sources.device)] = 1.0
    depth = paths.int() - 1
    front, step = paths, 0
    while True:
        reached = spmm(edges, front)
        new = (depth < 0) & (reached > 0)
        if not bool(new.any()):
            return paths, depth, step
        step += 1
        front = torch.where(new, reached, 0.0)
        paths += front
        depth[new] = step
