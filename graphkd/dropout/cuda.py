"""Dropout on a CUDA device, without synchronisation; the mask is recomputed in backward, not saved.

With triton it is one kernel forward and one backward; without it torch's operations give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from graphkd.backends import has_triton
from graphkd.dropout.cpu import where_positive
from graphkd.dropout.rng import Rate, stays
from graphkd.dropout.seeds import starts as starts_of


class Dropout(torch.autograd.Function):
    """``dropout`` of one tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        """Applies dropout to ``x`` of any shape."""
        ctx.rate, start = Rate.of(p), starts_of([generator], x.device)
        ctx.save_for_backward(start)
        return _masked(x.contiguous(), start, ctx.rate)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Computes the gradient, which is zero for dropped entries."""
        (start,) = ctx.saved_tensors
        return _masked(grads[0].contiguous(), start, ctx.rate), None, None


class ReluDropout(torch.autograd.Function):
    """Fused ReLU and dropout of ``S`` tensors of equal size."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, rates: Sequence[float], generators: Sequence[torch.Generator | None]
    ) -> tuple[Tensor, Tensor]:
        """Computes ReLU of contiguous ``z [S, …]`` in place; returns it and its dropout."""
        starts = starts_of(generators, z.device)
        ctx.rates, out = [Rate.of(p) for p in rates], torch.empty_like(z)
        for group, rate in _alike(ctx.rates):
            _forward(_of(z, group, ctx.rates), _of(out, group, ctx.rates), starts[group], rate, relu=True)
        ctx.mark_dirty(z)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(z, starts)
        return z, out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, None, None]:
        """Computes the gradient from those of both outputs, each of which may be ``None``."""
        hidden, starts = ctx.saved_tensors
        direct, dropped = (None if grad is None else grad.contiguous() for grad in grads)
        if dropped is None:
            return (None if direct is None else where_positive(direct, hidden)), None, None
        out = torch.empty_like(hidden)
        for group, rate in _alike(ctx.rates):
            grad, active, into = (_of(table, group, ctx.rates) for table in (dropped, hidden, out))
            _backward(
                grad, active, into, starts[group], rate, None if direct is None else _of(direct, group, ctx.rates)
            )
        return out, None, None


def _alike(rates: Sequence[Rate]) -> list[tuple[slice, Rate]]:
    """Groups the tensors by call: one call if all rates are equal, else one per tensor."""
    if all(rate == rates[0] for rate in rates):
        return [(slice(0, len(rates)), rates[0])]
    return [(slice(k, k + 1), rate) for k, rate in enumerate(rates)]


def _of(table: Tensor, some: slice, rates: Sequence[Rate]) -> Tensor:
    """Returns a slice ``[s, n]`` of the stacked tensors."""
    return table.view(len(rates), -1)[some]


def _masked(x: Tensor, start: Tensor, rate: Rate) -> Tensor:
    """Computes ``scale · x ⊙ m``."""
    out = torch.empty_like(x)
    _forward(x.view(1, -1), out.view(1, -1), start, rate, relu=False)
    return out


def _forward(x: Tensor, out: Tensor, starts: Tensor, rate: Rate, relu: bool) -> None:
    if has_triton():
        from graphkd.kernels.dropout_masks import forward

        forward(x, out, starts, rate, relu)
    else:
        torch.mul(x.clamp_min_(0) if relu else x, _factors(x, starts, rate, x.shape[1]), out=out)


def _backward(
    dropped: Tensor, hidden: Tensor, out: Tensor, starts: Tensor, rate: Rate, told: Tensor | None
) -> None:
    if has_triton():
        from graphkd.kernels.dropout_masks import backward

        backward(dropped, hidden, out, starts, rate, told)
        return
    grad = dropped * _factors(dropped, starts, rate, dropped.shape[1])
    out.copy_(where_positive(grad if told is None else grad + told, hidden.to(grad.dtype)))


def _factors(like: Tensor, starts: Tensor, rate: Rate, size: int) -> Tensor:
    """Returns 0 or the scale per entry, at least in single precision, in which half precision is multiplied."""
    wide = torch.promote_types(like.dtype, torch.float32)
    return stays(starts, size, rate.levels).to(wide) * rate.scale
