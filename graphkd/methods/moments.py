"""Moments of rows over neighbourhoods, and a distance of Gaussians with these."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, SparseMatrix, spmm

EPSILON = 1e-6
"""Added to variances under a root, whose gradient is finite then."""


def closed_means(adj: Adjacency) -> SparseMatrix:
    """Returns the operator of means over closed neighbourhoods ``[N, N]``, in float64; weights are not read."""
    pattern = adj.structure(self_loops=1).to(torch.float64)
    return pattern.scale(rows=1.0 / pattern.rowptr.diff().double())


def moments(means: SparseMatrix, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Computes ``m = M r`` and ``s = √(M r² − m² + ε)``, squares by entries: one sparse product of ``[r ‖ r²]``.

    Rows are moved by their mean over all rows first, which changes no variance and leaves less to cancel.

    Args:
        means: ``M [B, m]`` with rows that sum to 1.
        rows: ``r [m, d]``.

    Returns:
        Means and standard deviations, ``[B, d]`` each.
    """
    middle = rows.detach().mean(dim=0)
    centred = rows - middle
    mean, square = spmm(means, torch.cat([centred, centred.square()], dim=1)).chunk(2, dim=1)
    return mean + middle, ((square - mean.square()).clamp_min(0) + EPSILON).sqrt()


def wasserstein(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    """Computes ``W_2² = ‖m − m'‖² + ‖s − s'‖²`` of diagonal Gaussians, row by row: ``[B]``."""
    return sum(((a - b).square().sum(dim=1) for a, b in zip(one, other, strict=True)), torch.zeros(()).to(one[0]))
