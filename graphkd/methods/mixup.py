"""Mixed teachers: an edge's target lies between the distributions of its two ends, and folds as they do."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphkd.methods.fold import PIECE_BYTES, edge_targets
from graphkd.methods.soft_targets import Fold, SoftTargets
from graphkd.sparse import SparseMatrix, row_pieces


def mixup_targets(logits: Tensor, shares: SparseMatrix, tau: float) -> SoftTargets:
    """Folds ``mean_{(i, j)} KL((1 − m_ij) q_i + m_ij q_j ‖ p_i)``.

    The targets are linear in ``q``, so that their sum per row is that of ordinary edges: ``m_ij / E`` from ``j``
    and, on the diagonal, ``Σ_j (1 − m_ij) / E`` from the node itself. Only the constant differs: it is the mean of
    ``⟨q_ij, log q_ij⟩`` of the mixed targets ``q_ij``: ``E C`` operations, in pieces of edges.

    Args:
        logits: ``[N, C]`` of the teacher.
        shares: ``m``, ``N × N``, receivers × senders, each in [0, 1]; a self-loop in every row, whose share has no
            effect.
        tau: temperature of both sides.

    Returns:
        ``T [N, C]``, which can be folded again with other ``shares`` as ``weights``.
    """
    soft = edge_targets(logits, _edge_weights(shares), tau)
    return replace(soft, constant=_mean_entropy(logits, shares, tau), fold=Fold(_again, logits, shares, tau))


def _again(logits: Tensor, weights: SparseMatrix | None, tau: float) -> SoftTargets:
    assert weights is not None
    return mixup_targets(logits, weights, tau)


def _edge_weights(shares: SparseMatrix) -> SparseMatrix:
    """Returns the weights ``w`` with ``Σ_j w_ij q_j = Σ_j ((1 − m_ij) q_i + m_ij q_j) / E``."""
    row = shares.row
    is_loop = row == shares.col
    share = shares.value.double().masked_fill(is_loop, 1.0)
    kept = share.new_zeros(shares.shape[0]).index_add_(0, row, 1.0 - share)
    weight = share.masked_scatter(is_loop, 1.0 + kept)  # loops are in the order of their rows
    return shares.with_values(weight / max(shares.nnz, 1))


def _mean_entropy(logits: Tensor, shares: SparseMatrix, tau: float) -> Tensor:
    """Computes the mean of ``⟨q_ij, log q_ij⟩`` over the edges in the precision of the logits; sums in float64."""
    q = torch.softmax(logits / tau, dim=1).to(shares.device)
    edges_at_once = max(1, PIECE_BYTES // (3 * q.element_size() * q.shape[1]))
    total = q.new_zeros((), dtype=torch.float64)
    for rows in row_pieces(shares.rowptr, slice(0, shares.shape[0]), edges_at_once):
        piece = shares.rows(rows)
        share = piece.value.to(q.dtype).unsqueeze(1)
        mixed = torch.lerp(q[rows][piece.row], q[piece.col], share)
        total += torch.special.xlogy(mixed, mixed).sum(dtype=torch.float64)
    return total / max(shares.nnz, 1)
