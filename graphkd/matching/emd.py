"""Many layers to many, by the earth mover's distance."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.matching.layers import Layers
from graphkd.matching.soft import SoftMatching, weighted

LEAST = 0.01
"""Lower bound of a layer's cost per unit of weight, as a share of the largest one."""


class EMD(SoftMatching):
    """``Σ_ij F_ij c_ij`` with ``c_ij = distance(P_ij h_i, t_j)`` and the flow ``F`` from ``w^S`` to ``w^T``.

    ``F ≥ 0`` is the cheapest one with rows that sum to ``w^S`` and columns that sum to ``w^T``. It is a constant
    of the step: gradients go through ``c``. Layer weights start uniform, ``1/M`` and ``1/N``, and are updated in
    every training step: ``w^S_i ← r_i / Σ_k r_k`` with ``r_i = Σ_k u_k / u_i``, ``u_i = Σ_j F_ij c_ij / w^S_i``:
    a layer's cost per unit of its weight, and likewise ``w^T`` with columns. So layers that are cheap to match get
    more. ``u_i`` is clamped to ``0.01 max_k u_k`` at least, else a layer without cost would take all the weight
    for good; where all costs are 0, weights do not change. The released code uses ``softmax_i r_i``, which gives
    nearly all the weight to the cheapest layer.

    Costs ``M N`` distances and projections, and a linear programme of ``M N`` unknowns on the CPU.

    Source: Li et al., BERT-EMD: Many-to-Many Layer Mapping for BERT Compression with EMD, EMNLP 2020

    >>> EMD(distance="cosine").pairs(num_student=2, num_teacher=2)
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """

    name = "emd"
    is_static = False
    shares: Tensor
    """``w^S`` and then ``w^T``, ``[M + N]``; saved with the weights of the best epoch."""

    def build(self, student_widths: list[int], teacher_widths: list[int]) -> None:
        """Creates uniform layer weights.

        Raises:
            GraphKDError: POT is not installed.
        """
        _solver()
        self.register_buffer("shares", _uniform(len(student_widths), len(teacher_widths)))

    def weigh(self, layers: Layers) -> Tensor:
        """Computes ``F [M, N]``, which sums to 1; with uniform layer weights where none were built."""
        costs = layers.costs().detach()
        return flow(*self._shares(*layers.depths), costs.double().cpu()).to(costs)

    def loss(self, layers: Layers) -> Tensor:
        """Computes the cost of the flow, a scalar; in training mode, updates the layer weights."""
        shift = self.weigh(layers)
        if self.training:
            spent = (shift * layers.costs().detach()).double().cpu()
            student, teacher = self._shares(*layers.depths)
            new = torch.cat([updated(student, spent.sum(dim=1)), updated(teacher, spent.sum(dim=0))])
            self.shares.copy_(new)
        return weighted(shift, layers)

    def _shares(self, num_student: int, num_teacher: int) -> tuple[Tensor, Tensor]:
        shares = getattr(self, "shares", None)
        if shares is None or len(shares) != num_student + num_teacher:
            shares = _uniform(num_student, num_teacher)
        student, teacher = shares.cpu().split([num_student, num_teacher])
        return student, teacher


def flow(student: Tensor, teacher: Tensor, costs: Tensor) -> Tensor:
    """Computes ``argmin_F Σ_ij F_ij c_ij`` over ``F ≥ 0`` with these row and column sums.

    Args:
        student: ``[M]`` float64, sums to 1.
        teacher: ``[N]`` float64, sums to 1.
        costs: ``[M, N]`` float64.

    Returns:
        ``[M, N]`` float64; ``w^S w^Tᵀ`` where a cost is not finite, so that the loss is not finite either.
    """
    largest = costs.abs().max()
    if not largest.isfinite():
        return torch.outer(student, teacher)
    scaled = costs / largest if largest > 0 else costs  # the solver's tolerances are absolute
    return torch.from_numpy(_solver().emd(student.numpy(), teacher.numpy(), scaled.numpy()))


def updated(weights: Tensor, spent: Tensor) -> Tensor:
    """Computes ``w_i ← (1 / u_i) / Σ_k (1 / u_k)``, ``u_i = spent_i / w_i``, at least ``LEAST`` of the largest.

    Args:
        weights: ``w [M]`` of layers, none 0.
        spent: ``Σ_j F_ij c_ij``, ``[M]``.

    Returns:
        ``[M]``, sums to 1.
    """
    unit = spent / weights
    if unit.max() <= 0:
        return weights
    inverse = 1 / unit.clamp(min=LEAST * float(unit.max()))
    return inverse / inverse.sum()


def _uniform(num_student: int, num_teacher: int) -> Tensor:
    sizes = torch.tensor([num_student] * num_student + [num_teacher] * num_teacher, dtype=torch.float64)
    return 1 / sizes


def _solver() -> Any:
    try:
        return importlib.import_module("ot")
    except ImportError:
        raise GraphKDError("matching=emd needs POT, which is not installed: pip install 'graphkd[emd]'") from None
