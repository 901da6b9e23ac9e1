"""Reductions over the rows of a CSR matrix, for values per entry.

The choice of backend is measured in ``experiments/spmm`` (two cores): ``torch.segment_reduce`` is as fast as
``torch_scatter`` for sums and faster for maxima, and so it is the default on CPU. On CUDA the default is the
package's Triton kernel (``experiments/gpu``).
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from graphkd.backends import by_triton, has_torch_scatter

Reduction = Literal["sum", "max"]


def segment_reduce(rowptr: Tensor, values: Tensor, reduction: Reduction, backend: str | None = None) -> Tensor:
    """Computes ``out[i] = Σ values[e]`` or ``max values[e]`` over the entries ``e`` of row ``i``.

    Empty rows give 0. It does not support autograd.

    Args:
        rowptr: ``[M + 1]`` int64, where each row starts in ``values``.
        values: ``[nnz]`` or ``[nnz, H]``.
        reduction: ``sum`` or ``max``.
        backend: one of ``segment_backends``; by default the fastest.

    Returns:
        ``[M]`` or ``[M, H]``.
    """
    backend = backend or ("triton" if by_triton(values.device) else "torch")
    if backend == "torch_scatter":
        return _by_torch_scatter(rowptr, values, reduction)
    return _by_triton(rowptr, values, reduction) if backend == "triton" else _by_torch(rowptr, values, reduction)


def segment_backends(device: torch.device) -> list[str]:
    """Returns the backends of ``segment_reduce`` that are available on a device."""
    available = {"torch": True, "triton": by_triton(device), "torch_scatter": has_torch_scatter()}
    return [name for name, usable in available.items() if usable]


def _by_torch(rowptr: Tensor, values: Tensor, reduction: Reduction) -> Tensor:
    # `initial` is the result of an empty row; it must not affect the maximum of other rows.
    initial = 0.0 if reduction == "sum" else -torch.inf
    out = torch.segment_reduce(values, reduction, offsets=rowptr, axis=0, initial=initial, unsafe=True)
    if reduction == "max":
        empty = rowptr.diff() == 0
        out.masked_fill_(empty if values.dim() == 1 else empty.unsqueeze(1), 0.0)
    return out


def _by_triton(rowptr: Tensor, values: Tensor, reduction: Reduction) -> Tensor:
    from graphkd.kernels.rows import reduce_rows

    out = reduce_rows(rowptr, (values.unsqueeze(1) if values.dim() == 1 else values).contiguous(), reduction)
    return out.squeeze(1) if values.dim() == 1 else out


def _by_torch_scatter(rowptr: Tensor, values: Tensor, reduction: Reduction) -> Tensor:
    from torch_scatter import segment_csr

    return segment_csr(values, rowptr, reduce=reduction)  # type: ignore[no-any-return]


def take(table: Tensor, index: Tensor) -> Tensor:
    """Returns ``table[index]`` for narrow rows, without autograd.

    Args:
        table: ``[N]`` or ``[N, H]``.
        index: ``[n]`` int64.

    Returns:
        ``[n]`` or ``[n, H]``.
    """
    if table.dim() == 1 or not by_triton(table.device):
        return table.index_select(0, index)
    from graphkd.kernels import rows

    return rows.take(table.contiguous(), index)


def rows_of(rowptr: Tensor, nnz: int) -> Tensor:
    """Returns ``[nnz]`` int64, the row of each entry."""
    row = torch.arange(rowptr.numel() - 1, device=rowptr.device)
    return torch.repeat_interleave(row, rowptr.diff(), output_size=nnz)


def segment_softmax(rowptr: Tensor, scores: Tensor) -> Tensor:
    """Computes ``a[e] = exp(s[e] − m_i) / Σ_f exp(s[f] − m_i)`` over the entries f of e's row i.

    ``m_i`` is their maximum. The gradient is ``a[e] (g[e] − Σ_f a[f] g[f])``; only ``a`` is saved for backward.

    Args:
        rowptr: ``[M + 1]`` int64, where each row starts in ``scores``.
        scores: ``[nnz]`` or ``[nnz, H]``; columns are independent.

    Returns:
        Same shape as ``scores``; every non-empty row sums to 1.

    >>> segment_softmax(torch.tensor([0, 2, 3]), torch.tensor([0.0, 0.0, 5.0]))  # rows of two entries and one
    tensor([0.5000, 0.5000, 1.0000])
    """
    return _SegmentSoftmax.apply(scores, rowptr)  # type: ignore[no-any-return, no-untyped-call]


class _SegmentSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, rowptr: Tensor) -> Tensor:
        row = rows_of(rowptr, scores.shape[0])
        highest = segment_reduce(rowptr, scores, "max")
        out = (scores - take(highest, row)).exp_()
        out.div_(take(segment_reduce(rowptr, out, "sum"), row))
        ctx.save_for_backward(out, rowptr)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        out, rowptr = ctx.saved_tensors
        weighted = out * grads[0]
        total = take(segment_reduce(rowptr, weighted, "sum"), rows_of(rowptr, out.shape[0]))
        return weighted.sub_(total.mul_(out)), None
