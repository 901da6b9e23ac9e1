"""Masked inputs and graphs, and the error of what is reconstructed from them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.sparse import Features, SparseMatrix, spmm
from graphkd.sparse.adjacency import reciprocal


def reconstruction_error(decoder: nn.Linear, h: Tensor, x: Features) -> Tensor:
    """Returns ``mean (h Wᵀ + b − x)²`` over all entries.

    For sparse ``x`` no ``N × D`` table is made: the squares come from ``hᵀh``, the products from ``x W``. That
    takes ``(N + D) d² + nnz(x) d`` instead of ``N D d`` operations.

    Args:
        decoder: ``W [D, d]`` and ``b [D]``.
        h: ``[N, d]``.
        x: ``[N, D]``.
    """
    if isinstance(x, Tensor):
        return F.mse_loss(decoder(h), x)
    weight, bias = decoder.weight, decoder.bias
    squares = ((weight @ (h.t() @ h)) * weight).sum() + 2 * h.sum(dim=0) @ (weight.t() @ bias)
    squares = squares + h.shape[0] * bias.square().sum() + x.value.square().sum()
    products = (spmm(x, weight) * h).sum() + x.sum(dim=0) @ bias
    return (squares - 2 * products) / (x.shape[0] * x.shape[1])


def masked(table: Features, share: float) -> Features:
    """Returns a table of which a share of the entries, drawn by torch's generator, is zero."""
    entries = table if isinstance(table, Tensor) else table.value
    if isinstance(table, SparseMatrix):
        table.transpose_order()  # once, for the backward passes of all masked copies
    kept = entries * (torch.rand(entries.shape, device=entries.device) >= share)
    return kept if isinstance(table, Tensor) else table.with_values(kept)


def aggregated(edges: SparseMatrix, h: Tensor, hops: int) -> Tensor:
    """Returns ``h [N, d]`` after ``h ← norm(M h)``, ``hops`` times, over a graph ``M [N, N]``.

    ``norm`` is ``(h − mean) / √(var + 1e−5)`` of every column, a batch norm of all rows without parameters.
    Without it nothing keeps all nodes from one point, at which a distance between nodes and aggregates is 0.
    """
    for _ in range(hops):
        h = spmm(edges, h)
        h = F.batch_norm(h, None, None, training=True) if h.shape[0] > 1 else h
    return h


def aggregation(edges: SparseMatrix, share: float) -> SparseMatrix:
    """Returns ``D^-1/2 M D^-1/2``, ``M`` being a graph without a share of its edges; self-loops stay.

    Args:
        edges: ``N × N``.
        share: of the edges, drawn by torch's generator, each direction for itself.
    """
    edges.transpose_order()  # once, for the backward passes of all masked copies
    kept = (torch.rand(edges.nnz, device=edges.device) >= share) | (edges.row == edges.col)
    left = edges.with_values(edges.value * kept)
    scale = reciprocal(left.sum(dim=1), "symmetric")
    return left.scale(rows=scale, cols=scale)
