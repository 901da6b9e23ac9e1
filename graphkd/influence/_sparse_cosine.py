"""Cosines of sparse rows: products with operator and features, without dense tables of width D."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._cosine import PropagatedCosine, inverse
from graphkd.influence._minimum import Means, Minimum
from graphkd.sparse import SparseMatrix, spmm

BLOCK_ROWS = 256
"""Maximal B, which bounds a block also on small graphs."""

PROBES = 64
"""Number of rows that are searched first for an orthogonal pair: those with the fewest non-zeros."""


class SparseCosine(PropagatedCosine):
    """Cosines of sparse ``X`` by products with ``Ã`` and ``X`` only.

    ``Y`` is never stored as a whole: its row norms are computed from column blocks, ``Xᵀ``-sided sums from the
    transposed operator, and blocks of S from ``Ã^k (X x_Bᵀ)``. All computation is in float64.

    Args:
        x: ``[N, D]``.
        operator: ``Ã [N, N]`` in float64.
        hops: ``k``.
        means: limits of time and memory; a block of ``N × B`` entries uses at most an eighth of the memory.
    """

    def __init__(self, x: SparseMatrix, operator: SparseMatrix, hops: int, means: Means) -> None:
        self.operator, self.hops = operator, hops
        self.x = x = x.to(torch.float64)
        # A product with Ã needs three such blocks, and scaling a fourth.
        self.block_size = min(BLOCK_ROWS, max(1, means.bytes // (8 * 8 * max(1, x.shape[0]))))
        self.non_negative = bool((x.value >= 0).all() & (operator.value >= 0).all())
        squares = SparseMatrix(x.rowptr, x.col, x.value.square(), x.shape[1]).sum(dim=1)
        self.x_scale = inverse(squares.sqrt())
        self.y_scale = inverse(self._propagated_norms())

    def group_sums(self, members: Tensor) -> Tensor:
        """Computes ``Σ_j S_ij g_jc`` for ``members g [N, C]``: ``[N, C]``, at the cost of C row sums."""
        columns = self._power(self.operator.t(), self.y_scale.unsqueeze(1) * members)
        return self.x_scale.unsqueeze(1) * spmm(self.x, spmm(self.x.t(), columns))

    def _minimum(self, floor: float, means: Means) -> Minimum:
        order = torch.argsort(self.x.rowptr.diff())
        least, looked = self._block_minimum(order[:PROBES]), min(PROBES, order.numel())
        for block in torch.split(order, self.block_size):
            if least <= floor:
                break
            if means.left <= 0:
                return Minimum(floor, least, min(1.0, looked / order.numel()))
            least, looked = min(least, self._block_minimum(block)), looked + block.numel()
        return Minimum(least, least, min(1.0, looked / order.numel()))

    def _block_minimum(self, rows: Tensor) -> float:
        """Computes the minimum of ``S_ij`` over ``i`` in ``rows``."""
        dense = self.x.select(rows).to_dense()
        block = self._power(self.operator, spmm(self.x, dense.t().contiguous()))
        return float((block * self.y_scale.unsqueeze(1) * self.x_scale[rows]).min())

    def _propagated_norms(self) -> Tensor:
        """Computes ``‖y_j‖`` for all ``j``, from blocks of columns of ``Y``."""
        total = self.operator.value.new_zeros(self.x.shape[0])
        for columns in torch.split(torch.arange(self.x.shape[1], device=total.device), self.block_size):
            dense = self.x.t().select(columns).to_dense().t().contiguous()
            total += self._power(self.operator, dense).square().sum(dim=1)
        return total.sqrt()

    def _power(self, operator: SparseMatrix, dense: Tensor) -> Tensor:
        for _ in range(self.hops):
            dense = spmm(operator, dense)
        return dense
