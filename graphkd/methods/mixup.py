"""Mixed teachers: an edge's target lies between the distributions of its two ends, and folds as they do."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphkd.methods.fold import PIECE_BYTES, edge_targets
from graphkd.methods.fold_kernel import BLOCK
from graphkd.methods.soft_targets import Fold, SoftTargets
from graphkd.sparse import SparseMatrix, row_pieces


def mixup_targets(
    logits: Tensor, shares: SparseMatrix, tau: float, sender_weight: Tensor | None = None
) -> SoftTargets:
    """Folds ``mean_{(i, j)} KL((1 − m_ij) q_i + m_ij q_j ‖ p_i)``.

    With weights ``c`` of the teacher's nodes a term is ``w KL(q ‖ p_i)`` of the mixed
    ``w q = (1 − m_ij) c_i q_i + m_ij c_j q_j``, where ``w`` is the sum of its entries.

    The targets are linear in ``q``, so that their sum per row is that of ordinary edges: ``m_ij / E`` from ``j``
    and, on the diagonal, ``Σ_j (1 − m_ij) / E`` from the node itself. Only the constant differs: it is the mean of
    ``⟨q_ij, log q_ij⟩`` of the mixed targets ``q_ij``: ``E C`` operations, in blocks.

    Args:
        logits: ``[N, C]`` of the teacher.
        shares: ``m``, ``N × N``, receivers × senders, each in [0, 1]; a self-loop in every row, whose share has no
            effect.
        tau: temperature of both sides.
        sender_weight: ``c [N]``, or None for 1.

    Returns:
        ``T [N, C]``, which can be folded again with other ``shares`` as ``weights``.
    """
    soft = edge_targets(logits, _edge_weights(shares), tau, sender_weight=sender_weight)
    constant = _mean_entropy(logits, shares, tau, sender_weight)
    return replace(soft, constant=constant, fold=Fold(_again, logits, shares, tau, sender_weight))


def _again(logits: Tensor, weights: SparseMatrix | None, tau: float, sender_weight: Tensor | None) -> SoftTargets:
    assert weights is not None
    return mixup_targets(logits, weights, tau, sender_weight)


def _edge_weights(shares: SparseMatrix) -> SparseMatrix:
    """Returns the weights ``w`` with ``Σ_j w_ij q_j = Σ_j ((1 − m_ij) q_i + m_ij q_j) / E``."""
    row = shares.row
    is_loop = row == shares.col
    share = shares.value.double().masked_fill(is_loop, 1.0)
    kept = share.new_zeros(shares.shape[0]).index_add_(0, row, 1.0 - share)
    weight = share.masked_scatter(is_loop, 1.0 + kept)  # loops are in the order of their rows
    return shares.with_values(weight / max(shares.nnz, 1))


def _mean_entropy(logits: Tensor, shares: SparseMatrix, tau: float, sender_weight: Tensor | None) -> Tensor:
    """Computes the mean of ``w ⟨q, log q⟩`` over the edges, block by block; blocks are summed in float64."""
    q = torch.softmax(logits / tau, dim=1).to(shares.device)
    if sender_weight is not None:
        q = q * sender_weight.to(q).unsqueeze(1)
    entries = BLOCK if q.is_cpu else PIECE_BYTES // (3 * q.element_size())
    total = q.new_zeros((), dtype=torch.float64)
    for rows in row_pieces(shares.rowptr, slice(0, shares.shape[0]), max(1, entries // q.shape[1])):
        piece = shares.rows(rows)
        share = piece.value.to(q.dtype).unsqueeze(1)
        mixed = torch.lerp(q[rows].index_select(0, piece.row), q.index_select(0, piece.col), share)
        total += _negentropy(mixed)
        if sender_weight is not None:  # of w q the above is w ⟨q, log q⟩ + w log w
            total -= _negentropy(mixed.sum(dim=1))
    return total / max(shares.nnz, 1)


def _negentropy(table: Tensor) -> Tensor:
    """Computes ``Σ x log x`` over all entries."""
    entries = table.reshape(-1)
    # Not xlogy, which is not vectorised: 0 times the logarithm of the smallest number is 0 as well.
    return torch.dot(entries, entries.clamp_min(torch.finfo(entries.dtype).tiny).log_())
