"""Cosines of dense rows: Y is stored, and all pairs are one matrix product."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._cosine import PropagatedCosine, inverse
from graphkd.influence._minimum import Means, Minimum
from graphkd.influence._pairs import ranges
from graphkd.influence._search import PROBES, Tables, least_cosine
from graphkd.sparse import SparseMatrix, power


class DenseCosine(PropagatedCosine):
    """Cosines of dense ``X`` and ``Y = Ã^k X``, both ``[N, D]``; norms and sums are in float64.

    Args:
        x: ``[N, D]`` float32 or float64.
        operator: ``Ã [N, N]`` of the same dtype.
        hops: ``k``.
        means: limits of time and memory; float64 blocks of rows use a quarter of the memory.
    """

    def __init__(self, x: Tensor, operator: SparseMatrix, hops: int, means: Means) -> None:
        self.x = x.detach()
        self.y = power(self.x, operator, hops, "influence")
        self.blocks = ranges(0, x.shape[0], max(1, min(65_536, means.bytes // (32 * x.shape[1]))))
        self.non_negative = bool(self.x.amin() >= 0) and bool((operator.value >= 0).all())
        self.x_scale, self.y_scale = self._inverse_norms(self.x), self._inverse_norms(self.y)

    def group_sums(self, members: Tensor) -> Tensor:
        """Computes ``Σ_j S_ij g_jc`` for ``members g [N, C]``: ``[N, C]``, from ``m_c = Σ_j g_jc ŷ_j``."""
        scaled = self.y_scale.unsqueeze(1) * members
        m = sum(self.y[rows].double().t() @ scaled[rows] for rows in self.blocks)
        return self.x_scale.unsqueeze(1) * torch.cat([self.x[rows].double() @ m for rows in self.blocks])

    def _minimum(self, floor: float, means: Means) -> Minimum:
        if self.non_negative:  # rows with few non-zeros are the likeliest to be orthogonal
            counts = torch.cat([self.x[rows].count_nonzero(dim=1) for rows in self.blocks])
            first = torch.argsort(counts)[:PROBES]
        else:
            index = torch.randperm(self.x.shape[0], generator=torch.Generator().manual_seed(0))[:PROBES]
            first = index.to(self.x.device)
        return least_cosine(Tables(self.x, self.x_scale, self.y, self.y_scale), floor, first, means)

    def _inverse_norms(self, table: Tensor) -> Tensor:
        squares = [table[rows].double().square().sum(dim=1) for rows in self.blocks]
        return inverse(torch.cat(squares).sqrt())
