"""Propagated features stored as factors: a layer projects first, then propagates."""

from __future__ import annotations

from typing import Any

import scipy.sparse
import torch
from torch import Tensor

from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.spmm import backend_for, multiply, spmm


class Factored:
    """``X̃ = 1/(P+1) Σ_k Ã^k X`` for ``k = 0 … P``, or ``[X ‖ ÃX ‖ … ‖ Ã^P X]``: only ``X`` and ``Ã`` are stored.

    Mean pooling is linear, so a layer on it is ``X̃ Wᵀ = 1/(P+1) Σ_k Ã^k (X Wᵀ)``: nnz(X) · h for the product
    and ``P`` products with the operator, where the dense table costs N · D · h. A layer on ``concat`` has a block
    of ``W`` for each hop, ``Σ_k Ã^k (X W_kᵀ)``: ``P + 1`` products with ``X``. Exact for all rows at once.

    Args:
        x: ``X [N, D]``.
        operator: ``Ã [N, N]``.
        hops: ``P``, from 1.
        pooling: ``mean`` or ``concat``.

    >>> import torch
    >>> swap = SparseMatrix.from_coo(torch.tensor([0, 1]), torch.tensor([1, 0]), torch.ones(2), (2, 2))
    >>> x = SparseMatrix.from_coo(torch.tensor([0, 1]), torch.tensor([0, 1]), torch.tensor([2.0, 4.0]), (2, 2))
    >>> Factored(x, swap, hops=1).linear(torch.ones(1, 2)).tolist()
    [[3.0], [3.0]]
    """

    def __init__(self, x: SparseMatrix, operator: SparseMatrix, hops: int, pooling: str = "mean") -> None:
        self.operator, self.hops, self.pooling = operator, hops, pooling
        if pooling == "concat":
            self.x, self.shape = x, (x.shape[0], (hops + 1) * x.shape[1])
        else:  # the factor of the mean is applied to the entries of X, the smallest of the arrays
            self.x, self.shape = SparseMatrix(x.rowptr, x.col, x.value / (hops + 1), x.shape[1]), x.shape

    @property
    def device(self) -> torch.device:
        """Device of the factors."""
        return self.x.device

    def linear(self, weight: Tensor) -> Tensor:
        """Computes ``X̃ Wᵀ [N, h]`` for ``weight [h, D]``; with ``concat``, ``[h, (P + 1) D]``."""
        if self.pooling == "concat":
            return self._blockwise(weight)
        return _Mix.apply(spmm(self.x, weight.t()), self.operator, self.hops)  # type: ignore[no-any-return, no-untyped-call]

    def select(self, index: Tensor) -> SparseMatrix:
        """Computes the rows ``index [B]`` of ``X̃``: ``(1/(P+1) Σ_k Ã^k)[index] X``, multiplied from the left."""
        operator, x = _scipy(self.operator), _scipy(self.x)
        powers = [_scipy(_identity(self.operator).select(index))]
        for _ in range(self.hops):
            powers.append(powers[-1] @ operator)
        if self.pooling == "concat":
            rows = scipy.sparse.hstack([power @ x for power in powers]).tocsr()
        else:
            rows = (sum(powers[1:], powers[0]) @ x).tocsr()
        rows.sort_indices()
        parts = (torch.from_numpy(part).to(self.device) for part in (rows.indptr, rows.indices, rows.data))
        rowptr, col, value = parts
        return SparseMatrix(rowptr.long(), col.long(), value, self.shape[1])

    def _blockwise(self, weight: Tensor) -> Tensor:
        """Computes ``X W_0ᵀ + Ã (X W_1ᵀ + Ã (X W_2ᵀ + …))``: Horner's rule over the blocks of ``weight``."""
        first, *remaining = reversed(torch.split(weight, self.x.shape[1], dim=1))
        out = spmm(self.x, first.t())
        for block in remaining:
            out = spmm(self.operator, out) + spmm(self.x, block.t())
        return out


class _Mix(torch.autograd.Function):
    """``Σ_k Ã^k Z`` by Horner's rule: ``Z + Ã (Z + Ã (Z + …))``; the same with Ãᵀ in the backward pass."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, operator: SparseMatrix, hops: int) -> Tensor:
        ctx.operator, ctx.hops = operator, hops
        return _horner(operator, dense, hops)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _horner(ctx.operator.t(), grads[0].contiguous(), ctx.hops), None, None


def _horner(operator: SparseMatrix, dense: Tensor, hops: int) -> Tensor:
    backend, out = backend_for(dense.dtype, dense.device), dense
    for _ in range(hops):
        out = multiply(operator, out, backend).add_(dense)
    return out


def _identity(like: SparseMatrix) -> SparseMatrix:
    node = torch.arange(like.shape[0] + 1, device=like.device)
    return SparseMatrix(node, node[:-1], like.value.new_ones(like.shape[0]), like.shape[0])


def _scipy(matrix: SparseMatrix) -> scipy.sparse.csr_matrix[Any]:
    parts = (part.cpu().numpy() for part in (matrix.value, matrix.col, matrix.rowptr))
    return scipy.sparse.csr_matrix(tuple(parts), shape=matrix.shape)
