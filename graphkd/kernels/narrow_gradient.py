"""Gradients of narrow layers on a CUDA device: the rows are shared out, and the shares added in a fixed order.

This module is imported where it is used, since triton is only there with torch's CUDA builds. With
``TRITON_INTERPRET=1`` it runs on a CPU, which is how it is tested without a device.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

SHARE = 256
"""Rows that one program walks through, at least."""

PROGRAMS = 1024
"""That many keep a device busy: no more shares are made, each of which is a table of the gradient's size."""

STEP = 32
"""Rows that are fetched at once."""

COLUMNS = 64
"""Of ``rows``, per program."""


def narrow_gradient(grad: Tensor, rows: Tensor) -> Tensor:
    """``grad[s]ᵀ rows[s]``, without autograd, added up in float32.

    Args:
        grad: ``[S, B, o]``, contiguous; ``o`` is small.
        rows: ``[S, B, d]``, in any order.

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
    own = tl.arange(0, narrow_block)
    column = tl.program_id(0) * columns + tl.arange(0, columns)
    total = tl.zeros([narrow_block, columns], dtype=tl.float32)
    for at in range(first, last, step):
        row = (at + tl.arange(0, step)).to(tl.int64)
        there = row < last
        mine = tl.load(
            grad + (member * size + row)[None, :] * narrow + own[:, None],
            mask=there[None, :] & (own < narrow)[:, None],
            other=0.0,
        )
        wide = tl.load(
            rows
            + member * member_stride
            + row[:, None] * row_stride
            + column.to(tl.int64)[None, :] * column_stride,
            mask=there[:, None] & (column < width)[None, :],
            other=0.0,
        )
        total = tl.dot(mine, wide, total, input_precision="ieee")
    place = ((member * shares + tl.program_id(1)) * narrow + own[:, None]) * width + column[None, :]
    tl.store(parts + place, total, mask=(own < narrow)[:, None] & (column < width)[None, :])
