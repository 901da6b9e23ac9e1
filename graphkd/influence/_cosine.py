"""Cosines between raw and propagated rows, N × N of them, without an N × N matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Features, SparseMatrix, select_rows, spmm

BLOCK_BYTES = 128 * 2**20
"""Most memory of one block of the search; blocks hold N × B entries in float64."""

BLOCK_ROWS = 256
"""Largest B: on a small graph, too, a block stays a strip of the N × N cosines."""

PROBES = 64
"""Rows tried first for an orthogonal pair: the ones with the fewest non-zeros."""


class PropagatedCosine:
    """``S_ij = ⟨x̂_i, ŷ_j⟩`` with ``Y = Ã^k X``, known through products with ``Ã`` and ``X`` only.

    ``Y`` is never formed as a whole: its row norms come from column blocks, ``Xᵀ``-sided sums from the
    transposed operator, and blocks of S from ``Ã^k (X x_Bᵀ)``. All in float64.

    Args:
        x: ``[N, D]``.
        operator: ``Ã [N, N]`` in float64.
        hops: ``k``.
    """

    def __init__(self, x: Features, operator: SparseMatrix, hops: int) -> None:
        self.operator, self.hops = operator, hops
        x = x.to(torch.float64)
        values = x.value if isinstance(x, SparseMatrix) else x
        self.non_negative = bool((values >= 0).all() & (operator.value >= 0).all())
        self.x = x
        self.x_scale = _inverse(_squared_norms(x).sqrt())
        self.y_scale = _inverse(self._propagated_norms())

    def row_sums(self, columns: int) -> Tensor:
        """``Σ_j S_ij = ⟨x̂_i, m⟩`` over the first ``columns`` nodes ``j``: ``[N]``."""
        members = self.y_scale.new_zeros(self.y_scale.numel(), 1)
        members[:columns] = 1.0
        return self.group_sums(members).squeeze(1)

    def group_sums(self, members: Tensor) -> Tensor:
        """``Σ_j S_ij g_jc`` for ``members g [N, C]``: ``[N, C]``, at the cost of C row sums."""
        columns = self._power(self.operator.t(), self.y_scale.unsqueeze(1) * members)
        return self.x_scale.unsqueeze(1) * self._times(self._transposed_times(columns))

    def minimum(self) -> float:
        """``min_ij S_ij`` over all pairs, exactly."""
        if bool((self.x_scale == 0).any() | (self.y_scale == 0).any()) and self.non_negative:
            return 0.0
        order = torch.argsort(_count_nonzero(self.x))
        if self.non_negative and self._block_minimum(order[:PROBES]) == 0.0:
            return 0.0
        return min(self._block_minimum(block) for block in torch.split(order, self._block_size))

    @property
    def _block_size(self) -> int:
        return min(BLOCK_ROWS, max(1, BLOCK_BYTES // (8 * self.x.shape[0])))

    def _block_minimum(self, rows: Tensor) -> float:
        """The least of ``S_ij`` with ``i`` in ``rows``."""
        part = select_rows(self.x, rows)
        dense = part.to_dense() if isinstance(part, SparseMatrix) else part
        block = self._power(self.operator, self._times(dense.t().contiguous()))
        return float((block * self.y_scale.unsqueeze(1) * self.x_scale[rows]).min())

    def _propagated_norms(self) -> Tensor:
        """``‖y_j‖`` for all ``j``, from blocks of columns of ``Y``."""
        total = self.operator.value.new_zeros(self.x.shape[0])
        for columns in torch.split(torch.arange(self.x.shape[1], device=total.device), self._block_size):
            block = self.x.t().select(columns) if isinstance(self.x, SparseMatrix) else self.x[:, columns]
            dense = block.to_dense().t().contiguous() if isinstance(block, SparseMatrix) else block
            total += self._power(self.operator, dense).square().sum(dim=1)
        return total.sqrt()

    def _power(self, operator: SparseMatrix, dense: Tensor) -> Tensor:
        for _ in range(self.hops):
            dense = spmm(operator, dense)
        return dense

    def _times(self, dense: Tensor) -> Tensor:
        return spmm(self.x, dense) if isinstance(self.x, SparseMatrix) else self.x @ dense

    def _transposed_times(self, dense: Tensor) -> Tensor:
        return spmm(self.x.t(), dense) if isinstance(self.x, SparseMatrix) else self.x.t() @ dense


def _squared_norms(x: Features) -> Tensor:
    if isinstance(x, Tensor):
        return x.square().sum(dim=1)
    return SparseMatrix(x.rowptr, x.col, x.value.square(), x.shape[1]).sum(dim=1)


def _count_nonzero(x: Features) -> Tensor:
    if isinstance(x, Tensor):
        return x.count_nonzero(dim=1)
    return x.rowptr.diff()


def _inverse(norms: Tensor) -> Tensor:
    """``1 / norm``, and 0 for a zero row: its cosine with everything is 0."""
    return torch.where(norms > 0, 1.0 / norms, 0.0)
