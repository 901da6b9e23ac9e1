"""Dropout kernels for a CUDA device that compute the masks of ``graphkd.dropout.rng`` in registers.

This module is imported lazily, since triton is installed only with torch's CUDA builds. With
``TRITON_INTERPRET=1`` it runs on a CPU, which is how it is tested without a device.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from graphkd.dropout.rng import GAMMA, Rate

NUMBERS = 256
"""Random numbers per program, for four entries each."""


def forward(x: Tensor, out: Tensor, starts: Tensor, rate: Rate, relu: bool) -> None:
    """Computes ``out[s] = scale · h[s] ⊙ m[s]``, without autograd.

    Args:
        x: ``[S, n]``, contiguous; with ``relu`` it is overwritten by ``h = max(x, 0)``, else ``h`` is ``x``.
        out: ``[S, n]``.
        starts: ``[S]`` int64, one per table.
        rate: of all tables.
        relu: see ``x``.
    """
    _launch(_forward, (x, out, starts), rate, relu=relu)


def backward(
    dropped: Tensor, hidden: Tensor, out: Tensor, starts: Tensor, rate: Rate, told: Tensor | None
) -> None:
    """Computes ``out[s] = scale · dropped[s] ⊙ m[s] + told[s]``, and 0 where ``hidden[s] ≤ 0``.

    Args:
        dropped: ``[S, n]`` gradient of the output of dropout.
        hidden: ``[S, n]`` the activation.
        out: ``[S, n]``.
        starts: ``[S]`` int64.
        rate: of all tables.
        told: ``[S, n]`` gradient of the activation itself, or ``None``.
    """
    tables = (dropped, hidden, out, starts, dropped if told is None else told)
    _launch(_backward, tables, rate, is_told=told is not None)


def _launch(kernel: Any, tables: tuple[Tensor, ...], rate: Rate, **switch: bool) -> None:
    like = tables[0]
    members, size = like.shape
    if not size:
        return
    wide = tl.float64 if like.dtype == torch.float64 else tl.float32
    grid = (triton.cdiv(size, 4 * NUMBERS), members)
    kernel[grid](*tables, size, rate.levels, gamma=GAMMA, numbers=NUMBERS, wide=wide, **switch)


@triton.jit
def _factors(starts, levels, gamma: tl.constexpr, numbers: tl.constexpr, wide: tl.constexpr):
    """Computes 0 or the scale for each entry of this program, ``[numbers, 4]``."""
    start = tl.load(starts + tl.program_id(1)).to(tl.uint64, bitcast=True)
    number = tl.program_id(0).to(tl.uint64) * numbers + tl.arange(0, numbers).to(tl.uint64) + 1
    mixed = start + number * gamma
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB
    mixed = mixed ^ (mixed >> 31)
    shift = (16 * tl.arange(0, 4)).to(tl.uint64)
    bits = ((mixed[:, None] >> shift[None, :]) & 0xFFFF).to(tl.int32)
    scale = (65536.0 / tl.cast(65536 - levels, tl.float64)).to(wide)
    return tl.where(bits >= levels, scale, 0.0)


@triton.jit
def _entries(size, numbers: tl.constexpr):
    """Returns the program's entries within a table, and their offsets in memory."""
    number = tl.program_id(0).to(tl.int64) * numbers + tl.arange(0, numbers)
    entry = 4 * number[:, None] + tl.arange(0, 4)[None, :]
    return entry, tl.program_id(1).to(tl.int64) * size + entry


@triton.jit
def _forward(
    x,
    out,
    starts,
    size,
    levels,
    gamma: tl.constexpr,
    numbers: tl.constexpr,
    wide: tl.constexpr,
    relu: tl.constexpr,
):
    entry, offset = _entries(size, numbers)
    inside = entry < size
    h = tl.load(x + offset, mask=inside, other=0.0).to(wide)
    if relu:
        h = tl.where(h < 0, 0.0, h)  # not a maximum, which would turn NaN into zero
        tl.store(x + offset, h.to(x.dtype.element_ty), mask=inside)
    dropped = h * _factors(starts, levels, gamma, numbers, wide)
    tl.store(out + offset, dropped.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _backward(
    dropped,
    hidden,
    out,
    starts,
    told,
    size,
    levels,
    gamma: tl.constexpr,
    numbers: tl.constexpr,
    wide: tl.constexpr,
    is_told: tl.constexpr,
):
    entry, offset = _entries(size, numbers)
    inside = entry < size
    grad = tl.load(dropped + offset, mask=inside, other=0.0).to(wide)
    grad *= _factors(starts, levels, gamma, numbers, wide)
    if is_told:
        grad += tl.load(told + offset, mask=inside, other=0.0).to(wide)
    inactive = tl.load(hidden + offset, mask=inside, other=0.0) <= 0  # NaN passes, as in torch
    tl.store(out + offset, tl.where(inactive, 0.0, grad).to(out.dtype.element_ty), mask=inside)
