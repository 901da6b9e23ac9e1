"""Dropout on a CPU, in blocks that stay in its cache; numpy takes an eighth of torch's time for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.dropout.rng import BLOCK, RandomBits, Rate
from graphkd.dropout.seeds import numbers

NUMBERS = (torch.float32, torch.float64)
"""Types that numpy knows."""


class Dropout(torch.autograd.Function):
    """``dropout`` of one table; keeps its mask."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        """``x`` of any shape → the same shape."""
        flat, out = x.reshape(-1), torch.empty_like(x, memory_format=torch.contiguous_format)
        kept, draw = torch.empty(flat.shape, dtype=torch.bool), _Draw(p, generator)
        masks = _Masks(flat, draw.rate.scale, out.view(-1))
        for rows in masks.blocks():
            mine = kept[rows].numpy()
            draw.into(mine, rows)
            masks.times(rows, mine)
        ctx.save_for_backward(kept)
        ctx.scale = draw.rate.scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """The gradient where the value passed."""
        (kept,) = ctx.saved_tensors
        grad = grads[0].reshape(-1)
        out = torch.empty_like(grad)
        masks = _Masks(grad, ctx.scale, out)
        for rows in masks.blocks():
            masks.times(rows, kept[rows].numpy())
        return out.view(grads[0].shape), None, None


class ReluDropout(torch.autograd.Function):
    """ReLU and dropout of ``S`` tables of one size; where something passed is read from what is left."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, rates: Sequence[float], generators: Sequence[torch.Generator | None]
    ) -> tuple[Tensor, Tensor]:
        """``z [S, …]``, contiguous → the activation in its place, and what is left of it."""
        out, marks, scales = torch.empty_like(z), np.empty(BLOCK, np.bool_), []
        parts = z.view(len(rates), -1), out.view(len(rates), -1), rates, generators
        for hidden, left, p, generator in zip(*parts, strict=True):
            draw = _Draw(p, generator)
            scales.append(draw.rate.scale)
            masks = _Masks(hidden, draw.rate.scale, left)
            for rows in masks.blocks():
                mine = marks[: rows.stop - rows.start]
                draw.into(mine, rows)
                masks.x[rows].clamp_min_(0)
                masks.times(rows, mine)
        ctx.mark_dirty(z)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(z, out)
        ctx.scales = scales
        return z, out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, None, None]:
        """Of both outputs, where they are told."""
        hidden, out = ctx.saved_tensors
        told, dropped = grads
        if dropped is None:
            return (None if told is None else where_positive(told, hidden)), None, None
        grad = where_positive(dropped, out)
        for part, scale in zip(grad.view(len(ctx.scales), -1), ctx.scales, strict=True):
            part.mul_(scale)
        return (grad if told is None else grad.add_(where_positive(told, hidden))), None, None


def where_positive(grad: Tensor, known: Tensor) -> Tensor:
    """``grad``, and 0 where ``known ≤ 0``; torch's, on all of its threads."""
    return torch.ops.aten.threshold_backward(grad.contiguous(), known, 0)  # type: ignore[no-any-return]


class _Masks:
    """``out = scale · x ⊙ m``, block by block.

    Args:
        x: ``[n]`` on a CPU.
        scale: of what stays.
        out: ``[n]``.
    """

    def __init__(self, x: Tensor, scale: float, out: Tensor) -> None:
        self.x, self.scale, self.out = x.detach(), scale, out

    def blocks(self) -> Iterator[slice]:
        """All entries."""
        size = self.x.numel()
        return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))

    def times(self, rows: slice, marks: Any) -> None:
        """A block with its mask."""
        if self.x.dtype in NUMBERS:
            out = self.out[rows].numpy()
            np.multiply(marks, out.dtype.type(self.scale), out=out)
            np.multiply(self.x[rows].numpy(), out, out=out)
        else:
            torch.mul(self.x[rows], torch.from_numpy(marks) * self.scale, out=self.out[rows])


class _Draw:
    """The marks of a call, which one number of the generator decides."""

    def __init__(self, p: float, generator: torch.Generator | None) -> None:
        self.bits, self.rate = RandomBits(int(numbers(1, generator))), Rate.of(p)

    def into(self, marks: Any, rows: slice) -> None:
        """Those of a block."""
        np.greater_equal(self.bits.block(rows.start // BLOCK)[: marks.size], self.rate.levels, out=marks)
