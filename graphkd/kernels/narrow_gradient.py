"""Weight gradients of narrow layers on a CUDA device: partial sums over row ranges, added in a fixed order.

This module is imported lazily, since triton is installed only with torch's CUDA builds. With
``TRITON_INTERPRET=1`` it runs on a CPU, which is how it is tested without a device.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

SHARE = 256
"""Minimal number of rows per program."""

PROGRAMS = 1024
"""Number of programs that saturates a device; more would need memory, one gradient-sized table per row range."""

STEP = 32
"""Rows per load."""

COLUMNS = 64
"""Columns of ``rows`` per program."""


def narrow_gradient(grad: Tensor, rows: Tensor) -> Tensor:
    """Computes ``grad[s]ᵀ rows[s]``, without autograd, accumulated in float32.

    Args:
        grad: ``[S, B, o]``, contiguous; ``o`` is small.
        rows: ``[S, B, d]``, of any strides.

    Returns:
        ``[S, o, d]`` float32.
    """
    (members, size, narrow), width = grad.shape, rows.shape[2]
    blocks = triton.cdiv(width, COLUMNS)
    share = max(SHARE, triton.cdiv(size, max(1, PROGRAMS // (blocks * members))))
    shares = triton.cdiv(size, share)
    parts = torch.empty(members, shares, narrow, width, dtype=torch.float32, device=grad.device)
    _kernel[(blocks, shares, members)](
        grad,
        rows,
        parts,
        *rows.stride(),
        size,
        narrow,
        width,
        share,
        shares,
        narrow_block=max(16, triton.next_power_of_2(narrow)),
        columns=COLUMNS,
        step=STEP,
    )
    return parts.sum(dim=1)


@triton.jit
def _kernel(
    grad,
    rows,
    parts,
    member_stride,
    row_stride,
    column_stride,
    size,
    narrow,
    width,
    share,
    shares,
    narrow_block: tl.constexpr,
    columns: tl.constexpr,
    step: tl.constexpr,
):
    member = tl.program_id(2).to(tl.int64)
    first = tl.program_id(1) * share
    last = tl.minimum(first + share, size)
    output = tl.arange(0, narrow_block)
    column = tl.program_id(0) * columns + tl.arange(0, columns)
    total = tl.zeros([narrow_block, columns], dtype=tl.float32)
    for start in range(first, last, step):
        row = (start + tl.arange(0, step)).to(tl.int64)
        valid = row < last
        left = tl.load(
            grad + (member * size + row)[None, :] * narrow + output[:, None],
            mask=valid[None, :] & (output < narrow)[:, None],
            other=0.0,
        )
        right = tl.load(
            rows
            + member * member_stride
            + row[:, None] * row_stride
            + column.to(tl.int64)[None, :] * column_stride,
            mask=valid[:, None] & (column < width)[None, :],
            other=0.0,
        )
        total = tl.dot(left, right, total, input_precision="ieee")
    offset = ((member * shares + tl.program_id(1)) * narrow + output[:, None]) * width + column[None, :]
    tl.store(parts + offset, total, mask=(output < narrow)[:, None] & (column < width)[None, :])
