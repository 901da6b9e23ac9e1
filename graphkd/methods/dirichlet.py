"""Dirichlet energy: how much rows of length 1 differ along edges."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Inputs, SparseMatrix, row_pieces, select_rows, spmm

ENTRIES = 2**24
"""Entries of sparse rows that are dense at a time."""


def row_energies(
    edges: SparseMatrix, h: Tensor, own: Tensor | None = None, weight: Tensor | None = None
) -> Tensor:
    """Computes ``Σ_j w_ij ‖ĥ_i − ĥ_j‖²`` of every receiver, with ``ĥ = h / sg(‖h‖)`` and rows of zeros unchanged.

    One sparse product: ``w_i ‖ĥ_i‖² + (W ‖ĥ‖²)_i − 2 ĥ_i · (W Ĥ)_i``, ``w_i`` the sum of row i. The norm is a
    constant to the gradient, which therefore has a part along ``h``. All rows are moved by their mean first, which
    changes no difference and leaves less to cancel.

    Args:
        edges: ``W [B, m]``, receivers × senders.
        h: ``[m, d]``.
        own: ``[B]``, where the receivers are among the ``m`` rows; by default ``0 … m − 1``.
        weight: ``w [B]``, for several tables along the same edges; by default summed here.

    Returns:
        ``[B]``.
    """
    norm = h.detach().norm(dim=1, keepdim=True)
    unit = torch.where(norm > 0, h / torch.where(norm > 0, norm, 1.0), 0.0)
    unit = unit - unit.detach().mean(dim=0)
    mine = unit if own is None else unit.index_select(0, own)
    senders = spmm(edges, unit.square().sum(dim=1, keepdim=True)).squeeze(1)
    weight = edges.sum(dim=1) if weight is None else weight
    return weight * mine.square().sum(dim=1) + senders - 2 * (mine * spmm(edges, unit)).sum(dim=1)


def input_energies(edges: SparseMatrix, x: Inputs) -> Tensor:
    """Computes the same of dense, sparse or factored inputs ``[N, D]``, edge by edge where they are not dense.

    Returns:
        ``[N]``, without a gradient.
    """
    if isinstance(x, Tensor):
        return row_energies(edges, x.detach().to(edges.dtype))
    out = edges.value.new_zeros(edges.shape[0])
    for part in row_pieces(edges.rowptr, slice(0, edges.shape[0]), max(1, ENTRIES // x.shape[1])):
        piece = edges.rows(part)
        receivers, senders = (_unit_rows(x, index, edges.dtype) for index in (piece.row + part.start, piece.col))
        out[part].index_add_(0, piece.row, piece.value * (receivers - senders).square().sum(dim=1))
    return out


def _unit_rows(x: Inputs, index: Tensor, dtype: torch.dtype) -> Tensor:
    rows = select_rows(x, index.to(x.device))
    dense = (rows if isinstance(rows, Tensor) else rows.to_dense()).to(index.device, dtype)
    return torch.nn.functional.normalize(dense, dim=1)
