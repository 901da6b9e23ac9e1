"""Reductions over the rows of a CSR matrix, for values that belong to its entries.

The rule comes from ``experiments/spmm`` (measured, two cores): torch's own ``segment_reduce`` is as fast as
``torch_scatter`` for sums and faster for maxima, and so it is used, whatever else is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

Reduction = Literal["sum", "max"]


def segment_reduce(rowptr: Tensor, values: Tensor, reduction: Reduction, backend: str = "torch") -> Tensor:
    """``out[i] = Σ values[e]`` or ``max values[e]`` over the entries ``e`` of row ``i``; rows without any give 0.

    Without autograd.

    Args:
        rowptr: ``[M + 1]`` int64, where each row starts in ``values``.
        values: ``[nnz]`` or ``[nnz, H]``.
        reduction: ``sum`` or ``max``.
        backend: ``torch``, the fastest that was measured, or ``torch_scatter`` where it is installed.

    Returns:
        ``[M]`` or ``[M, H]``.
    """
    if backend == "torch_scatter":
        return _segment_csr()(values, rowptr, reduce=reduction)
    # `initial` is what a row without entries gets; a maximum over entries must not see it.
    initial = 0.0 if reduction == "sum" else -torch.inf
    out = torch.segment_reduce(values, reduction, offsets=rowptr, axis=0, initial=initial, unsafe=True)
    if reduction == "max":
        empty = rowptr.diff() == 0
        out.masked_fill_(empty if values.dim() == 1 else empty.unsqueeze(1), 0.0)
    return out


def segment_backends() -> list[str]:
    """The backends of ``segment_reduce`` that work here."""
    return ["torch", *(["torch_scatter"] if has_torch_scatter() else [])]


def has_torch_scatter() -> bool:
    """Whether torch-scatter can be used; one that was compiled for another torch cannot."""
    try:
        _segment_csr()
    except (ImportError, OSError):
        return False
    return True


def rows_of(rowptr: Tensor, nnz: int) -> Tensor:
    """``[nnz]`` int64, the row of each entry."""
    row = torch.arange(rowptr.numel() - 1, device=rowptr.device)
    return torch.repeat_interleave(row, rowptr.diff(), output_size=nnz)


def segment_softmax(rowptr: Tensor, scores: Tensor) -> Tensor:
    """``a[e] = exp(s[e] − m_i) / Σ_f exp(s[f] − m_i)``, f over the entries of e's row i, ``m_i`` their maximum.

    The gradient is ``a[e] (g[e] − Σ_f a[f] g[f])``; only ``a`` is kept for it.

    Args:
        rowptr: ``[M + 1]`` int64, where each row starts in ``scores``.
        scores: ``[nnz]`` or ``[nnz, H]``; each column on its own.

    Returns:
        As ``scores``; every row that has entries sums to 1.
    """
    return _SegmentSoftmax.apply(scores, rowptr)  # type: ignore[no-any-return, no-untyped-call]


class _SegmentSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, rowptr: Tensor) -> Tensor:
        row = rows_of(rowptr, scores.shape[0])
        highest = segment_reduce(rowptr, scores, "max")
        out = (scores - highest.index_select(0, row)).exp_()
        out.div_(segment_reduce(rowptr, out, "sum").index_select(0, row))
        ctx.save_for_backward(out, rowptr)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        out, rowptr = ctx.saved_tensors
        weighted = out * grads[0]
        total = segment_reduce(rowptr, weighted, "sum").index_select(0, rows_of(rowptr, out.shape[0]))
        return weighted.sub_(total.mul_(out)), None


def _segment_csr() -> Callable[..., Tensor]:
    from torch_scatter import segment_csr

    return segment_csr  # type: ignore[no-any-return]
