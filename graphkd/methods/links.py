"""Losses over links between nodes as sparse products, which store nothing per link and class."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.sparse import SparseMatrix, spmm


def both_ways(edges: SparseMatrix) -> SparseMatrix:
    """Returns ``A + Aᵀ`` without the diagonal: row ``x`` holds what ``x`` is linked to, in either direction."""
    edges = edges.filter(edges.row != edges.col)
    row, col, value = edges.row, edges.col, edges.value
    return SparseMatrix.from_coo(torch.cat([row, col]), torch.cat([col, row]), value.repeat(2), edges.shape)


def random_links(links: SparseMatrix) -> SparseMatrix:
    """Returns as many links per row, with the same weights, each to another row that torch's generator draws.

    Never to the row itself: a batch would draw it more often than all rows together, and estimate another mean.

    Args:
        links: ``B × m``.

    Returns:
        ``B × B``; columns in no order, and a pair can be there twice.
    """
    rows = links.shape[0]
    ahead = torch.randint(1, max(rows, 2), (links.nnz,), device=links.device)
    return SparseMatrix(links.rowptr, (links.row + ahead) % rows, links.value, rows)


def squared_distance(links: SparseMatrix, own: Tensor, other: Tensor) -> Tensor:
    """Computes ``Σ_xo w_xo ‖a_x − b_o‖²`` from one sparse product of width ``C + 2``.

    Args:
        links: ``w``, ``B × m``.
        own: ``a [B, C]``.
        other: ``b [m, C]``.
    """
    squares = other.square().sum(dim=1, keepdim=True)
    summed = spmm(links, torch.cat([other, squares, torch.ones_like(squares)], dim=1))
    others, other_squares, degree = summed[:, :-2], summed[:, -2], summed[:, -1:]
    total: Tensor = (own * (degree * own - 2 * others)).sum() + other_squares.sum()
    return total


def label_loss(links: SparseMatrix, weight: Tensor, labels: Tensor, rows: Tensor, logits: Tensor) -> Tensor:
    """Computes ``Σ_xo a_x w_xo CE(b_o, y_x)``: rows linked to a labelled one, with the class of the latter.

    Args:
        links: ``w``, ``B × m``.
        weight: ``a [B]``.
        labels: ``y [B]`` int64.
        rows: ``[n]``, those with a label.
        logits: ``b [m, C]``.
    """
    log_p = spmm(links.select(rows), F.log_softmax(logits, dim=1))
    losses = -log_p.gather(1, labels[rows].unsqueeze(1)).squeeze(1)
    return (weight[rows].to(losses.dtype) * losses).sum()
