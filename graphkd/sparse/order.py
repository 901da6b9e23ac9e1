"""The product of operator, rows and weights, in the cheaper order of multiplication."""

from __future__ import annotations

from torch import Tensor

from graphkd.sparse.features import Features, linear
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.propagate import SPARSE_COST
from graphkd.sparse.spmm import spmm


def spmm_linear(operator: SparseMatrix, x: Features, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Computes ``S X Wᵀ + b``, as ``(S X) Wᵀ`` or ``S (X Wᵀ)``.

    Dense rows are propagated first where ``c nnz(S) (d − h) < (N − M) d h``, one sparse multiply-add
    taking as long as ``c`` dense ones: for square ``S`` where ``d < h``. Sparse rows are always projected first.

    Args:
        operator: ``S [M, N]``.
        x: ``[N, d]``.
        weight: ``[h, d]``.
        bias: ``[h]`` or ``None``.

    Returns:
        ``[M, h]``.

    >>> import torch
    >>> from graphkd.sparse import Adjacency
    >>> mean = Adjacency(torch.tensor([[0, 1], [1, 0]]), num_nodes=2).normalize("row")
    >>> spmm_linear(mean, torch.tensor([[1.0], [3.0]]), weight=torch.tensor([[10.0]])).tolist()
    [[20.0], [20.0]]
    """
    (rows, columns), (h, d) = operator.shape, weight.shape
    if isinstance(x, Tensor) and SPARSE_COST * operator.nnz * (d - h) < (columns - rows) * d * h:
        return linear(spmm(operator, x), weight, bias)
    out = spmm(operator, linear(x, weight))
    return out if bias is None else out + bias
