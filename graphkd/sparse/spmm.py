"""Sparse-dense matrix product, forward and backward, and the choice of its backend.

The choice is measured in ``experiments/spmm`` (two cores): on CPU, ``embedding_bag`` over CSR is the
fastest for 32- and 16-bit floats, backward pass included, and slower than ``torch.sparse`` for 64-bit
ones. On CUDA the package's Triton kernel is used, and ``torch.sparse`` if triton is not installed
(``experiments/gpu``). ``torch_scatter`` is a baseline for comparison: it gathers first, which costs 5 to 8 times
the time and nnz × d of memory.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.backends import by_triton, has_torch_scatter
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.segment import segment_reduce


def spmm(matrix: SparseMatrix, dense: Tensor) -> Tensor:
    """Computes ``matrix @ dense``, differentiable in ``dense``.

    The gradient is ``matrixᵀ @ grad`` over the stored transpose, which costs the same as the forward
    pass; no tensor of size nnz × d is allocated.

    Args:
        matrix: ``M × N``.
        dense: ``[N, d]``, same dtype and device.

    Returns:
        ``[M, d]``.

    >>> row, col = torch.tensor([0, 0]), torch.tensor([0, 1])
    >>> matrix = SparseMatrix.from_coo(row, col, torch.tensor([1.0, 2.0]), shape=(1, 2))
    >>> spmm(matrix, torch.tensor([[1.0], [10.0]]))
    tensor([[21.]])
    """
    if matrix.shape[1] != dense.shape[0]:
        raise ValueError(f"cannot multiply {matrix.shape} by {tuple(dense.shape)}")
    return _Spmm.apply(dense, matrix)  # type: ignore[no-any-return, no-untyped-call]


def backend_for(dtype: torch.dtype, device: torch.device) -> str:
    """Returns the fastest backend: ``embedding_bag``, ``triton`` or ``csr``."""
    if by_triton(device):
        return "triton"
    return "embedding_bag" if device.type == "cpu" and dtype != torch.float64 else "csr"


def available_backends(device: torch.device) -> list[str]:
    """Returns the names of the backends of ``multiply`` that are available on a device."""
    available = {"torch_scatter": has_torch_scatter(), "triton": by_triton(device)}
    return [name for name in _PRODUCTS if available.get(name, True)]


def multiply(matrix: SparseMatrix, dense: Tensor, backend: str) -> Tensor:
    """Computes ``matrix @ dense`` with the named backend, without autograd."""
    return _PRODUCTS[backend](matrix, dense)


def _embedding_bag(matrix: SparseMatrix, dense: Tensor) -> Tensor:
    return F.embedding_bag(
        matrix.col,
        dense.contiguous(),
        matrix.rowptr,
        mode="sum",
        per_sample_weights=matrix.value,
        include_last_offset=True,
    )


def _csr(matrix: SparseMatrix, dense: Tensor) -> Tensor:
    return matrix.torch() @ dense


def _torch_scatter(matrix: SparseMatrix, dense: Tensor) -> Tensor:
    """Gathers every entry's row first: nnz × d in memory."""
    gathered = dense.index_select(0, matrix.col).mul_(matrix.value.unsqueeze(1))
    return segment_reduce(matrix.rowptr, gathered, "sum", "torch_scatter")


def _triton(matrix: SparseMatrix, dense: Tensor) -> Tensor:
    from graphkd.kernels.spmm import Pieces, triton_spmm

    pieces = matrix.kept("pieces", lambda: Pieces.of(matrix.rowptr))
    return triton_spmm(matrix.rowptr, matrix.col, matrix.value, dense, pieces)


_PRODUCTS = {"embedding_bag": _embedding_bag, "csr": _csr, "torch_scatter": _torch_scatter, "triton": _triton}


class _Spmm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, dense: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix
        return multiply(matrix, dense, backend_for(dense.dtype, dense.device))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        return multiply(ctx.matrix.t(), grad, backend_for(grad.dtype, grad.device)), None
