"""The inner loop of every folded loss: one table against the student's log-probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from graphkd.methods.soft_targets import SoftTargets

BLOCK = 2**19
"""Entries processed at once on a CPU, so that they stay in the cache between one operation and the next."""


def folded_sum(logits: Tensor, table: Tensor, row_weight: Tensor, tau: float) -> Tensor:
    """Computes ``Σ_i ⟨T_i, log softmax(z_i / τ)⟩``, differentiable in ``z``.

    The gradient is a formula, ``(T_i − W_i p_i) / τ``, not recorded by autograd. Both passes process the
    rows in blocks that fit the cache; of ``[B, C]`` only the gradient is ever allocated. The blocks are
    summed in float64.

    Args:
        logits: ``z [B, C]``, or ``[S, B, C]`` of several students.
        table: ``T``, of the same shape.
        row_weight: ``W [B]`` or ``[S, B]``, the row sums of ``T``.
        tau: ``τ``.

    Returns:
        A scalar, or ``[S]``.
    """
    return _FoldedSum.apply(logits, table, row_weight, tau)  # type: ignore[no-any-return, no-untyped-call]


def family_sum(soft: SoftTargets, logits: Tensor, scale: float) -> Tensor:
    """Computes the folded divergences of a task other than classes: ``H + s Σ_i W_i A(z_i) − ⟨T_i, z_i⟩``.

    In the reverse direction it is ``H + s Σ_i W_i (⟨μ(z_i), z_i⟩ − A(z_i)) − ⟨μ(z_i), L_i⟩``; see
    ``graphkd.tasks.Task`` for ``A`` and ``μ``.

    Args:
        soft: the targets of these rows.
        logits: ``[B, C]`` of the student, not yet divided by the temperature.
        scale: ``s``.

    Returns:
        A scalar.
    """
    z, task = _scaled(logits, soft.tau), soft.task
    if soft.reverse:
        mean = task.mean(z)
        own = (mean * z).sum(dim=-1) - task.log_partition(z)
        terms = soft.row_weight * own - (mean * soft.table).sum(dim=-1)
    else:
        terms = soft.row_weight * task.log_partition(z) - (soft.table * z).sum(dim=-1)
    total: Tensor = torch.as_tensor(soft.constant, device=z.device).to(z.dtype) + scale * terms.sum(dim=-1)
    return total


class _FoldedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, table: Tensor, row_weight: Tensor, tau: float) -> Tensor:
        total = logits.new_zeros(logits.shape[:-2], dtype=torch.float64)
        for rows in _blocks(logits):
            block = _scaled(logits[..., rows, :], tau)
            log_p = torch.log_softmax(block, dim=-1)
            total += _dot(table[..., rows, :], log_p)
        ctx.save_for_backward(logits, table, row_weight)
        ctx.tau = tau
        return total.to(logits.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        logits, table, row_weight = ctx.saved_tensors
        grad = torch.empty_like(logits, memory_format=torch.contiguous_format)
        factor = (grads[0] / ctx.tau).unsqueeze(-1)
        weight = (-factor * row_weight).unsqueeze(-1)
        factor = factor.unsqueeze(-1)
        for rows in _blocks(logits):
            p = grad[..., rows, :]
            torch.softmax(_scaled(logits[..., rows, :], ctx.tau), dim=-1, out=p)
            p.mul_(weight[..., rows, :]).addcmul_(table[..., rows, :], factor)
        return grad, None, None, None


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Computes the dot product of two tables, or of each of several pairs."""
    if one.dim() == 2:
        return torch.dot(one.reshape(-1), other.reshape(-1))
    return (one.flatten(1) * other.flatten(1)).sum(dim=1)


def _scaled(logits: Tensor, tau: float) -> Tensor:
    return logits if tau == 1 else logits / tau


def _blocks(logits: Tensor) -> Iterator[slice]:
    rows = logits.shape[-2]
    entries = max(logits.numel() // max(rows, 1), 1)
    size = max(1, BLOCK // entries if logits.is_cpu else rows)
    return (slice(start, start + size) for start in range(0, rows, size))
