"""A linear layer of several members as one batched product; its parameters are the members'."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphkd.backends import by_triton

NARROW = 64
"""Columns up to which a gradient is summed by graphkd's Triton kernel on a CUDA device."""


class StackedLinear(torch.autograd.Function):
    """``h[s] W[s]ᵀ + b[s]``, where ``W[s]`` and ``b[s]`` are the memory of parameters, which get the gradients."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, bias: Tensor | None, *parameters: Tensor) -> Tensor:
        """Computes the layer of all members.

        Args:
            ctx: of autograd.
            h: ``[S, B, d]``.
            weight: ``[S, o, d]``.
            bias: ``[S, o]``, or None.
            *parameters: the rows of ``weight``, then those of ``bias``, if there is one.

        Returns:
            ``[S, B, o]``.
        """
        kind = h.device.type
        if torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
            h, weight, bias = _converted(h, dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
        ctx.save_for_backward(h, weight)
        ctx.dtype, ctx.biased = parameters[0].dtype, bias is not None
        if bias is None:
            return torch.bmm(h, weight.transpose(1, 2))
        return torch.baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Computes the gradients of ``h``, where required, and of every parameter."""
        h, weight = ctx.saved_tensors
        grad = grads[0].contiguous()
        grad_input = torch.bmm(grad, weight) if ctx.needs_input_grad[0] else None
        weights = weight_gradient(grad, h).to(ctx.dtype).unbind()
        biases = grad.sum(dim=1).to(ctx.dtype).unbind() if ctx.biased else ()
        return grad_input, None, None, *weights, *biases


class Joined(torch.autograd.Function):
    """A table whose rows are the memory of parameters, which get the gradients."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, *parameters: Tensor) -> Tensor:
        """Returns the table ``[S, …]``."""
        return table.view_as(table)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradient of every parameter."""
        # Once for all rows: a row that is not contiguous is copied when it becomes a parameter's gradient.
        return None, *grads[0].contiguous().unbind()


def _converted(h: Tensor, dtype: torch.dtype) -> Tensor:
    """Converts ``h`` to ``dtype``; a table that all members share is converted once."""
    return h[0].to(dtype).expand_as(h) if h.stride(0) == 0 else h.to(dtype)


def weight_gradient(grad: Tensor, rows: Tensor) -> Tensor:
    """Computes ``grad[s]ᵀ rows[s]``.

    With few columns, cuBLAS runs a member's product on one or two multiprocessors, which iterate over all rows
    (54 µs for five of 2,708 x 7 and 2,708 x 128 on an H200); graphkd's kernel distributes the rows.

    Args:
        grad: ``[S, B, o]``, contiguous.
        rows: ``[S, B, d]``; for one table shared by all, the stride between members may be 0.

    Returns:
        ``[S, o, d]``.
    """
    if by_triton(grad.device) and grad.shape[2] <= NARROW and grad.dtype != torch.float64:
        from graphkd.kernels.narrow_gradient import narrow_gradient

        return narrow_gradient(grad, rows)
    return torch.bmm(grad.transpose(1, 2), rows)
