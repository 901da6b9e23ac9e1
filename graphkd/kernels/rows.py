"""Narrow tables on a CUDA device: rows by number, and sums and maxima over the rows of a CSR matrix.

torch's gather gives every row threads of its own, however narrow it is, and its ``segment_reduce`` walks through a
row with one thread per column; both are measured in ``experiments/gpu``. This module is imported where it is used,
since triton is only there with torch's CUDA builds. With ``TRITON_INTERPRET=1`` it runs on a CPU, which is how it
is tested without a device.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024
"""Numbers that a program fetches."""

STEP = 64
"""Entries of a row that are fetched at once."""


def take(table: Tensor, index: Tensor) -> Tensor:
    """``table[index]``, without autograd.

    Args:
        table: ``[N, H]``, contiguous.
        index: ``[n]`` int64.

    Returns:
        ``[n, H]``.
    """
    out = table.new_empty(index.numel(), table.shape[1])
    if out.numel():
        _take[(triton.cdiv(out.numel(), BLOCK),)](
            table, index, out, out.numel(), width=table.shape[1], block=BLOCK
        )
    return out


def reduce_rows(rowptr: Tensor, values: Tensor, reduction: str) -> Tensor:
    """Sums or maxima of the entries of every row, without autograd, in a fixed order; 0 for rows without any.

    Args:
        rowptr: ``[M + 1]`` int64.
        values: ``[nnz, H]``, contiguous; 16-bit floats are added up in float32.
        reduction: ``sum`` or ``max``.

    Returns:
        ``[M, H]``.
    """
    rows, width = rowptr.numel() - 1, values.shape[1]
    out = values.new_empty(rows, width)
    if out.numel():
        _reduce[(rows,)](
            rowptr,
            values,
            out,
            width,
            columns=triton.next_power_of_2(width),
            step=STEP,
            total=reduction == "sum",
            wide=tl.float64 if values.dtype == torch.float64 else tl.float32,
            num_warps=2,
        )
    return out


@triton.jit
def _take(table, index, out, size, width: tl.constexpr, block: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = place < size
    row = tl.load(index + place // width, mask=inside, other=0)
    tl.store(out + place, tl.load(table + row * width + place % width, mask=inside), mask=inside)


@triton.jit
def _reduce(
    rowptr,
    values,
    out,
    width,
    columns: tl.constexpr,
    step: tl.constexpr,
    total: tl.constexpr,
    wide: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, columns)
    inside = column < width
    first, last = tl.load(rowptr + row), tl.load(rowptr + row + 1)
    neutral = 0.0 if total else float("-inf")
    kept = tl.full([step, columns], neutral, dtype=wide)
    for at in range(first, last, step):
        entry = at + tl.arange(0, step)
        there = (entry < last)[:, None] & inside[None, :]
        seen = tl.load(values + entry[:, None] * width + column[None, :], mask=there, other=neutral).to(wide)
        kept = kept + seen if total else tl.maximum(kept, seen)
    found = tl.sum(kept, axis=0) if total else tl.max(kept, axis=0)
    if not total:
        found = tl.where(first == last, 0.0, found)
    tl.store(out + row * width + column, found.to(out.dtype.element_ty), mask=inside)
