"""Dropout from sixteen random bits per entry, alone and joined to the activation before it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.distributed.part import at_hand

BLOCK = 2**17
"""Entries that are worked on at once: what stays in the cache from one operation to the next."""

GAMMA = 0x9E3779B97F4A7C15
"""The step of SplitMix64: 2⁶⁴ over the golden ratio, odd."""

NUMBERS = (torch.float32, torch.float64)
"""Types that numpy knows; it compares, converts and multiplies blocks in an eighth of torch's time."""


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator | None = None) -> Tensor:
    """``x ⊙ m / (1 − p)`` with ``P(m = 1) = 1 − p``.

    On a CPU torch's own mask costs more than a whole sparse layer. Here one number is drawn per call, and the
    bits are counted from it (``Bits``); every 64 of them make four entries, so ``p`` is
    rounded to a multiple of 2⁻¹⁶ and the scale is that of the rounded one. The time of both stands in
    ``experiments/factored``. Of rows that are a part of a batch (``graphkd.distributed.part_of``)
    what is dropped is as if all of them were here.

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
    part = at_hand()
    return (
        _dropped(x, p, generator) if part is None else part.dropped(x, lambda all_: _dropped(all_, p, generator))
    )


def relu_dropout(
    z: Tensor, p: float, training: bool, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """``h = max(z, 0)`` in the place of ``z``, and ``dropout(h)``: the same numbers as one after the other.

    On a CPU both are made in one pass, and the gradient reads from what was dropped where it passes, so that no
    mask is kept.

    Args:
        z: of any shape; overwritten.
        p: probability of a zero, in [0, 1).
        training: whether anything is dropped.
        generator: as in ``dropout``.

    Returns:
        ``h`` and what is left of it, of ``z``'s shape; ``h`` itself where nothing is dropped.
    """
    joined = z.is_cpu and z.is_contiguous() and z.dtype in NUMBERS and at_hand() is None
    if not training or p == 0 or not joined or torch.compiler.is_compiling():
        hidden = F.relu(z, inplace=True)
        return hidden, dropout(hidden, p, training, generator)
    return _ReluDropout.apply(z, p, generator)  # type: ignore[no-untyped-call, no-any-return]


def _dropped(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    if torch.compiler.is_compiling() or not (x.is_cpu or x.is_cuda):
        return F.dropout(x, p)
    drop = _Dropout if x.is_cpu else _DeviceDropout
    return drop.apply(x, p, generator)  # type: ignore[no-untyped-call, no-any-return]


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        flat, out = x.reshape(-1), torch.empty_like(x, memory_format=torch.contiguous_format)
        kept, draw = torch.empty(flat.shape, dtype=torch.bool), _Draw(p, generator)
        masks = _Masks(flat, draw.scale, out.view(-1))
        for rows in masks.blocks():
            mine = kept[rows].numpy()
            draw.into(mine, rows)
            masks.times(rows, mine)
        ctx.save_for_backward(kept)
        ctx.scale = draw.scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        grad = grads[0].reshape(-1)
        out = torch.empty_like(grad)
        masks = _Masks(grad, ctx.scale, out)
        for rows in masks.blocks():
            masks.times(rows, kept[rows].numpy())
        return out.view(grads[0].shape), None, None


class _ReluDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, p: float, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        out, draw, marks = torch.empty_like(z), _Draw(p, generator), np.empty(BLOCK, np.bool_)
        masks = _Masks(z.view(-1), draw.scale, out.view(-1))
        for rows in masks.blocks():
            mine = marks[: rows.stop - rows.start]
            draw.into(mine, rows)
            masks.x[rows].clamp_min_(0)
            masks.times(rows, mine)
        ctx.mark_dirty(z)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(z, out)
        ctx.scale = draw.scale
        return z, out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, None, None]:
        hidden, out = ctx.saved_tensors
        told, dropped = grads
        if dropped is None:
            return (None if told is None else _where_positive(told, hidden)), None, None
        grad = _where_positive(dropped, out, ctx.scale)
        return (grad if told is None else grad.add_(_where_positive(told, hidden))), None, None


def _where_positive(grad: Tensor, known: Tensor, scale: float = 1.0) -> Tensor:
    """``scale · grad`` where ``known > 0``, and 0 elsewhere; torch's, on all of its threads."""
    out: Tensor = torch.ops.aten.threshold_backward(grad, known, 0)
    return out if scale == 1 else out.mul_(scale)


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
        start = int(torch.empty((), dtype=torch.int64).random_(-(2**63), None, generator=generator))
        self.bits, self.levels = Bits(start), min(round(p * 2**16), 2**16 - 1)
        self.scale = 2**16 / (2**16 - self.levels)

    def into(self, marks: Any, rows: slice) -> None:
        """Those of a block."""
        np.greater_equal(self.bits.block(rows.start // BLOCK)[: marks.size], self.levels, out=marks)


class Bits:
    """Random bits that are counted, not drawn one after the other: any block of them, in any order.

    They are those of SplitMix64, whose k-th number is a hash of ``start + k · 0x9E3779B97F4A7C15``.

    Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014

    Args:
        start: the state.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self._mixed, self._shifted = (np.empty(BLOCK // 4, np.uint64) for _ in range(2))

    def block(self, k: int) -> Any:
        """Block ``k``: ``[BLOCK]`` uint16, overwritten by the next one."""
        mixed, shifted = self._mixed, self._shifted
        first = (self.start + k * (BLOCK // 4) * GAMMA) % 2**64
        np.add(_steps(), np.uint64(first), out=mixed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, None)):
            np.right_shift(mixed, np.uint64(shift), out=shifted)
            np.bitwise_xor(mixed, shifted, out=mixed)
            if factor is not None:
                np.multiply(mixed, np.uint64(factor), out=mixed)
        return mixed.view(np.uint16)


@functools.cache
def _steps() -> Any:
    """``k · 0x9E3779B97F4A7C15`` for ``k = 1 …``, modulo 2⁶⁴."""
    return np.arange(1, BLOCK // 4 + 1, dtype=np.uint64) * np.uint64(GAMMA)


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
