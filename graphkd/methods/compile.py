"""Folds node- and edge-level distillation terms into ``SoftTargets``, once, before training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.methods.targets import SoftTargets
from graphkd.sparse import SparseMatrix, spmm


def node_targets(logits: Tensor, tau: float) -> SoftTargets:
    """``mean_i KL(q_i ‖ p_i)``.

    Args:
        logits: ``[N, C]`` of the teacher.
        tau: temperature of both sides.

    Returns:
        ``T = Q / N``.
    """
    log_q = F.log_softmax(logits.double() / tau, dim=1)
    q = log_q.exp()
    weight = torch.full_like(q[:, 0], 1.0 / q.shape[0])
    return SoftTargets(
        table=(q / q.shape[0]).to(logits.dtype),
        row_weight=weight.to(logits.dtype),
        constant=float((q * log_q).sum() / q.shape[0]),
        tau=tau,
    )


def edge_targets(logits: Tensor, weights: SparseMatrix, tau: float, reverse: bool = False) -> SoftTargets:
    """``Σ_ij w_ij KL(q_j ‖ p_i)``, or ``KL(p_i ‖ q_j)`` where ``reverse``.

    Row ``i`` is the student's node, column ``j`` the neighbour whose teacher it learns from.

    Args:
        logits: ``[N, C]`` of the teacher.
        weights: ``w``, ``N × N``.
        tau: temperature of both sides.
        reverse: the direction.

    Returns:
        ``T = w Q`` (or ``L = w log Q``), from one sparse product in float64.
    """
    log_q = F.log_softmax(logits.double() / tau, dim=1)
    q, weights = log_q.exp(), weights.to(torch.float64)
    entropy = (q * log_q).sum(dim=1)
    return SoftTargets(
        table=spmm(weights, log_q if reverse else q).to(logits.dtype),
        row_weight=weights.sum(dim=1).to(logits.dtype),
        constant=0.0 if reverse else float((weights.sum(dim=0) * entropy).sum()),
        tau=tau,
        reverse=reverse,
    )
