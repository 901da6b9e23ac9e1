"""Differentiable values per entry of a sparse matrix: attention over a graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.segment import rows_of, segment_reduce, take
from graphkd.sparse.spmm import backend_for, multiply


def edge_scores(pattern: SparseMatrix, receiver: Tensor, sender: Tensor) -> Tensor:
    """Computes ``s[e] = receiver[row e] + sender[col e]``, differentiable in both.

    The gradients are sums over the rows of the pattern and over those of its transpose.

    Args:
        pattern: ``M × N``; its own values are not read.
        receiver: ``[M, H]``.
        sender: ``[N, H]``.

    Returns:
        ``[nnz, H]``.

    >>> import torch
    >>> pattern = SparseMatrix.pattern(torch.tensor([0, 1]), torch.tensor([1, 0]), (2, 2))
    >>> edge_scores(pattern, torch.tensor([[1.0], [2.0]]), torch.tensor([[10.0], [20.0]])).tolist()
    [[21.0], [12.0]]
    """
    return _EdgeScores.apply(receiver, sender, pattern)  # type: ignore[no-any-return, no-untyped-call]


def edge_products(pattern: SparseMatrix, receiver: Tensor, sender: Tensor) -> Tensor:
    """Computes ``s[e, h] = ⟨receiver[row e, h], sender[col e, h]⟩``, differentiable in both.

    The gradients are products of the pattern, and of its transpose, with the other side. No tensor of size
    nnz × d is allocated, forward or backward.

    Args:
        pattern: ``M × N``; its own values are not read.
        receiver: ``[M, H, d]``, float32 or float64.
        sender: ``[N, H, d]``, same dtype and device.

    Returns:
        ``[nnz, H]``.

    >>> import torch
    >>> pattern = SparseMatrix.pattern(torch.tensor([0, 0]), torch.tensor([0, 1]), (1, 2))
    >>> sender = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    >>> edge_products(pattern, torch.tensor([[[1.0, 10.0]]]), sender).tolist()
    [[21.0], [43.0]]
    """
    return _EdgeProducts.apply(receiver, sender, pattern)  # type: ignore[no-any-return, no-untyped-call]


def spmm_edges(pattern: SparseMatrix, value: Tensor, dense: Tensor) -> Tensor:
    """Computes ``out[i, h] = Σ_e value[e, h] · dense[col e, h]`` over row i's entries, differentiable in both.

    With ``g`` the gradient of ``out``, that of ``value[e, h]`` is ``⟨g[row e, h], dense[col e, h]⟩`` (a dense
    product sampled at the entries) and that of ``dense`` the product of the transpose with ``g``. No tensor of
    size nnz × d is allocated, forward or backward.

    Args:
        pattern: ``M × N``; its own values are not read.
        value: ``[nnz, H]``, float32 or float64.
        dense: ``[N, H, d]``, same dtype and device.

    Returns:
        ``[M, H, d]``.

    >>> import torch
    >>> pattern = SparseMatrix.pattern(torch.tensor([0, 0]), torch.tensor([0, 1]), (1, 2))
    >>> dense = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    >>> spmm_edges(pattern, torch.tensor([[1.0], [2.0]]), dense).tolist()
    [[[7.0, 10.0]]]
    """
    if value.shape != (pattern.nnz, dense.shape[1]) or dense.shape[0] != pattern.shape[1]:
        raise ValueError(f"cannot multiply {pattern} with values {list(value.shape)} by {list(dense.shape)}")
    return _EdgeProduct.apply(value, dense, pattern)  # type: ignore[no-any-return, no-untyped-call]


class _EdgeScores(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, receiver: Tensor, sender: Tensor, pattern: SparseMatrix) -> Tensor:
        ctx.pattern = pattern
        out = take(receiver, rows_of(pattern.rowptr, pattern.nnz))
        return out.add_(take(sender, pattern.col))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        (grad,), pattern = grads, ctx.pattern
        back = take(grad, pattern.transpose_order())
        grad = grad.contiguous()
        return segment_reduce(pattern.rowptr, grad, "sum"), segment_reduce(pattern.t().rowptr, back, "sum"), None


class _EdgeProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, receiver: Tensor, sender: Tensor, pattern: SparseMatrix) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(receiver, sender)
        return _sampled(pattern, receiver, sender)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,), (receiver, sender), pattern = grads, ctx.saved_tensors, ctx.pattern
        grad_receiver = _product(pattern, grad, sender) if ctx.needs_input_grad[0] else None
        grad_sender = None
        if ctx.needs_input_grad[1]:
            grad_sender = _product(pattern.t(), take(grad, pattern.transpose_order()), receiver)
        return grad_receiver, grad_sender, None


class _EdgeProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, dense: Tensor, pattern: SparseMatrix) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(value, dense)
        return _product(pattern, value, dense)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,), (value, dense), pattern = grads, ctx.saved_tensors, ctx.pattern
        grad_value = _sampled(pattern, grad, dense) if ctx.needs_input_grad[0] else None
        grad_dense = None
        if ctx.needs_input_grad[1]:
            grad_dense = _product(pattern.t(), take(value, pattern.transpose_order()), grad)
        return grad_value, grad_dense, None


def _product(pattern: SparseMatrix, value: Tensor, dense: Tensor) -> Tensor:
    """Multiplies head by head: the copies are N × d, and the kernels read contiguous rows."""
    backend = backend_for(dense.dtype, dense.device)
    out = dense.new_empty(pattern.shape[0], *dense.shape[1:])
    for head in range(dense.shape[1]):
        matrix = pattern.with_values(value[:, head].contiguous())
        out[:, head] = multiply(matrix, dense[:, head].contiguous(), backend)
    return out


def _sampled(pattern: SparseMatrix, left: Tensor, right: Tensor) -> Tensor:
    """Computes ``⟨left[row e, h], right[col e, h]⟩`` for each entry: ``[nnz, H]``."""
    out = left.new_empty(pattern.nnz, left.shape[1])
    target = SparseMatrix(pattern.rowptr, pattern.col, left.new_zeros(pattern.nnz), pattern.shape[1]).torch()
    for head in range(left.shape[1]):
        factors = left[:, head].contiguous(), right[:, head].contiguous().t()
        torch.sparse.sampled_addmm(target, *factors, beta=0.0, out=target)
        out[:, head] = target.values()
    return out
