"""Dropout on a CPU, in blocks that fit into its cache; per block numpy takes an eighth of torch's time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.dropout.rng import BLOCK, RandomBits, Rate
from graphkd.dropout.seeds import numbers

NUMBERS = (torch.float32, torch.float64)
"""Dtypes that numpy supports."""


class Dropout(torch.autograd.Function):
    """``dropout`` of one tensor; saves its mask for backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        """Applies dropout to ``x`` of any shape."""
        flat, out = x.reshape(-1), torch.empty_like(x, memory_format=torch.contiguous_format)
        mask, draw = torch.empty(flat.shape, dtype=torch.bool), _Draw(p, generator)
        masks = _Masks(flat, draw.rate.scale, out.view(-1))
        for rows in masks.blocks():
            block = mask[rows].numpy()
            draw.into(block, rows)
            masks.times(rows, block)
        ctx.save_for_backward(mask)
        ctx.scale = draw.rate.scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Computes the gradient, which is zero for dropped entries."""
        (mask,) = ctx.saved_tensors
        grad = grads[0].reshape(-1)
        out = torch.empty_like(grad)
        masks = _Masks(grad, ctx.scale, out)
        for rows in masks.blocks():
            masks.times(rows, mask[rows].numpy())
        return out.view(grads[0].shape), None, None


class ReluDropout(torch.autograd.Function):
    """Fused ReLU and dropout of ``S`` tensors of equal size; backward derives the mask from the output."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, rates: Sequence[float], generators: Sequence[torch.Generator | None]
    ) -> tuple[Tensor, Tensor]:
        """Computes ReLU of contiguous ``z [S, …]`` in place; returns it and its dropout."""
        out, buffer, scales = torch.empty_like(z), np.empty(BLOCK, np.bool_), []
        parts = z.view(len(rates), -1), out.view(len(rates), -1), rates, generators
        for hidden, dropped, p, generator in zip(*parts, strict=True):
            draw = _Draw(p, generator)
            scales.append(draw.rate.scale)
            masks = _Masks(hidden, draw.rate.scale, dropped)
            for rows in masks.blocks():
                mask = buffer[: rows.stop - rows.start]
                draw.into(mask, rows)
                masks.x[rows].clamp_min_(0)
                masks.times(rows, mask)
        ctx.mark_dirty(z)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(z, out)
        ctx.scales = scales
        return z, out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, None, None]:
        """Computes the gradient from those of both outputs, each of which may be ``None``."""
        hidden, out = ctx.saved_tensors
        direct, dropped = grads
        if dropped is None:
            return (None if direct is None else where_positive(direct, hidden)), None, None
        grad = where_positive(dropped, out)
        for part, scale in zip(grad.view(len(ctx.scales), -1), ctx.scales, strict=True):
            part.mul_(scale)
        return (grad if direct is None else grad.add_(where_positive(direct, hidden))), None, None


def where_positive(grad: Tensor, known: Tensor) -> Tensor:
    """Returns ``grad``, and 0 where ``known ≤ 0``, with torch's multi-threaded operator."""
    return torch.ops.aten.threshold_backward(grad.contiguous(), known, 0)  # type: ignore[no-any-return]


class _Masks:
    """The product ``out = scale · x ⊙ m``, computed block by block.

    Args:
        x: ``[n]`` on a CPU.
        scale: factor of entries that are not dropped.
        out: ``[n]``.
    """

    def __init__(self, x: Tensor, scale: float, out: Tensor) -> None:
        self.x, self.scale, self.out = x.detach(), scale, out

    def blocks(self) -> Iterator[slice]:
        """Yields the slices of all blocks."""
        size = self.x.numel()
        return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))

    def times(self, rows: slice, marks: Any) -> None:
        """Multiplies a block by its mask."""
        if self.x.dtype in NUMBERS:
            out = self.out[rows].numpy()
            np.multiply(marks, out.dtype.type(self.scale), out=out)
            np.multiply(self.x[rows].numpy(), out, out=out)
        else:
            torch.mul(self.x[rows], torch.from_numpy(marks) * self.scale, out=self.out[rows])


class _Draw:
    """The mask of one call, determined by one number of the generator."""

    def __init__(self, p: float, generator: torch.Generator | None) -> None:
        self.bits, self.rate = RandomBits(int(numbers(1, generator))), Rate.of(p)

    def into(self, marks: Any, rows: slice) -> None:
        """Writes the mask of a block."""
        np.greater_equal(self.bits.block(rows.start // BLOCK, marks.size), self.rate.levels, out=marks)
