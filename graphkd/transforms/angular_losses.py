"""Losses of the angles between views of a teacher and the teacher, over the rows of a batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CONTRAST = 0.07
"""Temperature of the contrast between a row's own teacher and those of other rows."""


def inter_angle(teacher: Tensor, views: Tensor, margin: float) -> Tensor:
    """Computes ``L_con + L_div``: views stay near the teacher, and apart from each other.

    With unit rows ``t_b``, ``v_bi`` and ``s_bi,b' = ⟨v_bi, t_b'⟩``, where ``s_bi,b`` of ``1 − margin`` or more is
    set to 1:

    ``L_con = 1/N · mean_{b,i} CE(s_bi / 0.07, b)``, ``L_div = Σ_{b near} Σ_{i≠j} softplus(⟨v_bi, v_bj⟩) / (N (N −
    1) B)`` over the rows whose views all have ``⟨v_bi, t_b⟩ > 1 − margin``.

    Args:
        teacher: ``[B, k]``.
        views: ``[N, B, k]``.
        margin: of the cosine.
    """
    count, rows, _ = views.shape
    anchors, units = F.normalize(teacher, dim=1), F.normalize(views, dim=2)
    own = (units * anchors).sum(dim=2)
    cosines = units @ anchors.t()
    place = torch.arange(rows, device=own.device)
    near = torch.where(own >= 1 - margin, torch.ones_like(own), own)
    scores = cosines.diagonal_scatter(near, dim1=1, dim2=2) / CONTRAST
    contrast = F.cross_entropy(scores.flatten(0, 1), place.repeat(count)) / count
    kept = (own > 1 - margin).all(dim=0)
    pairs = F.softplus(torch.einsum("ibk,jbk->bij", units, units))
    return contrast + _off_diagonal((pairs * kept.view(-1, 1, 1)).sum(dim=0)) / rows


def intra_angle(teacher: Tensor, views: Tensor) -> Tensor:
    """Computes ``Σ_{i≠j} softplus(C_ij) / (N (N − 1))``: views leave the teacher in different directions.

    ``C_ij = mean_b ⟨δ_bi, δ_bj⟩`` with ``δ_bi = unit(t_b − v_bi)`` of rows as they are.

    Args:
        teacher: ``[B, k]``.
        views: ``[N, B, k]``.
    """
    steps = F.normalize(teacher - views, dim=2)
    cosines = torch.einsum("ibk,jbk->ij", steps, steps) / views.shape[1]
    return _off_diagonal(F.softplus(cosines))


def _off_diagonal(table: Tensor) -> Tensor:
    """Returns the mean of ``[N, N]`` without its diagonal; 0 for one view."""
    pairs = max(1, len(table) * (len(table) - 1))
    return (table.sum() - table.diagonal().sum()) / pairs
