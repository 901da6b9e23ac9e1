"""How far products of nodes' rows are from the graph's edges, estimated from some pairs of nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, SparseMatrix

SMALLEST = 1e-12
"""Lower bound of a root's argument and of a range, where their gradients are infinite."""


def edge_error(z: Tensor, adj: Adjacency, pairs: int) -> Tensor:
    """Returns ``sqrt(mean_ij (A°_ij − g_ij)²)``, ``g`` the products ``⟨z_i, z_j⟩``, shifted and scaled to [0, 1].

    The mean over edges and the mean over other pairs are estimated from ``pairs`` of each, drawn with torch's
    generator, and count by their shares of the ``N²``. If there are no more than ``pairs`` in all, each is read.

    Args:
        z: ``[N, d]``.
        adj: the graph; ``A°`` is its 0/1 pattern with self-loops.
        pairs: to read of edges, and of all pairs.
    """
    edges, nodes = adj.normalize("none", self_loops=1), adj.num_nodes
    if nodes**2 <= pairs:
        every = torch.arange(nodes**2, device=z.device)
        g = scaled_to_one(_products(z, every // nodes, every % nodes))
        return (_are_edges(every, edges).to(g.dtype) - g).square().mean().clamp_min(SMALLEST).sqrt()
    drawn = torch.randint(edges.nnz, (pairs,), device=z.device)
    others = torch.randint(nodes**2, (pairs,), device=z.device)
    receiver = torch.cat([edges.row[drawn], others // nodes])
    g = scaled_to_one(_products(z, receiver, torch.cat([edges.col[drawn], others % nodes])))
    no_edge = ~_are_edges(others, edges)
    on = (1 - g[:pairs]).square().mean()
    off = (g[pairs:].square() * no_edge).sum() / no_edge.sum().clamp_min(1)
    share = edges.nnz / nodes**2
    return (share * on + (1 - share) * off).clamp_min(SMALLEST).sqrt()


def scaled_to_one(products: Tensor) -> Tensor:
    """Returns ``(p − min p) / (max p − min p)``, zeros where all are alike."""
    low, high = products.aminmax()
    return (products - low) / (high - low).clamp_min(SMALLEST)


def _products(z: Tensor, receiver: Tensor, sender: Tensor) -> Tensor:
    return (z.index_select(0, receiver) * z.index_select(0, sender)).sum(dim=1)


def _are_edges(pairs: Tensor, edges: SparseMatrix) -> Tensor:
    """Returns which pairs ``i N + j`` are entries of the matrix, whose entries are sorted."""
    known = edges.row * edges.shape[1] + edges.col
    at = torch.searchsorted(known, pairs).clamp_max(known.numel() - 1)
    return known[at] == pairs
