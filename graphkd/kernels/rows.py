"""Kernels for narrow tables on a CUDA device: row gather, and sums and maxima over the rows of a CSR matrix.

torch's gather assigns separate threads to every row, however narrow it is, and its ``segment_reduce`` processes a
row with one thread per column; both are measured in ``experiments/gpu``. This module is imported lazily, since
triton is installed only with torch's CUDA builds. With ``TRITON_INTERPRET=1`` it runs on a CPU, which is how it is
tested without a device.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024
"""Elements per program."""

STEP = 64
"""Entries of a row per load."""


def take(table: Tensor, index: Tensor) -> Tensor:
    """Returns ``table[index]``, without autograd.

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
    """Computes sums or maxima of each row's entries, without autograd, in a fixed order; 0 for empty rows.

    Args:
        rowptr: ``[M + 1]`` int64.
        values: ``[nnz, H]``, contiguous; 16-bit floats are accumulated in float32.
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
    offset = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = offset < size
    row = tl.load(index + offset // width, mask=inside, other=0)
    tl.store(out + offset, tl.load(table + row * width + offset % width, mask=inside), mask=inside)


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
    partial = tl.full([step, columns], neutral, dtype=wide)
    for start in range(first, last, step):
        entry = start + tl.arange(0, step)
        mask = (entry < last)[:, None] & inside[None, :]
        loaded = tl.load(values + entry[:, None] * width + column[None, :], mask=mask, other=neutral).to(wide)
        partial = partial + loaded if total else tl.maximum(partial, loaded)
    result = tl.sum(partial, axis=0) if total else tl.max(partial, axis=0)
    if not total:
        result = tl.where(first == last, 0.0, result)
    tl.store(out + row * width + column, result.to(out.dtype.element_ty), mask=inside)
