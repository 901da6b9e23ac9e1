"""The inner loop of every compiled loss: one table against the student's log-probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

BLOCK = 2**19
"""Entries worked on at once on a CPU: what stays in the cache between one operation and the next."""


def folded_sum(logits: Tensor, table: Tensor, row_weight: Tensor, tau: float) -> Tensor:
    """``Σ_i ⟨T_i, log softmax(z_i / τ)⟩``, differentiable in ``z``.

    The gradient is written down instead of traced, ``(T_i − W_i p_i) / τ``. Both passes go through the
    rows in blocks that fit the cache; of ``[B, C]`` only the gradient is ever allocated. The blocks are
    added up in float64.

    Args:
        logits: ``z [B, C]``.
        table: ``T [B, C]``.
        row_weight: ``W [B]``, the row sums of ``T``.
        tau: ``τ``.

    Returns:
        A scalar.
    """
    return _FoldedSum.apply(logits, table, row_weight, tau)  # type: ignore[no-any-return, no-untyped-call]


class _FoldedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, table: Tensor, row_weight: Tensor, tau: float) -> Tensor:
        total = logits.new_zeros((), dtype=torch.float64)
        scratch = logits.new_empty(min(_rows_per_block(logits), logits.shape[0]), logits.shape[1])
        for rows in _blocks(logits):
            block = logits[rows]
            log_p = torch.log_softmax(_scaled(block, tau), dim=1, out=scratch[: block.shape[0]])
            total += torch.dot(table[rows].reshape(-1), log_p.view(-1))
        ctx.save_for_backward(logits, table, row_weight)
        ctx.tau = tau
        return total.to(logits.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        logits, table, row_weight = ctx.saved_tensors
        grad = torch.empty_like(logits, memory_format=torch.contiguous_format)
        factor = grads[0] / ctx.tau
        weight = (-factor * row_weight).unsqueeze(1)
        for rows in _blocks(logits):
            p = torch.softmax(_scaled(logits[rows], ctx.tau), dim=1, out=grad[rows])
            p.mul_(weight[rows]).addcmul_(table[rows], factor)
        return grad, None, None, None


def _scaled(logits: Tensor, tau: float) -> Tensor:
    return logits if tau == 1 else logits / tau


def _rows_per_block(logits: Tensor) -> int:
    return max(1, BLOCK // max(logits.shape[1], 1) if logits.is_cpu else logits.shape[0])


def _blocks(logits: Tensor) -> Iterator[slice]:
    size = _rows_per_block(logits)
    return (slice(start, start + size) for start in range(0, logits.shape[0], size))
