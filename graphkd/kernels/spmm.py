"""Sparse-dense product on a CUDA device: one program per row and block of columns, in a fixed order of sums.

It is compared with cuSPARSE in ``experiments/gpu``; unlike cuSPARSE it is bitwise reproducible. This
module is imported lazily, since triton is installed only with torch's CUDA builds. With
``TRITON_INTERPRET=1`` it runs on a CPU, which is how it is tested without a device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

LONGEST = 128
"""Maximal number of entries per program; longer rows are split into pieces, so that hubs cause no imbalance."""

STEPS = {"narrow": 16, "wide": 8}
"""Entries per load, for blocks of up to 64 columns and for wider ones."""


@dataclass(frozen=True)
class Pieces:
    """The pieces of rows with more than ``LONGEST`` entries.

    Args:
        rows: ``[K]`` row indices.
        first: ``[K + 1]`` index of each row's first piece.
        start: ``[G]`` first entry of each piece.
        end: ``[G]`` end of each piece (exclusive).
    """

    rows: Tensor
    first: Tensor
    start: Tensor
    end: Tensor

    @classmethod
    def of(cls, rowptr: Tensor) -> Pieces | None:
        """Splits the long rows; ``None`` if there are none."""
        counts = rowptr.diff()
        rows = (counts > LONGEST).nonzero().squeeze(1)
        if not rows.numel():
            return None
        pieces = (counts[rows] + LONGEST - 1) // LONGEST
        first = torch.cat([pieces.new_zeros(1), pieces.cumsum(0)])
        owner = torch.repeat_interleave(torch.arange(rows.numel(), device=rows.device), pieces)
        start = rowptr[rows[owner]] + LONGEST * (torch.arange(owner.numel(), device=rows.device) - first[owner])
        return cls(rows, first, start, torch.minimum(start + LONGEST, rowptr[rows[owner] + 1]))


def triton_spmm(rowptr: Tensor, col: Tensor, value: Tensor, dense: Tensor, pieces: Pieces | None) -> Tensor:
    """Computes ``out[i] = Σ_e value[e] · dense[col e]`` over the entries of row i, without autograd.

    Args:
        rowptr: ``[M + 1]`` int64.
        col: ``[nnz]`` int64.
        value: ``[nnz]``.
        dense: ``[N, d]``; 16-bit floats are accumulated in float32.
        pieces: of the rows with more than ``LONGEST`` entries.

    Returns:
        ``[M, d]`` of ``dense``'s dtype.
    """
    dense = dense.contiguous()
    out = dense.new_empty(rowptr.numel() - 1, dense.shape[1])
    _run(rowptr[:-1], rowptr[1:], col, value, dense, out, None)
    if pieces is not None:
        sums = dense.new_empty(pieces.start.numel(), dense.shape[1], dtype=_wide(dense.dtype))
        _run(pieces.start, pieces.end, col, value, dense, sums, None)
        every = torch.arange(sums.shape[0], device=col.device)
        ones = torch.ones(sums.shape[0], dtype=sums.dtype, device=col.device)
        _run(pieces.first[:-1], pieces.first[1:], every, ones, sums, out, pieces.rows)
    return out


def _run(
    start: Tensor, end: Tensor, col: Tensor, value: Tensor, dense: Tensor, out: Tensor, place: Tensor | None
) -> None:
    width = dense.shape[1]
    if not start.numel() or not width:
        return
    block = min(256, max(16, triton.next_power_of_2(width)))
    _kernel[(start.numel(), triton.cdiv(width, block))](
        start,
        end,
        col,
        value,
        dense,
        out,
        col if place is None else place,
        width,
        LONGEST if place is None else 2**62,
        placed=place is not None,
        width_of_block=block,
        step=STEPS["narrow" if block <= 64 else "wide"],
        wide=tl.float64 if dense.dtype == torch.float64 else tl.float32,
        num_warps=4 if block > 64 else 2,
    )


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32


@triton.jit
def _kernel(
    start,
    end,
    col,
    value,
    dense,
    out,
    place,
    width,
    longest,
    placed: tl.constexpr,
    width_of_block: tl.constexpr,
    step: tl.constexpr,
    wide: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * width_of_block + tl.arange(0, width_of_block)
    inside = columns < width
    first, last = tl.load(start + row), tl.load(end + row)
    if last - first <= longest:
        total = tl.zeros([width_of_block], dtype=wide)
        for offset in range(first, last, step):
            entry = offset + tl.arange(0, step)
            valid = entry < last
            sender = tl.load(col + entry, mask=valid, other=0)
            weight = tl.load(value + entry, mask=valid, other=0.0).to(wide)
            rows = tl.load(
                dense + sender[:, None] * width + columns[None, :],
                mask=valid[:, None] & inside[None, :],
                other=0.0,
            )
            total += tl.sum(rows.to(wide) * weight[:, None], axis=0)
        target = tl.load(place + row) if placed else row
        tl.store(out + target * width + columns, total.to(out.dtype.element_ty), mask=inside)
