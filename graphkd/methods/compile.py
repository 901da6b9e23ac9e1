"""Folds node- and edge-level distillation terms into ``SoftTargets``, once, before training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.methods.targets import SoftTargets
from graphkd.sparse import SparseMatrix, spmm
from graphkd.tables import workspace

ROWS = 2**16
"""Rows whose distributions are in float64 at a time."""


def node_targets(logits: Tensor, tau: float) -> SoftTargets:
    """``mean_i KL(q_i ‖ p_i)``.

    Args:
        logits: ``[N, C]`` of the teacher.
        tau: temperature of both sides.

    Returns:
        ``T = Q / N``.
    """
    num_rows, width = logits.shape

    def shares(rows: slice) -> Tensor:
        return (_log_q(logits[rows], tau).exp_() / num_rows).to(logits.dtype)

    return SoftTargets(
        table=workspace().by_rows("soft", (num_rows, width), logits.dtype, shares, unit=3 * 8 * width),
        row_weight=logits.new_full((num_rows,), 1.0 / num_rows),
        constant=float(_entropies(logits, tau).sum() / num_rows),
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
        ``T = w Q`` (or ``L = w log Q``), from one sparse product in float64; in a workspace with a budget some
        classes at a time.
    """
    num_rows, width = logits.shape
    weights = weights.to(torch.float64)

    def mixed(classes: slice) -> Tensor:
        parts = [_log_q(logits[rows], tau)[:, classes] for rows in _blocks(num_rows)]
        log_q = torch.cat(parts) if len(parts) > 1 else parts[0]
        return spmm(weights, log_q if reverse else log_q.exp_()).to(logits.dtype)

    entropy = weights.sum(dim=0) @ _entropies(logits, tau) if not reverse else 0.0
    return SoftTargets(
        table=workspace().by_columns("soft", (num_rows, width), logits.dtype, mixed, unit=4 * 8 * num_rows),
        row_weight=weights.sum(dim=1).to(logits.dtype),
        constant=float(entropy),
        tau=tau,
        reverse=reverse,
    )


def _entropies(logits: Tensor, tau: float) -> Tensor:
    """``⟨q_i, log q_i⟩``: ``[N]`` float64."""
    log_q = (_log_q(logits[rows], tau) for rows in _blocks(logits.shape[0]))
    return torch.cat([(each.exp() * each).sum(dim=1) for each in log_q])


def _log_q(logits: Tensor, tau: float) -> Tensor:
    return F.log_softmax(logits.double() / tau, dim=1)


def _blocks(num_rows: int) -> list[slice]:
    return [slice(start, start + ROWS) for start in range(0, max(num_rows, 1), ROWS)]
