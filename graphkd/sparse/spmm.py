"""Sparse times dense, forward and backward, and the one place that picks its backend.

The rule comes from ``experiments/spmm`` (measured, two cores): on CPU, ``embedding_bag`` over CSR is
2 to 5 times faster than anything else for 32- and 16-bit floats and slower than ``torch.sparse`` for
64-bit ones; on other devices ``torch.sparse`` CSR is used.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.sparse.matrix import SparseMatrix

Features: TypeAlias = "Tensor | SparseMatrix"
"""Node features ``[N, D]``: a dense tensor or a sparse matrix."""


def spmm(matrix: SparseMatrix, dense: Tensor) -> Tensor:
    """``matrix @ dense``, differentiable in ``dense``.

    The gradient is ``matrixᵀ @ grad`` over the stored transpose, which costs the same as the forward
    pass; no tensor of size nnz × d is ever made.

    Args:
        matrix: ``M × N``.
        dense: ``[N, d]``, same dtype and device.

    Returns:
        ``[M, d]``.
    """
    if matrix.shape[1] != dense.shape[0]:
        raise ValueError(f"cannot multiply {matrix.shape} by {tuple(dense.shape)}")
    return _Spmm.apply(dense, matrix)  # type: ignore[no-any-return, no-untyped-call]


def backend_for(dtype: torch.dtype, device: torch.device) -> str:
    """The fastest backend: ``embedding_bag`` or ``csr``."""
    return "embedding_bag" if device.type == "cpu" and dtype != torch.float64 else "csr"


def multiply(matrix: SparseMatrix, dense: Tensor, backend: str) -> Tensor:
    """``matrix @ dense`` by the named backend, without autograd."""
    if backend == "csr":
        return matrix.torch() @ dense
    return F.embedding_bag(
        matrix.col,
        dense.contiguous(),
        matrix.rowptr,
        mode="sum",
        per_sample_weights=matrix.value,
        include_last_offset=True,
    )


class _Spmm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, dense: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix
        return multiply(matrix, dense, backend_for(dense.dtype, dense.device))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        return multiply(ctx.matrix.t(), grad, backend_for(grad.dtype, grad.device)), None


def linear(x: Features, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weightᵀ + bias`` for dense or sparse rows; the sparse form costs nnz · h.

    Args:
        x: ``[B, D]``.
        weight: ``[h, D]``, as in ``torch.nn.Linear``.
        bias: ``[h]`` or nothing.

    Returns:
        ``[B, h]``.
    """
    if isinstance(x, Tensor):
        return F.linear(x, weight, bias)
    out = spmm(x, weight.t())
    return out if bias is None else out + bias


def as_features(x: Any) -> Features:
    """Dense tensors stay, ``torch`` sparse tensors, scipy matrices and arrays are wrapped.

    Args:
        x: ``[B, D]``: tensor, torch sparse tensor (CSR or COO), scipy sparse matrix or array.

    Returns:
        Floating-point features; half, single and double precision are kept, all else becomes float32.
    """
    if isinstance(x, SparseMatrix):
        return x
    if hasattr(x, "tocsr"):
        csr = x.tocsr()
        csr.sum_duplicates()
        x = SparseMatrix(
            torch.from_numpy(csr.indptr).long(),
            torch.from_numpy(csr.indices).long(),
            torch.from_numpy(csr.data),
            csr.shape[1],
        )
        return x if x.dtype.is_floating_point else x.to(torch.float32)
    tensor = x if isinstance(x, Tensor) else torch.as_tensor(x)
    if not tensor.dtype.is_floating_point:
        tensor = tensor.float()
    if tensor.layout == torch.strided:
        return tensor
    return SparseMatrix.from_torch(tensor.to_sparse_csr() if tensor.layout != torch.sparse_csr else tensor)


def select_rows(x: Features, index: Tensor) -> Features:
    """The rows ``index [B]`` of dense or sparse features."""
    return x.index_select(0, index) if isinstance(x, Tensor) else x.select(index)
