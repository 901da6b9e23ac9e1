"""What teachers and students share: widths, normalisation, checks on sizes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.numbers import is_real, is_whole


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that can train on one row: it has no variance, so the running statistics take over.

    While ``again`` is set, rows pass that have passed before: the running statistics stay as they are.
    """

    again: bool = False

    def forward(self, x: Tensor) -> Tensor:
        """``[B, d]`` → ``[B, d]``."""
        several = x.shape[0] > 1
        if (several and not self.again) or not self.training:
            return super().forward(x)
        statistics = self.running_mean, self.running_var
        return F.batch_norm(x, *statistics, self.weight, self.bias, several, momentum=0.0, eps=self.eps)


def make_norm(kind: str, width: int) -> nn.Module:
    """``none``, ``batch`` or ``layer`` normalisation over ``width`` channels."""
    kinds = {"none": nn.Identity, "batch": BatchNorm, "layer": nn.LayerNorm}
    if kind not in kinds:
        raise GraphKDError(f"norm is '{kind}': choose one of {', '.join(kinds)}")
    return nn.Identity() if kind == "none" else kinds[kind](width)


def check_sizes(num_layers: int, hidden_dim: int, dropout: float) -> None:
    """Refuses sizes that no network can have, with one line."""
    if not is_whole(num_layers) or num_layers < 1:
        raise GraphKDError(f"num_layers is {num_layers}: a network needs a whole number of them, at least 1")
    if not is_whole(hidden_dim) or hidden_dim < 1:
        raise GraphKDError(f"hidden_dim is {hidden_dim}: a layer needs a whole number of units, at least 1")
    if not (is_real(dropout) and 0 <= dropout < 1):
        raise GraphKDError(f"dropout is {dropout}: it must lie in [0, 1)")


def layer_widths(num_features: int, hidden_dim: int, num_classes: int, num_layers: int) -> list[tuple[int, int]]:
    """``(d_in, d_out)`` of each of ``num_layers`` layers."""
    widths = [num_features, *[hidden_dim] * (num_layers - 1), num_classes]
    return list(itertools.pairwise(widths))


BLOCK = 2**15
"""Entries whose random bits are drawn at once: what stays in the cache until it is used."""


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator | None = None) -> Tensor:
    """``x ⊙ m / (1 − p)`` with ``P(m = 1) = 1 − p``.

    On a CPU torch's own mask costs more than a whole sparse layer. Here every 64 random bits make four
    entries, so ``p`` is rounded to a multiple of 2⁻¹⁶ and the scale is that of the rounded one. The time of
    both stands in ``experiments/factored``.

    Args:
        x: of any shape.
        p: probability of a zero, in [0, 1).
        training: ``x`` itself where false.
        generator: on ``x``'s device; torch's own where there is none. The same state gives the same mask.

    Returns:
        A tensor of ``x``'s shape.
    """
    if not training or p == 0:
        return x
    if torch.compiler.is_compiling() or not (x.is_cpu or x.is_cuda):
        return F.dropout(x, p)
    drop = _Dropout if x.is_cpu else _DeviceDropout
    return drop.apply(x, p, generator)  # type: ignore[no-untyped-call, no-any-return]


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        levels = min(round(p * 2**16), 2**16 - 1)
        ctx.scale = 2**16 / (2**16 - levels)
        flat, out = x.reshape(-1), torch.empty_like(x, memory_format=torch.contiguous_format)
        kept = torch.empty(flat.shape, dtype=torch.bool)
        bits = torch.empty(BLOCK // 4, dtype=torch.int64)
        marks, scaled = kept.numpy(), _Scaled(flat, ctx.scale, out.view(-1))
        for start in range(0, flat.numel(), BLOCK):
            rows = slice(start, min(start + BLOCK, flat.numel()))
            size = rows.stop - start
            drawn = bits[: -(-size // 4)].random_(-(2**63), None, generator=generator)
            # numpy compares and converts such numbers in an eighth of torch's time
            np.greater_equal(drawn.view(torch.int16)[:size].numpy(), levels - 2**15, out=marks[rows])
            scaled(kept, rows)
        ctx.save_for_backward(kept)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        grad = grads[0].reshape(-1)
        out = torch.empty_like(grad)
        scaled = _Scaled(grad, ctx.scale, out)
        for start in range(0, grad.numel(), BLOCK):
            scaled(kept, slice(start, min(start + BLOCK, grad.numel())))
        return out.view(grads[0].shape), None, None


class _Scaled:
    """``out = scale · x`` where a mark is set, 0 elsewhere, block by block."""

    def __init__(self, x: Tensor, scale: float, out: Tensor) -> None:
        self.x, self.scale, self.out = x, scale, out
        self.factor = x.new_empty(min(BLOCK, x.numel()))
        self.table = None if x.dtype == torch.bfloat16 else self.factor.numpy()

    def __call__(self, marks: Tensor, rows: slice) -> None:
        factor = self.factor[: rows.stop - rows.start]
        if self.table is None:  # numpy has no such numbers
            torch.mul(marks[rows], self.scale, out=factor)
        else:
            np.multiply(marks[rows].numpy(), self.table.dtype.type(self.scale), out=self.table[: factor.numel()])
        torch.mul(self.x[rows], factor, out=self.out[rows])


class _DeviceDropout(torch.autograd.Function):
    """One kernel each way, as torch's own, which takes no generator."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        out, kept = torch._fused_dropout(x, 1 - p, generator)
        ctx.save_for_backward(kept)
        ctx.scale = 1 / (1 - p)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return torch._masked_scale(grads[0], kept, ctx.scale), None, None
